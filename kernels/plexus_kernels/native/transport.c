/* Rates of cell means from fluxes through the faces across one axis, and their transpose.
 *
 *     r_i = -(F_(i+1) - F_i)/h,   F = F^(l, u) - D S,   f(u) = a u + b u²/2
 *
 * A row holds (n + 2 WIDTH) layers of s numbers, one after the other; faces are n + 1 layers. Number p of a
 * layer of faces lies between cells p + (WIDTH - 1) s and p + WIDTH s of the row, whatever the axis.
 *
 * Compile-time: VALUES 0 constant, 1 limited slopes, 2 and 3 WENO5 with weights js and z; LIMITER 0 minmod,
 * 1 van Leer, 2 mc, 3 superbee; RIEMANN 0 Rusanov, 1 Godunov. Where a choice between two is a tie, the
 * derivative is the mean of both. */
#include <stdint.h>

#define inlined static inline __attribute__((always_inline))
/* A pass of its own over a chunk: inlined, it would only be compiled several times. */
#define apart static __attribute__((noinline))
#define CHUNK 128
#if VALUES == 0
#define WIDTH 1
#elif VALUES == 1
#define WIDTH 2
#else
#define WIDTH 3
#endif
#define CELLS (2 * WIDTH)

/* What holds on the faces at one end: nothing (0), the value and slope given (1), the inner value without
 * slope (2), the flux given (3); s numbers per row. */
typedef struct {
    int64_t kind;
    const double *value, *slope;
    double *to_value, *to_slope;
} End;

/* Rows, layers of cells, numbers of a layer; b, ε of the weights js, spacing. */
typedef struct {
    int64_t rows, n, s;
    double b, epsilon, h;
    /* a and D: one number, or one per face */
    int64_t a_varies, d_varies;
    const double *a, *d;
    End end[2];
} Axis;

inlined double size(double x) { return __builtin_fabs(x); }
inlined double sign(double x) { return (x > 0 ? 1.0 : 0.0) - (x < 0 ? 1.0 : 0.0); }

/* The share of x where x > y is chosen. */
inlined double share(double x, double y) { return 0.5 + 0.5 * sign(x - y); }

inlined double minmod(double a, double b) {
    return 0.5 * (sign(a) + sign(b)) * (size(a) < size(b) ? size(a) : size(b));
}

/* minmod with its derivatives. */
inlined double minmod_d(double a, double b, double *da, double *db) {
    const double same = sign(a) * sign(b) > 0 ? 1.0 : 0.0, w = share(size(b), size(a));
    *da = same * w, *db = same * (1 - w);
    return minmod(a, b);
}

inlined double limited_d(double a, double b, double *da, double *db) {
#if LIMITER == 0
    return minmod_d(a, b, da, db);
#elif LIMITER == 1
    const double up = a * b > 0 ? 1.0 : 0.0, r = up / (up > 0 ? a + b : 1.0);
    *da = 2 * b * b * r * r, *db = 2 * a * a * r * r;
    return 2 * a * b * r;
#elif LIMITER == 2
    /* the smallest of 2|a|, 2|b| and |a + b|/2 */
    const double A = size(a), B = size(b), C = 0.5 * (A + B), twice = 2 * (A < B ? A : B);
    const double same = a * b > 0 ? 1.0 : 0.0;
    *da = same * (twice < C ? (A < B ? 2.0 : 0.0) : 0.5), *db = same * (twice < C ? (A < B ? 0.0 : 2.0) : 0.5);
    return same * __builtin_copysign(twice < C ? twice : C, a);
#else
    double a0, b0, a1, b1;
    const double v0 = minmod_d(2 * a, b, &a0, &b0), v1 = minmod_d(a, 2 * b, &a1, &b1);
    const double first = size(v0) >= size(v1) ? 1.0 : 0.0;
    *da = first * 2 * a0 + (1 - first) * a1, *db = first * b0 + (1 - first) * 2 * b1;
    return first > 0 ? v0 : v1;
#endif
}

