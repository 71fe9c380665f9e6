/* Values on both sides of a face, and the flux through it, with their derivatives.
 *
 * Compile-time: VALUES 0 constant, 1 limited slopes, 2 and 3 WENO5 with weights js and z; LIMITER 0 minmod,
 * 1 van Leer, 2 mc, 3 superbee; RIEMANN 0 Rusanov, 1 Godunov. Where a choice between two is a tie, the
 * derivative is the mean of both. */
#include <stdint.h>

#define inlined static inline __attribute__((always_inline))
#if VALUES == 0
#define WIDTH 1
#elif VALUES == 1
#define WIDTH 2
#else
#define WIDTH 3
#endif
#define CELLS (2 * WIDTH)

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
/* What takes longest are divisions: by numbers there are none, and one for all three 1/(r + ε). Products of three
 * stay numbers up to means of 1e50. */
#define SIXTH (1.0 / 6)
#define TAKE                                                                                                  \
    const double s0 = v[0] - 2 * v[1] + v[2], t0 = v[0] - 4 * v[1] + 3 * v[2];                                \
    const double s1 = v[1] - 2 * v[2] + v[3], t1 = v[1] - v[3];                                               \
    const double s2 = v[2] - 2 * v[3] + v[4], t2 = 3 * v[2] - 4 * v[3] + v[4];                                \
    const double r0 = 13.0 / 12 * s0 * s0 + 0.25 * t0 * t0, r1 = 13.0 / 12 * s1 * s1 + 0.25 * t1 * t1,        \
                 r2 = 13.0 / 12 * s2 * s2 + 0.25 * t2 * t2;                                                   \
    const double q0 = SIXTH * (2 * v[0] - 7 * v[1] + 11 * v[2]), q1 = SIXTH * (5 * v[2] - v[1] + 2 * v[3]),   \
                 q2 = SIXTH * (2 * v[2] + 5 * v[3] - v[4]);                                                   \
    WEIGHTS                                                                                                   \
    const double rest = 1 / (w0 + w1 + w2), value = (w0 * q0 + w1 * q1 + w2 * q2) * rest;
#define INVERSES(floor)                                                                                       \
    const double g0 = r0 + (floor), g1 = r1 + (floor), g2 = r2 + (floor), g01 = g0 * g1, whole = 1 / (g01 * g2); \
    const double i0 = g1 * g2 * whole, i1 = g0 * g2 * whole, i2 = g01 * whole;
#if VALUES == 2
#define WEIGHTS                                                                                               \
    INVERSES(epsilon)                                                                                         \
    const double w0 = i0 * i0, w1 = 6 * i1 * i1, w2 = 3 * i2 * i2;
#else
/* ε over the mean square of the means, as in `plexus.spaces.stencils.reconstructions.weno5` */
#define WEIGHTS                                                                                               \
    const double tau = size(r0 - r2),                                                                         \
                 floor = 1e-20 * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2] + v[3] * v[3] + v[4] * v[4]) + 1e-40;   \
    INVERSES(floor)                                                                                           \
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
    const double sixth = SIXTH * rest, c0 = w0 * sixth, c1 = w1 * sixth, c2 = w2 * sixth;
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
