/* Discrete Fourier transforms of L fields' rows or columns at a time, X_k = scale Σ_j x_j e^{-2πi jk/n}.
 *
 * A panel holds L transforms of length n, one per lane, so that a transform is written once for scalars.
 * It is Stockham's algorithm with radices 8, 4, 2, 3 and 5: pass by pass from one buffer to the other, in order
 * at the end. Columns are loaded as they lie, rows through transposed blocks of L x L numbers. An inverse
 * transform is a forward one with real and imaginary parts exchanged. Two real rows travel as one complex row.
 */
#include "lanes.h"
#include <stdlib.h>

typedef struct {
    V r, i;
} C;
typedef V Loose __attribute__((aligned(8)));
typedef int64_t Index __attribute__((vector_size(8 * L)));

/* n = Π radix, and cos(2πk/n), -sin(2πk/n) for k < n. */
typedef struct {
    int64_t n, passes;
    const int64_t *radix;
    const double *turn;
} Plan;

inlined C plus(C a, C b) { return (C){a.r + b.r, a.i + b.i}; }
inlined C minus(C a, C b) { return (C){a.r - b.r, a.i - b.i}; }
inlined C rotated(C a) { return (C){a.i, -a.r}; } /* -i a */
inlined C times(C a, double x) { return (C){a.r * x, a.i * x}; }
inlined C turned(C a, const double *w) { return (C){a.r * w[0] - a.i * w[1], a.r * w[1] + a.i * w[0]}; }

/* Four numbers. */
inlined void four(C x0, C x1, C x2, C x3, C *y) {
    const C a = plus(x0, x2), b = minus(x0, x2), c = plus(x1, x3), d = rotated(minus(x1, x3));
    y[0] = plus(a, c), y[1] = plus(b, d), y[2] = minus(a, c), y[3] = minus(b, d);
}

/* y = transform of r numbers x. */
inlined void small(int64_t r, const C *x, C *y) {
    if (r == 2) {
        y[0] = plus(x[0], x[1]), y[1] = minus(x[0], x[1]);
    } else if (r == 4) {
        four(x[0], x[1], x[2], x[3], y);
    } else if (r == 8) {
        const double h = 0.70710678118654752440;
        C even[4], odd[4];
        four(x[0], x[2], x[4], x[6], even), four(x[1], x[3], x[5], x[7], odd);
        odd[1] = times((C){odd[1].r + odd[1].i, odd[1].i - odd[1].r}, h);
        odd[2] = rotated(odd[2]);
        odd[3] = times((C){odd[3].i - odd[3].r, -odd[3].r - odd[3].i}, h);
        for (int k = 0; k < 4; k++) y[k] = plus(even[k], odd[k]), y[k + 4] = minus(even[k], odd[k]);
    } else if (r == 3) {
        const C a = plus(x[1], x[2]), b = times(rotated(minus(x[1], x[2])), 0.86602540378443864676);
        const C c = minus(x[0], times(a, 0.5));
        y[0] = plus(x[0], a), y[1] = plus(c, b), y[2] = minus(c, b);
    } else {
        const double c1 = 0.30901699437494742410, c2 = -0.80901699437494742410;
        const double s1 = 0.95105651629515357212, s2 = 0.58778525229247312917;
        const C a = plus(x[1], x[4]), b = plus(x[2], x[3]);
        const C c = rotated(minus(x[1], x[4])), d = rotated(minus(x[2], x[3]));
        const C e = plus(x[0], plus(times(a, c1), times(b, c2))), f = plus(x[0], plus(times(a, c2), times(b, c1)));
        const C g = plus(times(c, s1), times(d, s2)), h = minus(times(c, s2), times(d, s1));
        y[0] = plus(x[0], plus(a, b));
        y[1] = plus(e, g), y[2] = plus(f, h), y[3] = minus(f, h), y[4] = minus(e, g);
    }
}

/* One pass: m groups of radix r, s transforms that are already apart. */
inlined void pass(int64_t r, const Plan *plan, int64_t m, int64_t s, const C *x, C *y) {
    for (int64_t p = 0; p < m; p++)
        for (int64_t q = 0; q < s; q++) {
            C in[8], out[8];
            for (int64_t j = 0; j < r; j++) in[j] = x[q + s * (p + m * j)];
            small(r, in, out);
            C *to = y + q + s * r * p;
            to[0] = out[0];
            for (int64_t j = 1; j < r; j++) to[s * j] = p ? turned(out[j], plan->turn + 2 * p * j * s) : out[j];
        }
}