#if VALUES >= 2
#define TAKE                                                                                                  \
    const double s0 = v[0] - 2 * v[1] + v[2], t0 = v[0] - 4 * v[1] + 3 * v[2];                                \
    const double s1 = v[1] - 2 * v[2] + v[3], t1 = v[1] - v[3];                                               \
    const double s2 = v[2] - 2 * v[3] + v[4], t2 = 3 * v[2] - 4 * v[3] + v[4];                                \
    const double r0 = 13.0 / 12 * s0 * s0 + 0.25 * t0 * t0, r1 = 13.0 / 12 * s1 * s1 + 0.25 * t1 * t1,        \
                 r2 = 13.0 / 12 * s2 * s2 + 0.25 * t2 * t2;                                                   \
    const double q0 = (2 * v[0] - 7 * v[1] + 11 * v[2]) / 6, q1 = (5 * v[2] - v[1] + 2 * v[3]) / 6,           \
                 q2 = (2 * v[2] + 5 * v[3] - v[4]) / 6;                                                       \
    WEIGHTS                                                                                                   \
    const double rest = 1 / (w0 + w1 + w2), value = (w0 * q0 + w1 * q1 + w2 * q2) * rest;
#if VALUES == 2
#define WEIGHTS                                                                                               \
    const double i0 = 1 / (r0 + epsilon), i1 = 1 / (r1 + epsilon), i2 = 1 / (r2 + epsilon);                   \
    const double w0 = i0 * i0, w1 = 6 * i1 * i1, w2 = 3 * i2 * i2;
#else
/* ε over the mean square of the means, as in `plexus.spaces.stencils.reconstructions.weno5` */
#define WEIGHTS                                                                                               \
    const double tau = size(r0 - r2),                                                                         \
                 floor = 1e-20 * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2] + v[3] * v[3] + v[4] * v[4]) + 1e-40;   \
    const double i0 = 1 / (r0 + floor), i1 = 1 / (r1 + floor), i2 = 1 / (r2 + floor);                         \
    const double x0 = tau * i0, x1 = tau * i1, x2 = tau * i2;                                                 \
    const double w0 = 1 + x0 * x0, w1 = 6 * (1 + x1 * x1), w2 = 3 * (1 + x2 * x2);
#endif

/* The value between cells 2 and 3 of five. */
inlined double weno(const double v[5], double epsilon) {
    TAKE
    return value;
}

/* That value with its derivatives. */
inlined double weno_d(const double v[5], double epsilon, double d[5]) {
    TAKE
    const double k0 = (q0 - value) * rest, k1 = (q1 - value) * rest, k2 = (q2 - value) * rest;
#if VALUES == 2
    const double b0 = -2 * k0 * w0 * i0, b1 = -2 * k1 * w1 * i1, b2 = -2 * k2 * w2 * i2;
#else
    const double y0 = 2 * k0 * x0 * i0, y1 = 12 * k1 * x1 * i1, y2 = 6 * k2 * x2 * i2;
    const double to_tau = (y0 + y1 + y2) * sign(r0 - r2);
    const double b0 = to_tau - y0 * x0, b1 = -y1 * x1, b2 = -to_tau - y2 * x2;
#endif
    const double c0 = w0 * rest / 6, c1 = w1 * rest / 6, c2 = w2 * rest / 6;
    const double e0 = 13.0 / 6 * s0 * b0, e1 = 13.0 / 6 * s1 * b1, e2 = 13.0 / 6 * s2 * b2;
    const double f0 = 0.5 * t0 * b0, f1 = 0.5 * t1 * b1, f2 = 0.5 * t2 * b2;
    d[0] = 2 * c0 + e0 + f0;
    d[1] = -7 * c0 - 2 * e0 - 4 * f0 - c1 + e1 + f1;
    d[2] = 11 * c0 + e0 + 3 * f0 + 5 * c1 - 2 * e1 + 2 * c2 + e2 + 3 * f2;
    d[3] = 2 * c1 + e1 - f1 + 5 * c2 - 2 * e2 - 4 * f2;
    d[4] = -c2 + e2 + f2;
    return value;
}
#endif

/* Values on both sides of a face. */
inlined void values_of(const double v[CELLS], double epsilon, double *lower, double *upper) {
#if VALUES == 0
    *lower = v[0], *upper = v[1];
#elif VALUES == 1
    double unused, too;
    *lower = v[1] + 0.5 * limited_d(v[1] - v[0], v[2] - v[1], &unused, &too);
    *upper = v[2] - 0.5 * limited_d(v[2] - v[1], v[3] - v[2], &unused, &too);
#else
    const double back[5] = {v[5], v[4], v[3], v[2], v[1]};
    *lower = weno(v, epsilon), *upper = weno(back, epsilon);
#endif
}

