/* A spin network over cells: state along its director, dense layers, point in the disk of the next moment.
 *
 * One block of P cells goes through everything while it lies in the cache. Geometry is in double precision, layers are
 * in single. Compile-time sizes: MOMENT 2 or 3; SCALARS even inputs beside the moments and the strain; VORTICITY 0 or
 * 1; WIDTH, DEPTH of the hidden layers; ACT 0 silu, 1 tanh. The formulas are those of plexus.closures.spin_network. */
#include <math.h>
#include <stdint.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
#define VECTORS 4
#define P (VECTORS * LANES)
#define THIRD (MOMENT == 3)
#define EVENS (2 + THIRD + SCALARS)
#define ODDS (1 + THIRD + VORTICITY)
#define INPUTS (EVENS + ODDS * (ODDS + 1) / 2)
#define OUTPUTS (1 + ODDS)
#define MOST (INPUTS > WIDTH ? INPUTS : WIDTH)

typedef float F __attribute__((vector_size(4 * LANES), may_alias));
typedef int32_t I __attribute__((vector_size(4 * LANES)));
#define inlined static inline __attribute__((always_inline))

typedef struct { /* of one block */
    double c[P], r[P], nx[P], ny[P], s[P], mx[P], my[P], room[P];
    float even[EVENS][P], odd[ODDS][P];
} Block;

/* a where the mask is set, b elsewhere. */
inlined F chosen(I mask, F a, F b) { return (F)(((I)a & mask) | ((I)b & ~mask)); }

/* 2^x = 2^k 2^f with |f| <= 1/2 and a polynomial of degree 5 (error 1 in 10^7). */
inlined F power(F x) {
    x = chosen(x > 126.0f, (F){} + 126.0f, x); /* a comparison with NaN is false: NaN stays */
    x = chosen(x < -126.0f, (F){} - 126.0f, x);
    const F shift = (F){} + 12582912.0f, t = x + shift, f = x - (t - shift);
    F p = f * 1.327644452e-03f + 9.675537236e-03f;
    p = p * f + 5.550713465e-02f;
    p = p * f + 2.402212024e-01f;
    p = p * f + 6.931469440e-01f;
    p = p * f + 1.000000119e+00f;
    return p * (F)(((I)t << 23) + 0x3f800000);
}

inlined F activate(F x) {
#if ACT == 0
    return x / (1.0f + power(x * -1.44269504f));
#else
    return 1.0f - 2.0f / (1.0f + power(x * 2.88539008f));
#endif
}

/* y = W x + b for ROWS outputs, two at a time so that sums stay in registers. */
#define LAYER(NAME, ROWS, COLUMNS, AFTER)                                                          \
    inlined void NAME(const float *W, const float *b, const float x[][P], float y[][P]) {          \
        for (int i = 0; i < ROWS; i += 2) {                                                        \
            const int j = i + 1 < ROWS ? i + 1 : i;                                                \
            F p[VECTORS], q[VECTORS];                                                              \
            for (int v = 0; v < VECTORS; v++) p[v] = (F){} + b[i], q[v] = (F){} + b[j];            \
            for (int k = 0; k < COLUMNS; k++)                                                      \
                for (int v = 0; v < VECTORS; v++) {                                                \
                    const F z = ((const F *)x[k])[v];                                              \
                    p[v] += W[i * COLUMNS + k] * z, q[v] += W[j * COLUMNS + k] * z;                \
                }                                                                                  \
            for (int v = 0; v < VECTORS; v++)                                                      \
                ((F *)y[i])[v] = AFTER(p[v]), ((F *)y[j])[v] = AFTER(q[v]);                        \
        }                                                                                          \
    }
#define SAME(x) (x)
LAYER(first, WIDTH, INPUTS, activate)
LAYER(middle_layer, WIDTH, WIDTH, activate)
LAYER(last, OUTPUTS, WIDTH, SAME)

