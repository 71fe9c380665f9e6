/* Multigrid cycles over aggregates with Chebyshev-Jacobi smoothers, on the rows of one rank.
 *
 * Level l holds A (n rows, columns from n on of other ranks), 1/diag A, and which aggregate each row belongs to,
 * with NB weights. A vector has room for the columns of other ranks; `halo` fills it. Smoothing is the polynomial
 * of degree k on [lo, hi] before and after, so that the cycle is symmetric; `mixed` mixes in those of lower degrees.
 * A coarse problem is solved by one cycle (V), by two Chebyshev steps on [a, b] of the next cycle, or by two steps of
 * flexible conjugate gradients.
 *
 * Rows come in bundles of LANES. Where few distances from row to column occur in one, as on grids, what its rows have at
 * a distance stands together, zeros where they have nothing, and distances are kept once: neither columns nor gathers
 * are needed. That takes up to SPREAD times the entries; rows of other bundles stand one behind the other, after their
 * lengths. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#if BITS == 64
typedef double real;
#else
typedef float real;
#endif
#if BITS == 16 /* the upper half of a float: 8 bits of precision, for entries only */
typedef uint16_t entry;
#else
typedef real entry;
#endif
#define LANES 16
#define SPREAD 3
/* A bundle is computed in pieces of the processor's registers: compilers keep longer vectors in memory. */
#if defined(__AVX512F__)
#define REGISTER 64
#elif defined(__AVX__)
#define REGISTER 32
#else
#define REGISTER 16
#endif
#define PIECE ((int64_t)(REGISTER / sizeof(real)))
#define PIECES (LANES / PIECE)
#define EACH(i, n) for (int64_t i = 0; i < (n); i++)
typedef struct {
    int64_t n, width, coarse, columns; /* rows, columns, rows of the next level, columns of P in a row */
    const int64_t *start, *where; /* of a bundle: first entry in `val`, first number in `index` */
    const int32_t *index, *names;
    const entry *val;
    const real *sums, *inverse, *weights; /* sums of rows; inverse: of the diagonal, or of a last dense matrix */
    double lo, hi, a, b;                        /* a = b = 0: one cycle */
    const double *mixed;                        /* W_1 … W_k of `smooth`, or none */
    int64_t degree, dense;
    real *x, *y, *d, *f, *s, *q; /* work: two iterates, a step; right-hand side, sum and step of a coarse problem */
    real *o;                     /* and what is mixed of iterates */
} Level;
typedef struct {
    Level *levels;
    int64_t count, krylov, shared;
    void (*halo)(int64_t, real *);
    void (*sum)(double *, int64_t);
    void (*bottom)(const real *, real *);
} Grid;

/* Σ_j a_ij (x_j - x_i) + (Σ_j a_ij) x_i: where x hardly varies, as in a channel, large entries do not cancel, and
 * rounding of the entries leaves the row's sum, which is what holds x, as it is. */
typedef real lanes __attribute__((vector_size(PIECE * sizeof(real)), aligned(sizeof(real)), may_alias));
static inline lanes load(const real *at) { return *(const lanes *)at; }
#if BITS == 16
typedef uint16_t halves __attribute__((vector_size(PIECE * 2), aligned(2), may_alias));
typedef uint32_t wholes __attribute__((vector_size(PIECE * 4)));
static inline lanes entries(const entry *at) {
    return (lanes)(__builtin_convertvector(*(const halves *)at, wholes) << 16);
}
static inline real single(entry e) {
    const union { uint32_t bits; float value; } u = {(uint32_t)e << 16};
    return u.value;
}
static inline entry stored(double value) { /* to the nearest, ties to even */
    const union { float value; uint32_t bits; } u = {(float)value};
    return (entry)((u.bits + 0x7fff + ((u.bits >> 16) & 1)) >> 16);
}
#else
static inline lanes entries(const entry *at) { return load(at); }
static inline real single(entry e) { return e; }
static inline entry stored(double value) { return (entry)value; }
#endif

/* Single loads: the processor's gathers take longer. */
__attribute__((optimize("no-tree-vectorize"), noinline)) static void scattered(
    const entry *restrict v, const int32_t *restrict index, const real *x, const real *here, const real *sums,
    real *restrict sum) {
    const int32_t *lengths = index;
    index += LANES;
    EACH(lane, LANES) {
        const int64_t width = lengths[lane];
        const real middle = here[lane];
        real part[4] = {0, 0, 0, 0}; /* sums that need not wait for each other */
        int64_t k = 0;
        for (; k + 4 <= width; k += 4) EACH(p, 4) part[p] += single(v[k + p]) * (x[index[k + p]] - middle);
        for (; k < width; k++) part[0] += single(v[k]) * (x[index[k]] - middle);
        sum[lane] = sums[lane] * middle + ((part[0] + part[1]) + (part[2] + part[3]));
        v += width, index += width;
    }
}

