/* Rates of cell means from fluxes through the faces across one axis, and their transpose.
 *
 *     r_i = -(F_(i+1) - F_i)/h,   F = M[F^(P l, P u) - D P S],   f(u) = a u + b u²/2
 *
 * A row holds (n + 2 WIDTH) layers of s numbers, one after the other; faces are n + 1 layers. Number p of a
 * layer of faces lies between cells p + (WIDTH - 1) s and p + WIDTH s of the row, whatever the axis.
 *
 * P takes values in the middles of faces from means over them, M means from values in the middles, as in
 * `plexus.spaces.stencils.averages`. Both need what lies beside: a layer then has e[0] or e[0] x e[1] cells, of
 * which P takes TAKEN / 2 away at each end, and M as many; a and D belong to middles, rates to what is left.
 * Where e[0] is 0, there is one axis or fluxes of means are good enough: P = M = 1.
 *
 * Passes over many faces are functions of their own: inlined, they would only be compiled several times. */
#include "transport.h"

#define apart static __attribute__((noinline))
#define CHUNK 128
#define TAKEN 4
/* Rooms for a piece of the faces that a call needs. */
#define ROOMS 14

/* What holds on the faces at one end: nothing (0), the value and slope given (1), the inner value without
 * slope (2), the flux given (3); s numbers per row, of fluxes as many as rates in a layer. */
typedef struct {
    int64_t kind;
    const double *value, *slope;
    double *to_value, *to_slope;
} End;

/* Rows, layers of cells, numbers of a layer and its extents; b, ε of the weights js, spacing. */
typedef struct {
    int64_t rows, n, s, e[2];
    double b, epsilon, h;
    /* a and D: one number, or one per face */
    int64_t a_varies, d_varies;
    const double *a, *d;
    End end[2];
} Axis;

/* A piece of the faces of a row, all of a layer where something lies beside: how many numbers and the first one
 * of values on faces (m, p), in their middles (k, q), and of means (l, r). */
typedef struct {
    int64_t m, p, k, q, l, r;
} Piece;

/* Derivatives of the values on both sides of up to CHUNK faces. */
typedef struct {
    double below[CELLS - 1][CHUNK], above[CELLS - 1][CHUNK];
} Slants;

#define TAPS(second, fourth) {1 - 2 * (second) + 6 * (fourth), (second) - 4 * (fourth), (fourth)}
static const double MIDDLES[3] = TAPS(-1.0 / 24, 3.0 / 640), MEANS[3] = TAPS(1.0 / 24, -17.0 / 5760);

/* Numbers of a layer after ``less`` cells have been taken from each axis that has more. */
inlined int64_t layer(const Axis *x, int64_t less) {
    if (!x->e[0]) return x->s;
    return (x->e[0] - less) * (x->e[1] ? x->e[1] - less : 1);
}

inlined int64_t longest(const Axis *x) { return x->e[0] ? x->s : CHUNK; }
inlined int64_t tiles(int64_t m) { return (m + CHUNK - 1) / CHUNK; }

/* How many numbers of work there must be for `rates` and `transpose`. */
int64_t room(const Axis *x) {
    return ROOMS * longest(x) + tiles(longest(x)) * (int64_t)(sizeof(Slants) / sizeof(double));
}

inlined Piece piece(const Axis *x, int64_t p) {
    const int64_t left = (x->n + 1) * x->s - p, m = left < CHUNK ? left : CHUNK;
    if (!x->e[0]) return (Piece){m, p, m, p, m, p};
    const int64_t f = p / x->s, k = layer(x, TAKEN), l = layer(x, 2 * TAKEN);
    return (Piece){x->s, p, k, f * k, l, f * l};
}

/* Those of the faces p … p + m - 1 that are faces of an end, in layers of s; its first one is number ``from``. */
typedef struct {
    int64_t from, first, last;
} Part;

inlined Part at_end(const Axis *x, int e, int64_t s, int64_t p, int64_t m) {
    const int64_t from = e ? x->n * s : 0, behind = from + s;
    return (Part){from, from > p ? from : p, behind < p + m ? behind : p + m};
}

/* Σ_k c_k over five neighbours: (outer, n, inner) becomes (outer, n - TAKEN, inner). */
apart void take(const double c[3], int64_t outer, int64_t n, int64_t inner, const double *from, double *restrict to) {
    const int64_t m = (n - TAKEN) * inner;
    for (int64_t o = 0; o < outer; o++, from += n * inner, to += m)
        for (int64_t i = 0; i < m; i++)
            to[i] = c[0] * from[i + 2 * inner] + c[1] * (from[i + inner] + from[i + 3 * inner])
                    + c[2] * (from[i] + from[i + 4 * inner]);
}