/* The state of cell `from` + p seen along its director; the last of `used` cells is repeated in a short block. */
inlined void look(Block *B, int64_t from, int used, const double *c, const double *f1, const double *f2,
                  const double *e, const double *w, const double *const *scalars) {
    for (int p = 0; p < P; p++) {
        const int64_t at = from + (p < used ? p : used - 1);
        const double x = f1[2 * at], y = f1[2 * at + 1], norm = x * x + y * y, one = 1 / c[at];
        const double size = sqrt(norm + 1e-30), back = 1 / size, nx = x * back, ny = y * back;
        const double ex = e[2 * at], ey = e[2 * at + 1];
        B->c[p] = c[at], B->nx[p] = nx, B->ny[p] = ny, B->r[p] = size * one;
        const double s = norm * one * one;
        B->s[p] = s > 1 ? 1 : s;
        B->even[0][p] = (float)B->r[p];
        B->even[1][p] = (float)(ex * nx + ey * ny); /* e n* */
        B->odd[0][p] = (float)(ey * nx - ex * ny);
#if THIRD
        /* k = (c2 - c1²)/(1 - |c1|²) within 0.999, centre a c2 + k c1 with a = c1 - k c1*, radius */
        const double ax = x * one, ay = y * one, bx = f2[2 * at] * one, by = f2[2 * at + 1] * one;
        const double free = 1 - s > 0 ? 1 - s : s == s ? 0 : s, part = 1 / (free > 1e-12 ? free : s == s ? 1e-12 : s);
        double kx = (bx - (ax * ax - ay * ay)) * part, ky = (by - 2 * ax * ay) * part;
        const double size_k = sqrt(kx * kx + ky * ky), keep = size_k > 0.999 ? 0.999 / size_k : 1;
        kx *= keep, ky *= keep;
        const double px = ax - (kx * ax + ky * ay), py = ay - (ky * ax - kx * ay);
        B->mx[p] = px * bx - py * by + kx * ax - ky * ay, B->my[p] = px * by + py * bx + kx * ay + ky * ax;
        B->room[p] = free * (1 - kx * kx - ky * ky);
        const double tx = nx * nx - ny * ny, ty = 2 * nx * ny;
        B->even[2][p] = (float)(kx * tx + ky * ty); /* k n*² */
        B->odd[1][p] = (float)(ky * tx - kx * ty);
#endif
        for (int k = 0; k < SCALARS; k++) B->even[2 + THIRD + k][p] = (float)scalars[k][at];
#if VORTICITY
        B->odd[ODDS - 1][p] = (float)w[at];
#endif
    }
}

/* How far the worst feature is from the middle of its range, in half widths, minus 1; NaN wins. */
inlined void judge(const Block *B, const float *middle, const float *inverse, float *beyond) {
    for (int p = 0; p < P; p++) beyond[p] = -1;
    for (int k = 0; k < EVENS + ODDS; k++) {
        const float *row = k < EVENS ? B->even[k] : B->odd[k - EVENS];
        for (int p = 0; p < P; p++) {
            const float value = k < EVENS ? row[p] : fabsf(row[p]);
            const float away = fabsf(value - middle[k]) * inverse[k] - 1;
            beyond[p] = away <= beyond[p] || beyond[p] != beyond[p] ? beyond[p] : away;
        }
    }
}

/* Inputs of order one; scales: e, the scalars, W. */
inlined void scale(Block *B, const float *scales, float x[INPUTS][P]) {
    for (int p = 0; p < P; p++) {
        const float along = B->even[1][p], across = B->odd[0][p];
        const float soft = 1 / sqrtf(scales[0] * scales[0] + along * along + across * across);
        x[0][p] = 2 * B->even[0][p] - 1, x[1][p] = along * soft, B->odd[0][p] = across * soft;
#if THIRD
        x[2][p] = B->even[2][p];
#endif
        for (int k = 0; k < SCALARS; k++) x[2 + THIRD + k][p] = B->even[2 + THIRD + k][p] / scales[1 + k];
#if VORTICITY
        const float turn = B->odd[ODDS - 1][p], s = scales[1 + SCALARS];
        B->odd[ODDS - 1][p] = turn / sqrtf(s * s + turn * turn);
#endif
    }
    for (int i = 0, row = EVENS; i < ODDS; i++)
        for (int j = i; j < ODDS; j++, row++)
            for (int p = 0; p < P; p++) x[row][p] = B->odd[i][p] * B->odd[j][p];
}

/* w = z/√(1 + |z|²) of z = r (y_0 + i Σ q_j y_(j+1)), in double precision from here on. */
inlined void shrink(const Block *B, const float y[][P], double *u, double *v) {
    float across[P];
    for (int p = 0; p < P; p++) across[p] = B->odd[0][p] * y[1][p];
    for (int j = 1; j < ODDS; j++)
        for (int p = 0; p < P; p++) across[p] += B->odd[j][p] * y[j + 1][p];
    for (int p = 0; p < P; p++) {
        const float r = B->even[0][p] > 1 ? 1 : B->even[0][p], re = r * y[0][p], im = r * across[p];
        const float size = 1 / sqrtf(1 + re * re + im * im);
        u[p] = re * size, v[p] = im * size;
    }
}

