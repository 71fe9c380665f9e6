/* Learned factors of the couplings of a coarse matrix, from local features without dimension, and the matrix that
 * they give. Rows 0 … n-1 are this rank's; columns from n on belong to others. Couplings w_ij = -a_ij > 0. */
#include <math.h>
#include <stdint.h>

enum { FEATURES = 7, LEVEL = 4 };

/* What each row is coupled to inside of its aggregate; target: aggregate of each column. */
void inside(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, const int32_t *target,
            double *inner) {
    for (int64_t i = 0; i < n; i++) {
        inner[i] = 0;
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++)
            if (col[k] != i && val[k] < 0 && target[col[k]] == target[i]) inner[i] -= val[k];
    }
}

/* What becomes one coupling of the coarse matrix: sum of the couplings w, sum of w in series with what ties its
 * ends to their aggregates, 1/(1/w + 1/inner_i + 1/inner_j), and their number; in the order of its entries. */
void merged(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, const int32_t *target,
            const double *inner, const int32_t *ptr_c, const int32_t *col_c, double *sum, double *series,
            double *number) {
    for (int64_t i = 0; i < n; i++) {
        const int32_t I = target[i];
        if (I < 0) continue;
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
            const int32_t j = col[k], J = target[j];
            if (J < 0 || J == I || !(val[k] < 0)) continue;
            int32_t at = ptr_c[I];
            while (col_c[at] != J) at++;
            const double w = -val[k], tied = (inner[i] > 0 ? w / inner[i] : 0) + (inner[j] > 0 ? w / inner[j] : 0);
            sum[at] += w, series[at] += w / (1 + tied), number[at] += 1;
        }
    }
}

/* y = W x/√(1 + x²) + b, W stored by columns; or W x + b for the first layer. */
static void layer(int64_t in, int64_t out, const double *W, const double *b, const double *x, int first, double *y) {
    for (int64_t o = 0; o < out; o++) y[o] = b[o];
    for (int64_t i = 0; i < in; i++) {
        const double s = first ? x[i] : x[i] / sqrt(1 + x[i] * x[i]);
        for (int64_t o = 0; o < out; o++) y[o] += W[i * out + o] * s;
    }
}

/* Output of in → hidden → hidden → 1, whose weights W₁ b₁ W₂ b₂ W₃ b₃ lie one behind the other. */
static double network(int64_t in, int64_t hidden, const double *w, const double *x) {
    double a[64], b[64], out;
    layer(in, hidden, w, w + in * hidden, x, 1, a), w += (in + 1) * hidden;
    layer(hidden, hidden, w, w + hidden * hidden, a, 0, b), w += (hidden + 1) * hidden;
    layer(hidden, 1, w, w + hidden, b, 0, &out);
    return out;
}

static void features(double sum, double series, double number, double di, double dj, double si, double sj,
                     double ki, double kj, double *x) {
    const double least = 1e-12, third = 1.0 / 3;
    x[0] = third * (log(sum) - 0.5 * (log(di) + log(dj)));
    x[1] = third * fabs(log(di) - log(dj));
    x[2] = third * log(fmax(series / sum, least));
    x[3] = third * log(number);
    x[4] = third * (log(si) + log(sj));
    x[5] = third * fabs(log(si) - log(sj));
    x[6] = third * log(fmax(sum / (sum + (ki + kj)), least));
}

/* Factor exp(reach tanh(network)) of every coupling w > 0, one elsewhere. diagonal, size (rows of the finer
 * matrix) and inner (half the sum of `inside`) belong to the coarse rows, others' included. Adds to low and high
 * of the features; returns the least factor. A factor that is no number stays one, so that the caller sees it. */
double factors(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, const double *sum,
               const double *series, const double *number, const double *diagonal, const double *size,
               const double *inner, int64_t hidden, const double *weights, double reach, double *factor, double *low,
               double *high) {
    double least = 1;
    for (int64_t i = 0; i < n; i++)
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
            const int32_t j = col[k];
            factor[k] = 1;
            if (j == i || !(val[k] < 0) || !(sum[k] > 0)) continue;
            double x[FEATURES];
            features(sum[k], series[k], number[k], diagonal[i], diagonal[j], size[i], size[j], inner[i], inner[j], x);
            for (int f = 0; f < FEATURES; f++) low[f] = fmin(low[f], x[f]), high[f] = fmax(high[f], x[f]);
            factor[k] = exp(reach * tanh(network(FEATURES, hidden, weights, x)));
            if (!(factor[k] >= least)) least = factor[k];
        }
    return least;
}

/* A ← G' - ν N for A = G - N: couplings w > 0 and row sums s > 0 make G, those below zero N. G' has the couplings
 * times their factors m; it is not less than ν G for ν = min(1, m), so that A stays positive semidefinite. */
void scale(int64_t n, const int32_t *ptr, const int32_t *col, double *val, const double *factor, double nu) {
    for (int64_t i = 0; i < n; i++) {
        double row = 0, more = 0, against = 0;
        int32_t at = -1;
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
            row += val[k];
            if (col[k] == i) at = k;
            else if (val[k] < 0) more -= (factor[k] - 1) * val[k], val[k] *= factor[k];
            else against += val[k], val[k] *= nu;
        }
        if (at >= 0) val[at] += more + (1 - nu) * (against + fmax(-row, 0));
    }
}

/* Sums over the rows with couplings: rows, couplings, logarithms of couplings over the root of both diagonals, and
 * of ratios of diagonals, shares of row sums in diagonals. */
void texture(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, const double *diagonal,
             double *sums) {
    for (int64_t i = 0; i < n; i++) {
        double row = 0;
        int64_t found = 0;
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
            row += val[k];
            if (col[k] == i || !(val[k] < 0)) continue;
            const double di = log(diagonal[i]), dj = log(diagonal[col[k]]);
            sums[2] += log(-val[k]) - 0.5 * (di + dj), sums[3] += fabs(di - dj), found++;
        }
        if (found) sums[0] += 1, sums[1] += (double)found, sums[4] += fmax(row, 0) / diagonal[i];
    }
}