/* Its transpose: (outer, n - TAKEN, inner) becomes (outer, n, inner). */
apart void take_t(const double c[3], int64_t outer, int64_t n, int64_t inner, const double *from,
                  double *restrict to) {
    const int64_t m = (n - TAKEN) * inner, whole = TAKEN * inner;
    for (int64_t o = 0; o < outer; o++, from += m, to += n * inner) {
        for (int64_t i = whole; i < m; i++)
            to[i] = c[0] * from[i - 2 * inner] + c[1] * (from[i - inner] + from[i - 3 * inner])
                    + c[2] * (from[i] + from[i - 4 * inner]);
        /* at the ends some neighbours are missing */
        for (int64_t i = 0; i < n * inner; i = i + 1 == whole && m > whole ? m : i + 1) {
            to[i] = 0;
            for (int k = 0; k <= TAKEN; k++) {
                const int64_t at = i - k * inner;
                if (at >= 0 && at < m) to[i] += c[k < 2 ? 2 - k : k - 2] * from[at];
            }
        }
    }
}

/* P or M of a layer from which ``less`` cells are taken already; returns that of both rooms which holds it. */
static double *corrected(const Axis *x, const double c[3], int64_t less, double *field, double *spare) {
    if (!x->e[0]) return field;
    const int64_t first = x->e[0] - less, second = x->e[1] ? x->e[1] - less : 1;
    take(c, 1, first, second, field, spare);
    if (!x->e[1]) return spare;
    take(c, first - TAKEN, second, 1, spare, field);
    return field;
}