/* Transforms the n numbers of x with the help of y; returns the buffer that holds the result. */
static C *transform(const Plan *plan, C *x, C *y) {
    int64_t m = plan->n, s = 1;
    for (int64_t i = 0; i < plan->passes; i++) {
        const int64_t r = plan->radix[i];
        m /= r;
        if (r == 8) pass(8, plan, m, s, x, y);
        else if (r == 4) pass(4, plan, m, s, x, y);
        else if (r == 2) pass(2, plan, m, s, x, y);
        else if (r == 3) pass(3, plan, m, s, x, y);
        else pass(5, plan, m, s, x, y);
        s *= r;
        C *z = x;
        x = y, y = z;
    }
    return x;
}

/* v[i][j] <-> v[j][i] by log2 L exchanges of ever larger blocks. */
inlined void transpose(V v[L]) {
#pragma GCC unroll 4
    for (int d = 1; d < L; d *= 2) {
        Index low, high;
#pragma GCC unroll 8
        for (int j = 0; j < L; j++) low[j] = j & d ? L + j - d : j, high[j] = j & d ? L + j : j + d;
#pragma GCC unroll 8
        for (int i = 0; i < L; i++)
            if (!(i & d)) {
                const V a = v[i], b = v[i + d];
                v[i] = __builtin_shuffle(a, b, low), v[i + d] = __builtin_shuffle(a, b, high);
            }
    }
}

/* v[j] = number k + j of each lane's row, j < count; count is L except at the end of the rows. */
inlined void take(double *const row[L], int64_t k, int64_t count, V v[L]) {
    if (count == L) {
#pragma GCC unroll 8
        for (int l = 0; l < L; l++) v[l] = *(const Loose *)(row[l] + k);
        transpose(v);
    } else
        for (int j = 0; j < count; j++)
            for (int l = 0; l < L; l++) v[j][l] = row[l][k + j];
}

/* The way back; destroys v. */
inlined void put(double *const row[L], int64_t k, int64_t count, V v[L]) {
    if (count == L) {
        transpose(v);
#pragma GCC unroll 8
        for (int l = 0; l < L; l++) *(Loose *)(row[l] + k) = v[l];
    } else
        for (int j = 0; j < count; j++)
            for (int l = 0; l < L; l++) row[l][k + j] = v[j][l];
}

/* Body(k, count) for blocks of L of n numbers, and for what remains; the first count is a constant. */
#define BLOCKS(n, body)                              \
    do {                                             \
        int64_t at = 0;                              \
        for (; at + L <= (n); at += L) body(at, L);  \
        if (at < (n)) body(at, (n) - at);            \
    } while (0)

/* Row `offset` of each group of `step` rows from r0 on; lanes beyond the end repeat the last group. */
inlined void rows_of(double *array, int64_t r0, int64_t step, int64_t offset, int64_t count, int64_t length, double *row[L]) {
    const int64_t last = (count - 1) / step * step;
    for (int l = 0; l < L; l++) {
        const int64_t r = (r0 + step * l < last ? r0 + step * l : last) + offset;
        row[l] = array + (r < count ? r : count - 1) * length;
    }
}

/* Complex rows. */
inlined void load_complex(double *const row[L], int64_t k, int64_t count, int inverse, C *x) {
    V v[L];
    take(row, k, count, v);
#pragma GCC unroll 4
    for (int j = 0; j < count; j += 2) x[(k + j) / 2] = inverse ? (C){v[j + 1], v[j]} : (C){v[j], v[j + 1]};
}

inlined void store_complex(double *const row[L], int64_t k, int64_t count, int inverse, const C *z, double scale) {
    V v[L];
#pragma GCC unroll 4
    for (int j = 0; j < count; j += 2) {
        const C c = times(z[(k + j) / 2], scale);
        v[j] = inverse ? c.i : c.r, v[j + 1] = inverse ? c.r : c.i;
    }
    put(row, k, count, v);
}

inlined void complex_rows(const Plan *plan, C *x, C *y, double *in, double *out, int64_t count, int inverse, double scale) {
    const int64_t n = 2 * plan->n;
    double *row[L];
    for (int64_t r0 = 0; r0 < count; r0 += L) {
        rows_of(in, r0, 1, 0, count, n, row);
#define BODY(k, c) load_complex(row, k, c, inverse, x)
        BLOCKS(n, BODY);
#undef BODY
        const C *z = transform(plan, x, y);
        rows_of(out, r0, 1, 0, count, n, row);
#define BODY(k, c) store_complex(row, k, c, inverse, z, scale)
        BLOCKS(n, BODY);
#undef BODY
    }
}