/* The same with the derivatives of the lower one in all cells but the last, of the upper one in all but the first. */
inlined void values_d(const double v[CELLS], double epsilon, double *lower, double *upper, double dl[CELLS - 1],
                      double du[CELLS - 1]) {
#if VALUES == 0
    *lower = v[0], *upper = v[1], dl[0] = 1, du[0] = 1;
#elif VALUES == 1
    double a, b, c, e;
    *lower = v[1] + 0.5 * limited_d(v[1] - v[0], v[2] - v[1], &a, &b);
    *upper = v[2] - 0.5 * limited_d(v[2] - v[1], v[3] - v[2], &c, &e);
    dl[0] = -0.5 * a, dl[1] = 1 + 0.5 * (a - b), dl[2] = 0.5 * b;
    du[0] = 0.5 * c, du[1] = 1 - 0.5 * (c - e), du[2] = -0.5 * e;
#else
    const double back[5] = {v[5], v[4], v[3], v[2], v[1]};
    double d[5];
    *lower = weno_d(v, epsilon, dl), *upper = weno_d(back, epsilon, d);
    for (int j = 0; j < 5; j++) du[j] = d[4 - j];
#endif
}

/* The derivative across a face times the spacing, of order 6 with WENO5, else 2. */
#if VALUES >= 2
static const double SLOPE[CELLS] = {-2.0 / 180, 25.0 / 180, -245.0 / 180, 245.0 / 180, -25.0 / 180, 2.0 / 180};
#elif VALUES == 1
static const double SLOPE[CELLS] = {0, -1, 1, 0};
#else
static const double SLOPE[CELLS] = {-1, 1};
#endif

inlined double f_of(double a, double b, double u) { return u * (a + 0.5 * b * u); }

/* A number that is none goes through every choice on one side of its cell at least. */
inlined double larger(double x, double y) { return !(x <= y) ? x : y; }
inlined double smaller(double x, double y) { return !(x >= y) ? x : y; }

inlined double flux_of(double a, double b, double l, double u) {
#if RIEMANN == 0
    const double s = larger(size(a + b * l), size(a + b * u));
    return 0.5 * (f_of(a, b, l) + f_of(a, b, u) - s * (u - l));
#else
    if (b == 0) return a * (a >= 0 ? l : u);
    const double still = -a / b;
    const double one = f_of(a, b, b > 0 ? larger(l, still) : smaller(l, still));
    const double two = f_of(a, b, b > 0 ? smaller(u, still) : larger(u, still));
    return b > 0 ? larger(one, two) : smaller(one, two);
#endif
}

#if RIEMANN == 1
/* Which of both sides gives Godunov's flux of a bent law, and how much of it is the side's value: the rest is
 * the state whose waves stand still. */
typedef struct {
    double still, w, x, one, two, down, up;
} Choice;

inlined Choice choice_of(double a, double b, double l, double u, double g) {
    Choice c;
    const double way = b > 0 ? 1.0 : -1.0;
    c.still = -a / b, c.w = share(way * l, way * c.still), c.x = share(way * c.still, way * u);
    c.down = c.w * l + (1 - c.w) * c.still, c.up = c.x * u + (1 - c.x) * c.still;
    c.one = g * share(way * f_of(a, b, c.down), way * f_of(a, b, c.up)), c.two = g - c.one;
    return c;
}
#endif

/* g times the derivatives of the flux with respect to both values. A tie of speeds has no jump. */
inlined void flux_t(double a, double b, double l, double u, double g, double *to_l, double *to_u) {
#if RIEMANN == 0
    const double vl = a + b * l, vu = a + b * u, half = 0.5 * g, bent = b * (u - l);
    const double first = size(vl), second = size(vu), s = larger(first, second);
    *to_l = half * (vl + s - (first > second ? __builtin_copysign(bent, bent * vl) : 0));
    *to_u = half * (vu - s - (first > second ? 0 : __builtin_copysign(bent, bent * vu)));
#else
    const double forward = a >= 0 ? 1.0 : 0.0;
    if (b == 0) *to_l = g * a * forward, *to_u = g * a * (1 - forward);
    else {
        const Choice c = choice_of(a, b, l, u, g);
        *to_l = c.one * (a + b * c.down) * c.w, *to_u = c.two * (a + b * c.up) * c.x;
    }
#endif
}

/* g times the derivative with respect to a. */
inlined double speed_t(double a, double b, double l, double u, double g) {
#if RIEMANN == 0
    const double vl = a + b * l, vu = a + b * u, w = share(size(vl), size(vu));
    return 0.5 * g * (l + u - (w * sign(vl) + (1 - w) * sign(vu)) * (u - l));
#else
    if (b == 0) return g * (a >= 0 ? l : u);
    /* the still state moves by -da/b */
    const Choice c = choice_of(a, b, l, u, g);
    const double down = c.one * (a + b * c.down), up = c.two * (a + b * c.up);
    return c.one * c.down + c.two * c.up - ((1 - c.w) * down + (1 - c.x) * up) / b;
#endif
}