/* The next moment at w in its disk; `table` holds Bingham's Q(s). */
inlined void place(const Block *B, const double *us, const double *vs, const double *table, int64_t nodes, double *out) {
#if !THIRD
    double bs[P]; /* Bingham's coefficient -s Q(s) */
    for (int p = 0; p < P; p++) {
        const double s = B->s[p], at = s * (double)nodes;
        const int64_t low = at >= 0 ? (int64_t)at : 0, piece = low < nodes ? low : nodes - 1;
        const double t = at - (double)piece, *a = table + 4 * piece;
        bs[p] = -s * (a[0] + t * (a[1] + t * (a[2] + t * a[3])));
    }
#endif
    for (int p = 0; p < P; p++) {
        const double u = us[p], v = vs[p], nx = B->nx[p], ny = B->ny[p];
        const double tx = nx * nx - ny * ny, ty = 2 * nx * ny;
#if THIRD
        const double gx = nx * tx - ny * ty, gy = nx * ty + ny * tx;
        out[2 * p] = B->c[p] * (B->mx[p] + B->room[p] * (gx * u - gy * v));
        out[2 * p + 1] = B->c[p] * (B->my[p] + B->room[p] * (gx * v + gy * u));
#else
        const double s = B->s[p], b = bs[p];
        const double d = 1 + b * u, q = b * v, room = (1 - s) / (d * d + q * q);
        const double along = B->c[p] * (s + ((u + b) * d + q * v) * room);
        const double across = B->c[p] * (v * (1 - b * b) * room);
        out[2 * p] = tx * along - ty * across, out[2 * p + 1] = tx * across + ty * along;
#endif
    }
}

/* Hands `used` cells over; returns how many are outside the range or not finite. */
inlined int64_t hand_over(int used, const double *found, const float *worst, double *out, float *beyond) {
    int32_t guarded = 0;
    for (int p = 0; p < used; p++) {
        const double x = found[2 * p], y = found[2 * p + 1];
        out[2 * p] = x, out[2 * p + 1] = y, beyond[p] = worst[p];
        guarded += !(worst[p] <= 0) | !(fabs(x + y) <= 1e300);
    }
    return guarded;
}

/* weights: W_0, b_0, W_1, b_1, ... of the layers; middle, inverse: the range of evens and odds or NULL.
 * Returns the number of cells that are outside it or not finite. */
int64_t spin(int64_t n, const double *c, const double *f1, const double *f2, const double *e, const double *w,
             const double *const *scalars, const float *const *weights, const float *scales, const float *middle,
             const float *inverse, const double *table, int64_t nodes, double *out, float *beyond) {
    _Alignas(64) Block B;
    _Alignas(64) float x[MOST + 1][P], y[MOST + 1][P], worst[P];
    _Alignas(64) double u[P], v[P], found[2 * P];
    int64_t guarded = 0;
    for (int p = 0; p < P; p++) worst[p] = -1;
    for (int64_t from = 0; from < n; from += P) {
        const int used = n - from < P ? (int)(n - from) : P;
        /* a whole block is read and written in one piece */
        if (used == P) look(&B, from, P, c, f1, f2, e, w, scalars);
        else look(&B, from, used, c, f1, f2, e, w, scalars);
        if (middle) judge(&B, middle, inverse, worst);
        scale(&B, scales, x);
        first(weights[0], weights[1], x, y);
        for (int l = 1; l < DEPTH; l++) {
            float(*from_x)[P] = l % 2 ? y : x, (*to)[P] = l % 2 ? x : y;
            middle_layer(weights[2 * l], weights[2 * l + 1], from_x, to);
        }
        float(*hidden)[P] = DEPTH % 2 ? y : x, (*result)[P] = DEPTH % 2 ? x : y;
        last(weights[2 * DEPTH], weights[2 * DEPTH + 1], hidden, result);
        shrink(&B, result, u, v), place(&B, u, v, table, nodes, found);
        if (used == P) guarded += hand_over(P, found, worst, out + 2 * from, beyond + from);
        else guarded += hand_over(used, found, worst, out + 2 * from, beyond + from);
    }
    return guarded;
}