/* Two real rows a, b as one complex row z = a + ib. */
inlined void load_real(double *const a[L], double *const b[L], int64_t k, int64_t count, C *x) {
    V v[L], w[L];
    take(a, k, count, v), take(b, k, count, w);
#pragma GCC unroll 8
    for (int j = 0; j < count; j++) x[k + j] = (C){v[j], w[j]};
}

/* A_f = (Z_f + conj Z_(n-f)) / 2, B_f = (Z_f - conj Z_(n-f)) / 2i. */
inlined void store_modes(double *const a[L], double *const b[L], int64_t k, int64_t count, int64_t n, const C *z, double scale) {
    V v[L], w[L];
#pragma GCC unroll 4
    for (int j = 0; j < count; j += 2) {
        const int64_t f = (k + j) / 2;
        const C c = times(z[f], scale / 2), d = times(z[f ? n - f : 0], scale / 2);
        v[j] = c.r + d.r, v[j + 1] = c.i - d.i;
        w[j] = c.i + d.i, w[j + 1] = d.r - c.r;
    }
    put(a, k, count, v), put(b, k, count, w);
}

/* Real rows to n/2 + 1 modes. */
static void real_rows(const Plan *plan, C *x, C *y, double *in, double *out, int64_t count, double scale) {
    const int64_t n = plan->n, half = 2 * (n / 2 + 1);
    double *a[L], *b[L];
    for (int64_t r0 = 0; r0 < count; r0 += 2 * L) {
        rows_of(in, r0, 2, 0, count, n, a), rows_of(in, r0, 2, 1, count, n, b);
#define BODY(k, c) load_real(a, b, k, c, x)
        BLOCKS(n, BODY);
#undef BODY
        const C *z = transform(plan, x, y);
        rows_of(out, r0, 2, 0, count, half, a), rows_of(out, r0, 2, 1, count, half, b);
#define BODY(k, c) store_modes(a, b, k, c, n, z, scale)
        BLOCKS(half, BODY);
#undef BODY
    }
}

/* Z = A + iB and its other half, with real and imaginary parts exchanged: the transform is an inverse one. */
inlined void load_modes(double *const a[L], double *const b[L], int64_t k, int64_t count, int64_t n, C *x) {
    V v[L], w[L];
    take(a, k, count, v), take(b, k, count, w);
#pragma GCC unroll 4
    for (int j = 0; j < count; j += 2) {
        const int64_t f = (k + j) / 2;
        /* a mode that is its own conjugate is real */
        const double own = f == 0 || 2 * f == n ? 0 : 1;
        const V p = v[j + 1] * own, q = w[j + 1] * own;
        x[f] = (C){p + w[j], v[j] - q};
        if (own) x[n - f] = (C){w[j] - p, v[j] + q};
    }
}

inlined void store_real(double *const a[L], double *const b[L], int64_t k, int64_t count, const C *z, double scale) {
    V v[L], w[L];
#pragma GCC unroll 8
    for (int j = 0; j < count; j++) v[j] = z[k + j].i * scale, w[j] = z[k + j].r * scale;
    put(a, k, count, v), put(b, k, count, w);
}

/* n/2 + 1 modes to real rows. */
static void mode_rows(const Plan *plan, C *x, C *y, double *in, double *out, int64_t count, double scale) {
    const int64_t n = plan->n, half = 2 * (n / 2 + 1);
    double *a[L], *b[L];
    for (int64_t r0 = 0; r0 < count; r0 += 2 * L) {
        rows_of(in, r0, 2, 0, count, half, a), rows_of(in, r0, 2, 1, count, half, b);
#define BODY(k, c) load_modes(a, b, k, c, n, x)
        BLOCKS(half, BODY);
#undef BODY
        const C *z = transform(plan, x, y);
        rows_of(out, r0, 2, 0, count, n, a), rows_of(out, r0, 2, 1, count, n, b);
#define BODY(k, c) store_real(a, b, k, c, z, scale)
        BLOCKS(n, BODY);
#undef BODY
    }
}