/* Those of the faces p … p + m - 1 that are faces of an end, whose first one is number ``from``. */
typedef struct {
    int64_t from, first, last;
} Part;

inlined Part at_end(const Axis *x, int e, int64_t p, int64_t m) {
    const int64_t from = e ? x->n * x->s : 0, behind = from + x->s;
    return (Part){from, from > p ? from : p, behind < p + m ? behind : p + m};
}

/* Add parts to one number, or each to its own. */
apart void collect(double *to, int64_t varies, int64_t at, int64_t m, const double *part) {
    if (varies)
        for (int64_t i = 0; i < m; i++) to[at + i] += part[i];
    else {
        double lanes[8] = {0};
        int64_t i = 0;
        for (; i + 8 <= m; i += 8)
            for (int l = 0; l < 8; l++) lanes[l] += part[i + l];
        for (; i < m; i++) lanes[0] += part[i];
        for (int l = 0; l < 8; l++) *to += lanes[l];
    }
}

/* A coefficient on faces at … at + m - 1. */
apart void spread(const double *from, int64_t varies, int64_t at, int64_t m, double *restrict to) {
    for (int64_t i = 0; i < m; i++) to[i] = from[varies * (at + i)];
}

/* Cells around face p. */
inlined void around(const double *row, int64_t p, int64_t s, double v[CELLS]) {
    for (int j = 0; j < CELLS; j++) v[j] = row[p + j * s];
}

/* Slopes of faces p … p + m - 1. */
apart void slopes(const Axis *x, const double *row, int64_t p, int64_t m, double *restrict slope) {
    const double rest = 1 / x->h;
    const int64_t s = x->s;
    for (int64_t i = 0; i < m; i++) {
        double total = 0;
        for (int j = 0; j < CELLS; j++)
            if (SLOPE[j] != 0) total += SLOPE[j] * row[p + i + j * s];
        slope[i] = total * rest;
    }
}

/* What holds at the ends put into values and slopes of faces p … p + m - 1. */
apart void put_ends(const Axis *x, int64_t o, int64_t p, int64_t m, double *lower, double *upper, double *slope) {
    const int64_t s = x->s;
    for (int e = 0; e < 2; e++) {
        const End *end = &x->end[e];
        if (end->kind != 1 && end->kind != 2) continue;
        const Part these = at_end(x, e, p, m);
        double *outer = e ? upper : lower;
        const double *inner = e ? lower : upper;
        for (int64_t k = these.first; k < these.last; k++) {
            outer[k - p] = end->kind == 1 ? end->value[o * s + k - these.from] : inner[k - p];
            slope[k - p] = end->kind == 1 ? end->slope[o * s + k - these.from] : 0;
        }
    }
}

/* Add this axis' rates to ``rates`` (rows, n, s). */
void rates(const Axis *x, const double *u, double *rates) {
    const int64_t s = x->s, inner = x->n * s, count = inner + s, pitch = inner + 2 * WIDTH * s;
    const double rest = 1 / x->h, b = x->b;
    double lower[CHUNK], upper[CHUNK], slope[CHUNK], F[CHUNK], a[CHUNK], d[CHUNK];
    for (int64_t o = 0; o < x->rows; o++) {
        const double *row = u + o * pitch;
        double *out = rates + o * inner;
        for (int64_t p = 0; p < count; p += CHUNK) {
            const int64_t m = count - p < CHUNK ? count - p : CHUNK;
            for (int64_t i = 0; i < m; i++) {
                double v[CELLS];
                around(row, p + i, s, v);
                values_of(v, x->epsilon, lower + i, upper + i);
            }
            slopes(x, row, p, m, slope);
            put_ends(x, o, p, m, lower, upper, slope);
            spread(x->a, x->a_varies, o * count + p, m, a);
            for (int64_t i = 0; i < m; i++) F[i] = flux_of(a[i], b, lower[i], upper[i]);
            if (x->d) {
                spread(x->d, x->d_varies, o * count + p, m, d);
                for (int64_t i = 0; i < m; i++) F[i] -= d[i] * slope[i];
            }
            for (int e = 0; e < 2; e++) {
                const End *end = &x->end[e];
                if (end->kind != 3) continue;
                const Part these = at_end(x, e, p, m);
                for (int64_t k = these.first; k < these.last; k++) F[k - p] = end->value[o * s + k - these.from];
            }
            const int64_t enter = inner - p < m ? inner - p : m, leave = p < s ? s - p : 0;
            for (int64_t i = 0; i < enter; i++) out[p + i] += rest * F[i];
            for (int64_t i = leave; i < m; i++) out[p + i - s] -= rest * F[i];
        }
    }
}