static inline void rows(const Level *L, int64_t c, const real *x, real *restrict sum) {
    const int64_t width = L->where[c + 1] - L->where[c];
    const real *here = x + c * LANES, *sums = L->sums + c * LANES;
    const entry *restrict v = L->val + L->start[c];
    const int32_t *index = L->index + L->where[c];
    if (width * LANES != L->start[c + 1] - L->start[c]) {
        scattered(v, index, x, here, sums, sum);
        return;
    }
    lanes middle[PIECES], found[PIECES];
    EACH(p, PIECES) middle[p] = load(here + p * PIECE), found[p] = load(sums + p * PIECE) * middle[p];
    for (int64_t k = 0; k < width; k++, v += LANES) {
        const real *there = here + index[k];
        EACH(p, PIECES) found[p] += entries(v + p * PIECE) * (load(there + p * PIECE) - middle[p]);
    }
    EACH(p, PIECES) *(lanes *)(sum + p * PIECE) = found[p];
}

/* Run `body` for every row i of the level, with `ax` = (A x)_i; `apart`: rows at a time, as none reads what another
 * writes. */
#define APART _Pragma("GCC ivdep")
#define IN_TURN
#define SWEEP(L, x, apart, body)                                          \
    for (int64_t c_ = 0; c_ * LANES < (L)->n; c_++) {                     \
        real sum_[LANES];                                                 \
        rows(L, c_, x, sum_);                                             \
        const int64_t first_ = c_ * LANES, left_ = (L)->n - first_;       \
        if (left_ >= LANES) {                                             \
            apart for (int64_t lane_ = 0; lane_ < LANES; lane_++) {       \
                const int64_t i = first_ + lane_;                         \
                const real ax = sum_[lane_];                              \
                body                                                      \
            }                                                             \
        } else                                                            \
            for (int64_t lane_ = 0; lane_ < left_; lane_++) {             \
                const int64_t i = first_ + lane_;                         \
                const real ax = sum_[lane_];                              \
                body                                                      \
            }                                                             \
    }

/* Distances from row to column that occur in a bundle, in the order in which they are met, and where each of them was
 * found by its last digits. */
typedef struct {
    int32_t *found, count, guess[1 << 10];
} Distances;

/* Where a distance stands, `count` if nowhere. */
static inline int32_t place(Distances *D, int32_t away) {
    int32_t *guess = &D->guess[away & 0x3ff], k = *guess;
    if (k < D->count && D->found[k] == away) return k;
    for (k = 0; k < D->count && D->found[k] != away;) k++;
    return *guess = k;
}

/* Find the distances of a full bundle; whether they are not more than `most`, and whether from all of its rows a column
 * so far away can be read. */
static int distances(Distances *D, int64_t first, const int32_t *ptr, const int32_t *col, int64_t columns, int32_t most) {
    D->count = 0;
    for (int64_t i = first; i < first + LANES; i++)
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
            const int32_t away = (int32_t)(col[k] - i);
            if (place(D, away) < D->count) continue;
            if (D->count == most || first + away < 0 || first + away >= columns) return 0;
            D->found[D->count++] = away;
        }
    return D->count > 0;
}

/* The entries of a bundle side by side, those of each distance together; zeros where a row has none. */
static void abreast(Distances *D, int64_t first, const int32_t *ptr, const int32_t *col, const double *values, entry *val) {
    memset(val, 0, (size_t)D->count * LANES * sizeof *val);
    for (int64_t i = first; i < first + LANES; i++)
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++)
            val[place(D, (int32_t)(col[k] - i)) * LANES + i - first] = stored(values[k]);
}

/* Bundles of the rows: fills start and where (bundles + 1), index (room for every entry and the lengths of all rows),
 * and val (room for SPREAD times the entries). */
void bundle(int64_t n, const int32_t *ptr, const int32_t *col, const double *values, int64_t columns, int64_t *start,
            int64_t *where, int32_t *index, entry *val) {
    Distances D = {0};
    start[0] = where[0] = 0;
    for (int64_t c = 0; c * LANES < n; c++) {
        const int64_t first = c * LANES, last = first + LANES < n ? first + LANES : n;
        const int32_t begin = ptr[first], count = ptr[last] - begin;
        int32_t *at = D.found = index + where[c];
        if (last - first == LANES && distances(&D, first, ptr, col, columns, SPREAD * count / LANES)) {
            abreast(&D, first, ptr, col, values, val + start[c]);
            start[c + 1] = start[c] + D.count * LANES, where[c + 1] = where[c] + D.count;
            continue;
        }
        EACH(lane, LANES) at[lane] = first + lane < n ? ptr[first + lane + 1] - ptr[first + lane] : 0;
        memcpy(at + LANES, col + begin, count * sizeof *at);
        for (int32_t k = 0; k < count; k++) val[start[c] + k] = stored(values[begin + k]);
        start[c + 1] = start[c] + count, where[c + 1] = where[c] + LANES + count;
    }
}