/* Middle axis of (outer, n, inner) complex numbers; `in` may be `out`. */
inlined void middle(const Plan *plan, C *x, C *y, double *in, double *out, int64_t outer, int64_t inner, int inverse, double scale) {
    const int64_t n = plan->n, total = outer * inner;
    Index even, odd, low, high;
    for (int j = 0; j < L; j++) {
        even[j] = 2 * j, odd[j] = 2 * j + 1;
        low[j] = j / 2 + (j & 1 ? L : 0), high[j] = (L + j) / 2 + (j & 1 ? L : 0);
    }
    for (int64_t c0 = 0; c0 < total; c0 += L) {
        int64_t at[L];
        for (int l = 0; l < L; l++) {
            const int64_t c = c0 + l < total ? c0 + l : total - 1;
            at[l] = 2 * (c / inner * n * inner + c % inner);
        }
        /* lanes lie side by side except where a panel ends one outer index and begins the next */
        const int together = at[L - 1] == at[0] + 2 * (L - 1);
        for (int64_t k = 0; k < n; k++) {
            const double *from = in + 2 * k * inner;
            V r, i;
            if (together) {
                const V a = *(const Loose *)(from + at[0]), b = *(const Loose *)(from + at[0] + L);
                r = __builtin_shuffle(a, b, even), i = __builtin_shuffle(a, b, odd);
                /* rows are too far apart for the hardware to see the next panel coming */
                __builtin_prefetch(from + at[0] + 2 * L, 0, 2), __builtin_prefetch(from + at[0] + 3 * L, 0, 2);
            } else
                for (int l = 0; l < L; l++) r[l] = from[at[l]], i[l] = from[at[l] + 1];
            x[k] = inverse ? (C){i, r} : (C){r, i};
        }
        const C *z = transform(plan, x, y);
        for (int64_t k = 0; k < n; k++) {
            double *to = out + 2 * k * inner;
            const V r = (inverse ? z[k].i : z[k].r) * scale, i = (inverse ? z[k].r : z[k].i) * scale;
            if (together) {
                *(Loose *)(to + at[0]) = __builtin_shuffle(r, i, low);
                *(Loose *)(to + at[0] + L) = __builtin_shuffle(r, i, high);
            } else
                for (int l = 0; l < L; l++) to[at[l]] = r[l], to[at[l] + 1] = i[l];
        }
    }
}

/* Complex numbers of planes that are transformed together: half a megabyte stays in a core's cache. */
#define TOGETHER (1 << 15)

/* Kind of rows: complex, real to modes, modes to real. */
enum { COMPLEX, REAL, MODES };

static void last(int kind, const Plan *plan, C *x, C *y, double *in, double *out, int64_t count, int inverse, double scale) {
    if (kind == REAL) real_rows(plan, x, y, in, out, count, scale);
    else if (kind == MODES) mode_rows(plan, x, y, in, out, count, scale);
    else if (inverse) complex_rows(plan, x, y, in, out, count, 1, scale);
    else complex_rows(plan, x, y, in, out, count, 0, scale);
}

static void first(const Plan *plan, C *x, C *y, double *in, double *out, int64_t outer, int64_t inner, int inverse, double scale) {
    if (inverse) middle(plan, x, y, in, out, outer, inner, 1, scale);
    else middle(plan, x, y, in, out, outer, inner, 0, scale);
}

static void *room(int64_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }

/* Middle axis of (outer, n, inner) complex numbers. Returns -1 without memory. */
int columns(const Plan *plan, double *in, double *out, int64_t outer, int64_t inner, int inverse, double scale) {
    C *x = room(2 * sizeof(C) * plan->n);
    if (!x) return -1;
    first(plan, x, x + plan->n, in, out, outer, inner, inverse, scale);
    free(x);
    return 0;
}

/* Last axis of `count` rows. Returns -1 without memory. */
int rows(const Plan *plan, int kind, double *in, double *out, int64_t count, int inverse, double scale) {
    C *x = room(2 * sizeof(C) * plan->n);
    if (!x) return -1;
    last(kind, plan, x, x + plan->n, in, out, count, inverse, scale);
    free(x);
    return 0;
}

/* Both axes of `count` planes: rows by plan b, columns by plan a. Returns -1 without memory. */
int planes(const Plan *a, const Plan *b, int kind, double *in, double *out, int64_t count, int inverse, double scale) {
    const int64_t n = a->n > b->n ? a->n : b->n, width = kind == COMPLEX ? b->n : b->n / 2 + 1;
    const int64_t modes = 2 * a->n * width, points = a->n * b->n, group = TOGETHER / (a->n * width) + 1;
    C *x = room(2 * sizeof(C) * n);
    double *between = room(kind == MODES ? sizeof(double) * modes * group : 1);
    if (!x || !between) return free(x), free(between), -1;
    for (int64_t o = 0; o < count; o += group) {
        const int64_t some = count - o < group ? count - o : group;
        if (kind == MODES) {
            first(a, x, x + a->n, in + o * modes, between, some, width, 1, scale);
            last(kind, b, x, x + b->n, between, out + o * points, some * a->n, 1, 1);
        } else {
            double *to = out + o * modes;
            last(kind, b, x, x + b->n, in + o * (kind == REAL ? points : modes), to, some * a->n, inverse, scale);
            first(a, x, x + a->n, to, to, some, width, inverse, 1);
        }
    }
    return free(x), free(between), 0;
}
