/* Learned factors of the couplings of a coarse matrix, from local features without dimension, and the matrix that
 * they give. Rows 0 … n-1 are this rank's; columns from n on belong to others. Couplings w_ij = -a_ij > 0. HIDDEN,
 * VECTORS (zero where nothing flows) and LARGEST are those of `conductances.py`. */
#include <math.h>
#include <stdint.h>

enum { FEATURES = 8 };

/* What each row is coupled to inside of its aggregate; target: aggregate of each column. */
void inside(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, const int32_t *target,
            double *inner) {
    for (int64_t i = 0; i < n; i++) {
        inner[i] = 0;
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++)
            if (col[k] != i && val[k] < 0 && target[col[k]] == target[i]) inner[i] -= val[k];
    }
}

/* One damped step towards the mean of what a row is coupled to, y_i = x_i + omega Σ_j w_ij (x_j - x_i)/Σ_j w_ij, of
 * VECTORS vectors side by side. */
void relaxed(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, double omega,
             const double *restrict x, double *restrict y) {
    for (int64_t i = 0; i < n; i++) {
        const double *xi = x + i * VECTORS;
        double total = 0, more[VECTORS + 1] = {0};
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
            if (col[k] == i || !(val[k] < 0)) continue;
            const double *xj = x + (int64_t)col[k] * VECTORS;
            total -= val[k];
            for (int v = 0; v < VECTORS; v++) more[v] -= val[k] * (xj[v] - xi[v]);
        }
        const double step = total > 0 ? omega / total : 0;
        for (int v = 0; v < VECTORS; v++) y[i * VECTORS + v] = xi[v] + step * more[v];
    }
}

/* What becomes one coupling of the coarse matrix: sum of the couplings w, sum of w in series with what ties its
 * ends to their aggregates, 1/(1/w + 1/inner_i + 1/inner_j), their number, and what flows between the aggregates I, J
 * for vectors x with means X, times the difference of these: Σ_v Σ w (x_i - x_j)(X_I - X_J); in the order of its
 * entries. */
void merged(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, const int32_t *target,
            const double *inner, const double *x, const double *mean, const int32_t *ptr_c, const int32_t *col_c,
            double *sum, double *series, double *number, double *flow) {
    for (int64_t i = 0; i < n; i++) {
        const int32_t I = target[i];
        if (I < 0) continue;
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
            const int32_t j = col[k], J = target[j];
            if (J < 0 || J == I || !(val[k] < 0)) continue;
            int32_t at = ptr_c[I];
            while (at < ptr_c[I + 1] && col_c[at] != J) at++;
            if (at == ptr_c[I + 1]) continue; /* of nodes whose coupled unknowns are left out */
            const double w = -val[k], tied = (inner[i] > 0 ? w / inner[i] : 0) + (inner[j] > 0 ? w / inner[j] : 0);
            sum[at] += w, series[at] += w / (1 + tied), number[at] += 1;
            for (int v = 0; v < VECTORS; v++)
                flow[at] += w * (x[i * VECTORS + v] - x[(int64_t)j * VECTORS + v])
                            * (mean[(int64_t)I * VECTORS + v] - mean[(int64_t)J * VECTORS + v]);
        }
    }
}

/* y = W x + b, W stored by columns. */
static inline void layer(int in, int out, const double *restrict W, const double *restrict b, const double *restrict x,
                         double *restrict y) {
    for (int o = 0; o < out; o++) y[o] = b[o];
    for (int i = 0; i < in; i++)
        for (int o = 0; o < out; o++) y[o] += W[i * out + o] * x[i];
}

static inline void bend(double *restrict x) {
    for (int i = 0; i < HIDDEN; i++) x[i] /= sqrt(1 + x[i] * x[i]);
}