static void fill(const Grid *g, int64_t l, real *x) {
    if (g->shared) g->halo(l, x);
}

/* x ← x + p(D⁻¹A) D⁻¹ (b - A x); `zero`: x is zero before and need not be. Of all iterates x_j, Σ ω_j x_j with
 * Σ ω_j = 1 is x_0 + Σ_j W_j (x_j - x_{j-1}), W_j = ω_j + … + ω_k. Returns the iterate. */
static real *smooth(const Grid *g, int64_t l, const real *b, int zero) {
    Level *L = &g->levels[l];
    const double theta = (L->hi + L->lo) / 2, delta = (L->hi - L->lo) / 2;
    double rho = delta / theta;
    for (int64_t k = 0; k < L->degree; k++) {
        real alpha = 0, beta = (real)(1 / theta);
        const real w = L->mixed ? (real)L->mixed[k] : 1;
        if (k) {
            const double next = 1 / (2 * theta / delta - rho);
            alpha = (real)(next * rho), beta = (real)(2 * next / delta), rho = next;
        }
        real *restrict x = L->x, *restrict y = L->y, *restrict d = L->d, *restrict o = L->o;
        if (k == 0 && zero) {
            for (int64_t i = 0; i < L->n; i++) x[i] = d[i] = beta * L->inverse[i] * b[i];
            for (int64_t i = 0; o && i < L->n; i++) o[i] = w * d[i];
            continue;
        }
        fill(g, l, x);
        const real *restrict inverse = L->inverse;
        if (k == 0 && !o)
            SWEEP(L, x, APART, d[i] = beta * inverse[i] * (b[i] - ax); y[i] = x[i] + d[i];)
        else if (k == 0)
            SWEEP(L, x, APART, d[i] = beta * inverse[i] * (b[i] - ax); y[i] = x[i] + d[i]; o[i] = x[i] + w * d[i];)
        else if (!o)
            SWEEP(L, x, APART, d[i] = alpha * d[i] + beta * inverse[i] * (b[i] - ax); y[i] = x[i] + d[i];)
        else
            SWEEP(L, x, APART, d[i] = alpha * d[i] + beta * inverse[i] * (b[i] - ax); y[i] = x[i] + d[i]; o[i] += w * d[i];)
        L->x = y, L->y = x;
    }
    if (L->o) {
        real *mixed = L->o;
        L->o = L->x, L->x = mixed;
    }
    return L->x;
}

static void restrict_residual(const Grid *g, int64_t l, const real *b, real *c) {
    Level *L = &g->levels[l];
    fill(g, l, L->x);
    memset(c, 0, L->coarse * sizeof *c);
    if (L->columns == 1 && !L->weights) {
        SWEEP(L, L->x, IN_TURN, if (L->names[i] >= 0) c[L->names[i]] += b[i] - ax;)
        return;
    }
    const int64_t m = L->columns;
    SWEEP(L, L->x, IN_TURN, if (L->names[i] >= 0) EACH(k, m) c[L->names[i] * m + k] += L->weights[i * m + k] * (b[i] - ax);)
}

static void prolong(const Level *L, const real *c, real *x) {
    if (L->columns == 1 && !L->weights) {
        for (int64_t i = 0; i < L->n; i++)
            if (L->names[i] >= 0) x[i] += c[L->names[i]];
        return;
    }
    for (int64_t i = 0; i < L->n; i++) {
        if (L->names[i] < 0) continue;
        real s = 0;
        for (int64_t k = 0; k < L->columns; k++) s += L->weights[i * L->columns + k] * c[L->names[i] * L->columns + k];
        x[i] += s;
    }
}

static void multiply(const Grid *g, int64_t l, real *x, real *y) {
    const Level *L = &g->levels[l];
    fill(g, l, x);
    SWEEP(L, x, APART, y[i] = ax;)
}

static const real *coarse(const Grid *g, int64_t l);