/* The transpose, back to a layer from which ``less`` cells are taken. */
static double *corrected_t(const Axis *x, const double c[3], int64_t less, double *field, double *spare) {
    if (!x->e[0]) return field;
    const int64_t first = x->e[0] - less, second = x->e[1] ? x->e[1] - less : 1;
    double *from = field, *to = spare;
    if (x->e[1]) take_t(c, first - TAKEN, second, 1, field, spare), from = spare, to = field;
    take_t(c, 1, first, second, from, to);
    return to;
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

/* A coefficient at places at … at + m - 1. */
apart void spread(const double *from, int64_t varies, int64_t at, int64_t m, double *restrict to) {
    for (int64_t i = 0; i < m; i++) to[i] = from[varies * (at + i)];
}

/* -x y. */
apart void product(const double *x, const double *y, int64_t m, double *restrict to) {
    for (int64_t i = 0; i < m; i++) to[i] = -x[i] * y[i];
}

/* Cells around a face whose first one is ``first``. */
inlined void around(const double *first, int64_t s, double v[CELLS]) {
    for (int j = 0; j < CELLS; j++) v[j] = first[j * s];
}

/* Values on both sides of m faces. */
apart void values(const double *cells, int64_t s, int64_t m, double epsilon, double *restrict lower,
                  double *restrict upper) {
    for (int64_t i = 0; i < m; i++) {
        double v[CELLS];
        around(cells + i, s, v);
        values_of(v, epsilon, lower + i, upper + i);
    }
}

/* The same of up to CHUNK faces, with the derivatives. */
apart void slants(const double *cells, int64_t s, int64_t m, double epsilon, double *restrict lower,
                  double *restrict upper, Slants *restrict to) {
    for (int64_t i = 0; i < m; i++) {
        double v[CELLS], below[CELLS - 1], above[CELLS - 1];
        around(cells + i, s, v);
        values_d(v, epsilon, lower + i, upper + i, below, above);
        for (int j = 0; j < CELLS - 1; j++) to->below[j][i] = below[j], to->above[j][i] = above[j];
    }
}

/* What values on up to CHUNK faces, and slopes times the spacing, give to the cells around them. */
apart void slants_t(const Slants *d, int64_t s, int64_t m, double rest, const double *lower, const double *upper,
                    const double *slope, double *restrict cells) {
    for (int j = 0; j < CELLS; j++) {
        const double across = SLOPE[j] * rest;
        double *to = cells + j * s;
        for (int64_t i = 0; i < m; i++) {
            double total = across * slope[i];
            if (j < CELLS - 1) total += d->below[j][i] * lower[i];
            if (j > 0) total += d->above[j - 1][i] * upper[i];
            to[i] += total;
        }
    }
}

/* Slopes of m faces. */
apart void slopes(double h, const double *cells, int64_t s, int64_t m, double *restrict slope) {
    const double rest = 1 / h;
    for (int64_t i = 0; i < m; i++) {
        double total = 0;
        for (int j = 0; j < CELLS; j++)
            if (SLOPE[j] != 0) total += SLOPE[j] * cells[i + j * s];
        slope[i] = total * rest;
    }
}

/* Riemann fluxes, their derivatives times g with respect to both values, and to a. */
apart void fluxes(const double *a, double b, const double *l, const double *u, int64_t m, double *restrict F) {
    for (int64_t i = 0; i < m; i++) F[i] = flux_of(a[i], b, l[i], u[i]);
}

apart void fluxes_t(const double *a, double b, const double *l, const double *u, const double *g, int64_t m,
                    double *restrict to_l, double *restrict to_u) {
    for (int64_t i = 0; i < m; i++) flux_t(a[i], b, l[i], u[i], g[i], to_l + i, to_u + i);
}

apart void speeds_t(const double *a, double b, const double *l, const double *u, const double *g, int64_t m,
                    double *restrict to_a) {
    for (int64_t i = 0; i < m; i++) to_a[i] = speed_t(a[i], b, l[i], u[i], g[i]);
}

/* What holds at the ends put into values and slopes of a piece of row o. */
apart void put_ends(const Axis *x, int64_t o, Piece z, double *lower, double *upper, double *slope) {
    const int64_t s = x->s;
    for (int e = 0; e < 2; e++) {
        const End *end = &x->end[e];
        if (end->kind != 1 && end->kind != 2) continue;
        const Part these = at_end(x, e, s, z.p, z.m);
        double *outer = e ? upper : lower;
        const double *inner = e ? lower : upper;
        for (int64_t k = these.first; k < these.last; k++) {
            outer[k - z.p] = end->kind == 1 ? end->value[o * s + k - these.from] : inner[k - z.p];
            slope[k - z.p] = end->kind == 1 ? end->slope[o * s + k - these.from] : 0;
        }
    }
}

/* Its transpose. */
apart void put_ends_t(const Axis *x, int64_t o, Piece z, double *lower, double *upper, double *slope) {
    const int64_t s = x->s;
    for (int e = 0; e < 2; e++) {
        const End *end = &x->end[e];
        if (end->kind != 1 && end->kind != 2) continue;
        const Part these = at_end(x, e, s, z.p, z.m);
        double *outer = e ? upper : lower, *inner = e ? lower : upper;
        for (int64_t k = these.first; k < these.last; k++) {
            if (end->kind == 1) {
                end->to_value[o * s + k - these.from] = outer[k - z.p];
                end->to_slope[o * s + k - these.from] = slope[k - z.p];
            } else
                inner[k - z.p] += outer[k - z.p];
            outer[k - z.p] = slope[k - z.p] = 0;
        }
    }
}

/* Add this axis' rates to ``rates`` (rows, n, own layer); work as `room` says. */
void rates(const Axis *x, const double *u, double *rates, double *work) {
    const int64_t s = x->s, own = layer(x, 2 * TAKEN), inner = x->n * own, size = longest(x);
    const int64_t pitch = (x->n + 2 * WIDTH) * s, count = (x->n + 1) * s, middles = (x->n + 1) * layer(x, TAKEN);
    const double rest = 1 / x->h;
    double *lower = work, *upper = lower + size, *slope = upper + size, *F = slope + size, *part = F + size;
    double *spare[3] = {part + size, part + 2 * size, part + 3 * size};
    for (int64_t o = 0; o < x->rows; o++) {
        Piece z;
        for (int64_t p = 0; p < count; p += z.m) {
            z = piece(x, p);
            const double *cells = u + o * pitch + p;
            values(cells, s, z.m, x->epsilon, lower, upper);
            slopes(x->h, cells, s, z.m, slope);
            put_ends(x, o, z, lower, upper, slope);
            const double *l = corrected(x, MIDDLES, 0, lower, spare[0]);
            const double *r = corrected(x, MIDDLES, 0, upper, spare[1]);
            spread(x->a, x->a_varies, o * middles + z.q, z.k, part);
            fluxes(part, x->b, l, r, z.k, F);
            if (x->d) {
                const double *S = corrected(x, MIDDLES, 0, slope, spare[2]);
                spread(x->d, x->d_varies, o * middles + z.q, z.k, part);
                for (int64_t i = 0; i < z.k; i++) F[i] -= part[i] * S[i];
            }
            double *mean = corrected(x, MEANS, TAKEN, F, part);
            for (int e = 0; e < 2; e++) {
                const End *end = &x->end[e];
                if (end->kind != 3) continue;
                const Part these = at_end(x, e, own, z.r, z.l);
                for (int64_t k = these.first; k < these.last; k++)
                    mean[k - z.r] = end->value[o * own + k - these.from];
            }
            double *out = rates + o * inner + z.r;
            const int64_t enter = inner - z.r < z.l ? inner - z.r : z.l, leave = z.r < own ? own - z.r : 0;
            for (int64_t i = 0; i < enter; i++) out[i] += rest * mean[i];
            for (int64_t i = leave; i < z.l; i++) out[i - own] -= rest * mean[i];
        }
    }
}

/* g (rows, n, own layer) times the derivatives of the rates with respect to mean fluxes, those that an end gives
 * apart. */
apart void differences_t(const Axis *x, int64_t o, Piece z, const double *g, double *restrict to) {
    const int64_t own = layer(x, 2 * TAKEN), inner = x->n * own;
    const int64_t enter = inner - z.r < z.l ? inner - z.r : z.l;
    const int64_t leave = z.r < own ? (own - z.r < z.l ? own - z.r : z.l) : 0;
    const double rest = 1 / x->h, *in = g + o * inner + z.r;
    for (int64_t i = 0; i < z.l; i++) to[i] = 0;
    for (int64_t i = 0; i < enter; i++) to[i] = rest * in[i];
    for (int64_t i = leave; i < z.l; i++) to[i] -= rest * in[i - own];
    for (int e = 0; e < 2; e++) {
        if (x->end[e].kind != 3) continue;
        const Part these = at_end(x, e, own, z.r, z.l);
        for (int64_t k = these.first; k < these.last; k++) {
            x->end[e].to_value[o * own + k - these.from] = to[k - z.r];
            to[k - z.r] = 0;
        }
    }
}

/* Add g (rows, n, own layer) times the derivatives of the rates to ``to_u`` (as u), ``to_a`` and ``to_d`` (as a
 * and D; none where not wanted); write those of the ends. */
void transpose(const Axis *x, const double *u, const double *g, double *to_u, double *to_a, double *to_d,
               double *work) {
    const int64_t s = x->s, size = longest(x), pitch = (x->n + 2 * WIDTH) * s, count = (x->n + 1) * s;
    const int64_t middles = (x->n + 1) * layer(x, TAKEN);
    double *at[ROOMS];
    for (int k = 0; k < ROOMS; k++) at[k] = work + k * size;
    double *lower = at[0], *upper = at[1], *slope = at[2], *mean = at[3], *part = at[4];
    double *to_lower = at[5], *to_upper = at[6], *to_slope = at[7], **spare = at + 8;
    Slants *tile = (Slants *)(work + ROOMS * size);
    for (int64_t o = 0; o < x->rows; o++) {
        Piece z;
        for (int64_t p = 0; p < count; p += z.m) {
            z = piece(x, p);
            const double *cells = u + o * pitch + p;
            for (int64_t t = 0; t < tiles(z.m); t++) {
                const int64_t i = t * CHUNK, m = z.m - i < CHUNK ? z.m - i : CHUNK;
                slants(cells + i, s, m, x->epsilon, lower + i, upper + i, tile + t);
            }
            slopes(x->h, cells, s, z.m, slope);
            put_ends(x, o, z, lower, upper, slope);
            const double *l = corrected(x, MIDDLES, 0, lower, spare[0]);
            const double *r = corrected(x, MIDDLES, 0, upper, spare[1]);
            const double *S = corrected(x, MIDDLES, 0, slope, spare[2]);
            differences_t(x, o, z, g, mean);
            const double *to_flux = corrected_t(x, MEANS, TAKEN, mean, part);
            double *also = to_flux == mean ? part : mean;
            spread(x->a, x->a_varies, o * middles + z.q, z.k, also);
            fluxes_t(also, x->b, l, r, to_flux, z.k, to_lower, to_upper);
            if (to_a) {
                speeds_t(also, x->b, l, r, to_flux, z.k, to_slope);
                collect(to_a, x->a_varies, o * middles + z.q, z.k, to_slope);
            }
            if (to_d) {
                product(S, to_flux, z.k, to_slope);
                collect(to_d, x->d_varies, o * middles + z.q, z.k, to_slope);
            }
            if (x->d) {
                spread(x->d, x->d_varies, o * middles + z.q, z.k, also);
                product(also, to_flux, z.k, to_slope);
            } else
                for (int64_t i = 0; i < z.k; i++) to_slope[i] = 0;
            double *to_l = corrected_t(x, MIDDLES, 0, to_lower, spare[3]);
            double *to_r = corrected_t(x, MIDDLES, 0, to_upper, spare[4]);
            double *to_s = corrected_t(x, MIDDLES, 0, to_slope, spare[5]);
            put_ends_t(x, o, z, to_l, to_r, to_s);
            double *out = to_u + o * pitch + p;
            for (int64_t t = 0; t < tiles(z.m); t++) {
                const int64_t i = t * CHUNK, m = z.m - i < CHUNK ? z.m - i : CHUNK;
                slants_t(tile + t, s, m, 1 / x->h, to_l + i, to_r + i, to_s + i, out + i);
            }
        }
    }
}