/* Add g (rows, n, s) times the derivatives of the rates to ``to_u`` (as u), ``to_a`` and ``to_d`` (as a and D;
 * none where not wanted); write those of the ends. */
void transpose(const Axis *x, const double *u, const double *g, double *to_u, double *to_a, double *to_d) {
    const int64_t s = x->s, inner = x->n * s, count = inner + s, pitch = inner + 2 * WIDTH * s;
    const double rest = 1 / x->h, b = x->b, eps = x->epsilon;
    double lower[CHUNK], upper[CHUNK], slope[CHUNK], to_flux[CHUNK], to_l[CHUNK], to_up[CHUNK], to_s[CHUNK],
        a[CHUNK], part[CHUNK], dl[CELLS - 1][CHUNK], du[CELLS - 1][CHUNK];
    for (int64_t o = 0; o < x->rows; o++) {
        const double *row = u + o * pitch, *in = g + o * inner;
        double *out = to_u + o * pitch;
        for (int64_t p = 0; p < count; p += CHUNK) {
            const int64_t m = count - p < CHUNK ? count - p : CHUNK;
            const int64_t enter = inner - p < m ? inner - p : m, leave = p < s ? (s - p < m ? s - p : m) : 0;
            for (int64_t i = 0; i < m; i++) {
                double v[CELLS], below[CELLS - 1], above[CELLS - 1];
                around(row, p + i, s, v);
                values_d(v, eps, lower + i, upper + i, below, above);
                for (int j = 0; j < CELLS - 1; j++) dl[j][i] = below[j], du[j][i] = above[j];
            }
            slopes(x, row, p, m, slope);
            put_ends(x, o, p, m, lower, upper, slope);
            for (int64_t i = 0; i < m; i++) to_flux[i] = 0;
            for (int64_t i = 0; i < enter; i++) to_flux[i] = rest * in[p + i];
            for (int64_t i = leave; i < m; i++) to_flux[i] -= rest * in[p + i - s];
            for (int e = 0; e < 2; e++) {
                if (x->end[e].kind != 3) continue;
                const Part these = at_end(x, e, p, m);
                for (int64_t k = these.first; k < these.last; k++) {
                    x->end[e].to_value[o * s + k - these.from] = to_flux[k - p];
                    to_flux[k - p] = 0;
                }
            }
            spread(x->a, x->a_varies, o * count + p, m, a);
            for (int64_t i = 0; i < m; i++) flux_t(a[i], b, lower[i], upper[i], to_flux[i], to_l + i, to_up + i);
            if (to_a) {
                for (int64_t i = 0; i < m; i++) part[i] = speed_t(a[i], b, lower[i], upper[i], to_flux[i]);
                collect(to_a, x->a_varies, o * count + p, m, part);
            }
            for (int64_t i = 0; i < m; i++) to_s[i] = 0;
            if (x->d) {
                spread(x->d, x->d_varies, o * count + p, m, part);
                for (int64_t i = 0; i < m; i++) to_s[i] = -part[i] * to_flux[i];
            }
            if (to_d) {
                for (int64_t i = 0; i < m; i++) part[i] = -slope[i] * to_flux[i];
                collect(to_d, x->d_varies, o * count + p, m, part);
            }
            for (int e = 0; e < 2; e++) {
                const End *end = &x->end[e];
                if (end->kind != 1 && end->kind != 2) continue;
                const Part these = at_end(x, e, p, m);
                double *outer = e ? to_up : to_l, *other = e ? to_l : to_up;
                for (int64_t k = these.first; k < these.last; k++) {
                    if (end->kind == 1) {
                        end->to_value[o * s + k - these.from] = outer[k - p];
                        end->to_slope[o * s + k - these.from] = to_s[k - p];
                    } else
                        other[k - p] += outer[k - p];
                    outer[k - p] = to_s[k - p] = 0;
                }
            }
            for (int j = 0; j < CELLS; j++) {
                const double across = SLOPE[j] * rest;
                double *to = out + p + j * s;
                for (int64_t i = 0; i < m; i++) {
                    double total = across * to_s[i];
                    if (j < CELLS - 1) total += dl[j][i] * to_l[i];
                    if (j > 0) total += du[j - 1][i] * to_up[i];
                    to[i] += total;
                }
            }
        }
    }
}