/* One cycle from level l on, for b; the result stays on the level until its next cycle. */
static const real *cycle(const Grid *g, int64_t l, const real *b) {
    Level *L = &g->levels[l];
    if (L->dense) {
        for (int64_t i = 0; i < L->n; i++) {
            real s = 0;
            for (int64_t j = 0; j < L->n; j++) s += L->inverse[i * L->n + j] * b[j];
            L->x[i] = s;
        }
        return L->x;
    }
    if (l + 1 == g->count && g->bottom) {
        g->bottom(b, L->x);
        return L->x;
    }
    smooth(g, l, b, 1);
    if (l + 1 == g->count) return smooth(g, l, b, 0);
    restrict_residual(g, l, b, g->levels[l + 1].f);
    prolong(L, coarse(g, l + 1), L->x);
    return smooth(g, l, b, 0);
}

static const real *chebyshev(const Grid *g, int64_t l) {
    const Level *L = &g->levels[l];
    const double theta = (L->b + L->a) / 2, delta = (L->b - L->a) / 2, rho = delta / theta;
    const double next = 1 / (2 * theta / delta - rho);
    const real first = (real)(1 / theta), alpha = (real)(next * rho), beta = (real)(2 * next / delta);
    real *restrict f = L->f, *restrict s = L->s, *restrict q = L->q;
    const real *z = cycle(g, l, f);
    for (int64_t i = 0; i < L->n; i++) s[i] = first * z[i];
    multiply(g, l, s, q);
    for (int64_t i = 0; i < L->n; i++) q[i] = f[i] - q[i];
    z = cycle(g, l, q);
    for (int64_t i = 0; i < L->n; i++) s[i] += alpha * s[i] + beta * z[i];
    return s;
}

/* Two steps of flexible conjugate gradients: s = α₁ z₁ + α₂ d₂, d₂ = z₂ - (z₂ᵀA z₁ / z₁ᵀA z₁) z₁. */
static const real *conjugate(const Grid *g, int64_t l) {
    const Level *L = &g->levels[l];
    real *f = L->f, *s = L->s, *q = L->q;
    double t[3] = {0, 0, 0};
    const real *z = cycle(g, l, f);
    memcpy(s, z, L->n * sizeof *s);
    multiply(g, l, s, q);
    for (int64_t i = 0; i < L->n; i++) t[0] += (double)s[i] * q[i], t[1] += (double)s[i] * f[i];
    if (g->shared) g->sum(t, 2);
    if (!(t[0] > 0)) return s;
    const double first = t[1] / t[0], energy = t[0];
    real *p = L->q; /* A z₁ gives way to the residual; its product with z₂ is (f - r)/α₁ */
    for (int64_t i = 0; i < L->n; i++) p[i] = f[i] - (real)first * p[i];
    z = cycle(g, l, p);
    real *y = L->y;
    memcpy(y, z, L->n * sizeof *y);
    real *w = L->d;
    multiply(g, l, y, w);
    t[0] = t[1] = t[2] = 0;
    for (int64_t i = 0; i < L->n; i++)
        t[0] += (double)s[i] * w[i], t[1] += (double)y[i] * w[i], t[2] += (double)y[i] * p[i];
    if (g->shared) g->sum(t, 3);
    const double mixed = t[0] / energy, left = t[1] - t[0] * t[0] / energy;
    const double second = left > 0 ? t[2] / left : 0;
    for (int64_t i = 0; i < L->n; i++) s[i] = (real)(first - second * mixed) * s[i] + (real)second * y[i];
    return s;
}

static const real *coarse(const Grid *g, int64_t l) {
    const Level *L = &g->levels[l];
    if (L->dense || l + 1 == g->count) return cycle(g, l, L->f);
    if (g->krylov) return conjugate(g, l);
    return L->b > 0 ? chebyshev(g, l) : cycle(g, l, L->f);
}

/* x = out · M (in · b), M being the cycle from level l on. */
void apply(const Grid *g, int64_t l, double in, double out, const double *b, double *x) {
    Level *L = &g->levels[l];
    for (int64_t i = 0; i < L->n; i++) L->f[i] = (real)(in * b[i]);
    const real *found = cycle(g, l, L->f);
    for (int64_t i = 0; i < L->n; i++) x[i] = out * found[i];
}

/* The same with what coarse problems take for the inverse of A. */
void solve(const Grid *g, int64_t l, double in, double out, const double *b, double *x) {
    Level *L = &g->levels[l];
    for (int64_t i = 0; i < L->n; i++) L->f[i] = (real)(in * b[i]);
    const real *found = coarse(g, l);
    for (int64_t i = 0; i < L->n; i++) x[i] = out * found[i];
}

void product(const Grid *g, int64_t l, const double *x, double *y) {
    Level *L = &g->levels[l];
    for (int64_t i = 0; i < L->n; i++) L->x[i] = (real)x[i];
    multiply(g, l, L->x, L->y);
    for (int64_t i = 0; i < L->n; i++) y[i] = L->y[i];
}