/* Output of FEATURES → HIDDEN → HIDDEN → 1, whose weights W₁ b₁ W₂ b₂ W₃ b₃ lie one behind the other. */
static double network(const double *w, const double *x) {
    double a[HIDDEN], b[HIDDEN], out;
    layer(FEATURES, HIDDEN, w, w + FEATURES * HIDDEN, x, a), bend(a), w += (FEATURES + 1) * HIDDEN;
    layer(HIDDEN, HIDDEN, w, w + HIDDEN * HIDDEN, a, b), bend(b), w += (HIDDEN + 1) * HIDDEN;
    layer(HIDDEN, 1, w, w + HIDDEN, b, &out);
    return out;
}

/* d, s: logarithms of diagonals and of sizes at both ends; flow: over the square of the difference of means. */
static void features(double sum, double series, double number, double flow, const double d[2], const double s[2],
                     double inner, double *x) {
    const double least = 1e-12, third = 1.0 / 3;
    x[0] = third * (log(sum) - 0.5 * (d[0] + d[1]));
    x[1] = third * fabs(d[0] - d[1]);
    x[2] = third * log(fmax(series / sum, least));
    x[3] = third * log(number);
    x[4] = third * (s[0] + s[1]);
    x[5] = third * fabs(s[0] - s[1]);
    x[6] = third * log(fmax(sum / (sum + inner), least));
    x[7] = third * log(fmin(fmax(2 * flow / sum, 1.0 / LARGEST), LARGEST));
}

/* Couplings that would carry a flow between two rows, least squares of VECTORS vectors; half of what they are merged
 * from where these vectors do not differ, as between like cells of a grid. */
static double carried(double flow, double sum, const double *a, const double *b) {
    double square = 0;
    for (int v = 0; v < VECTORS; v++) square += (a[v] - b[v]) * (a[v] - b[v]);
    return square > 0 ? flow / square : 0.5 * sum;
}

/* Factor exp(reach tanh(network)) of every coupling w > 0, one elsewhere. diagonal, size (logarithms; size: rows of
 * the finer matrix), inner (half the sum of `inside`) and mean (of the vectors of `merged`) belong to the coarse rows,
 * others' included. Of two own rows the first one computes, so that both have the same number. Adds to low and high of
 * the features; returns the least factor, or what is no number. */
double factors(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, const double *sum,
               const double *series, const double *number, const double *flow, const double *diagonal,
               const double *size, const double *inner, const double *mean, const double *weights, double reach,
               double *factor, double *low, double *high) {
    double least = 1;
    for (int32_t k = 0; k < ptr[n]; k++) factor[k] = 1;
    for (int64_t i = 0; i < n; i++)
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
            const int32_t j = col[k];
            if (j <= i || !(val[k] < 0) || !(sum[k] > 0)) continue;
            const double d[2] = {diagonal[i], diagonal[j]}, s[2] = {size[i], size[j]};
            double x[FEATURES];
            const double through = carried(flow[k], sum[k], mean + i * VECTORS, mean + (int64_t)j * VECTORS);
            features(sum[k], series[k], number[k], through, d, s, inner[i] + inner[j], x);
            for (int f = 0; f < FEATURES; f++) low[f] = fmin(low[f], x[f]), high[f] = fmax(high[f], x[f]);
            factor[k] = exp(reach * tanh(network(weights, x)));
            if (!(factor[k] >= least)) least = factor[k];
            if (j >= n) continue;
            for (int32_t q = ptr[j]; q < ptr[j + 1]; q++)
                if (col[q] == i) factor[q] = factor[k];
        }
    return least;
}

/* A ← G' - ν N for A = G - N: couplings w > 0 and row sums s > 0 make G, those below zero N. G' has the couplings
 * times their factors m; it is not less than ν G for ν = min(1, m), so that A stays positive semidefinite. `held` are
 * the row sums, before and after; the diagonal is left to them. */
void scale(int64_t n, const int32_t *ptr, const int32_t *col, double *val, const double *factor, double nu,
           double *held) {
    for (int64_t i = 0; i < n; i++) {
        if (held[i] < 0) held[i] *= nu;
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++)
            if (col[k] != i) val[k] *= val[k] < 0 ? factor[k] : nu;
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
