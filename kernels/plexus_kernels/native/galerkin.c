/* Equilibrium of a Mises body (mises.h) on a basis, with the law at the points of a cubature.
 *
 *   r_j = Σ_k w_k σ(Σ_i γ_i E_i(x_k) + ε_0(x_k)) : E_j(x_k) + f_j,    K_ij = Σ_k w_k E_i : H : E_j
 *
 * f may grow with the coordinates: f_j + Σ_i S_ji γ_i, e.g. of elastic foundations.
 * Points come in blocks of L, the last one filled up with its last point, without weight. Strains are given twice: E_j of a
 * block side by side for the strain and the force, and by rows √c_a E_aj (c = 1 for 11 22 33, 2 for 12 23 31: rows of
 * Mandel's form) for the slope, which is a product of matrices. */
#include "search.h"

#define ROWS (L * T)
#define MOST 50
/* A step is halved until |r| falls by this share of what a line would lose, at most to the least part of it. */
#define ENOUGH_LESS 1e-4
#define LEAST 1e-3
const int64_t lanes = L;

static const double TWICE[T] = {1, 1, 1, 2, 2, 2};
static const double MANDEL[T] = {1, 1, 1, 1.41421356237309504880, 1.41421356237309504880, 1.41421356237309504880};

/* s points in `blocks` blocks, n modes, `columns` the next multiple of L. */
typedef struct {
    int64_t points, blocks, modes, columns;
    const V *strains;   /* (blocks, n, T) */
    const double *rows; /* (blocks, L, T, columns) */
    const V *weights;   /* (blocks) */
    const double *springs; /* S (n, columns) */
} Body;

/* One body under its own conditions: data (8 + 2 KIN, blocks), strain without displacement (T, blocks), memory of the start
 * and of the end, rows of the points. */
typedef struct {
    const V *data, *offset;
    const double *plastic, *p, *backs[SLOTS];
    double *plastic1, *p1, *backs1[SLOTS];
} Case;

inlined double sum(V a) {
    double s = 0;
    for (int l = 0; l < L; l++) s += a[l];
    return s;
}

/* Look at block i. */
static void begin(const Body *m, const Case *c, double dt, const double *g, int64_t i, Local *p) {
    const V *E = m->strains + i * m->modes * T, *d = c->data + i;
    V e[T];
    p->at = block(i * L, m->points);
    for (int k = 0; k < T; k++) e[k] = c->offset[k * m->blocks + i];
    for (int64_t j = 0; j < m->modes; j++)
        for (int k = 0; k < T; k++) e[k] += g[j] * E[j * T + k];
    load(c->plastic, &p->at, p->plastic);
    p->kappa = d[0], p->mu = d[m->blocks], p->limit = d[2 * m->blocks], p->slope = d[3 * m->blocks];
    p->gain = d[4 * m->blocks], p->rate = d[5 * m->blocks], p->viscosity = d[6 * m->blocks], p->power = d[7 * m->blocks];
    for (int k = 0; k < KIN; k++) {
        p->modulus[k] = d[(8 + 2 * k) * m->blocks], p->recall[k] = d[(9 + 2 * k) * m->blocks];
        load(c->backs[k], &p->at, p->back[k]);
    }
    p->before = take(c->p, &p->at), p->logdt = all(dt > 0 ? __builtin_log(dt) : 0.0), p->voce = grows(p);
    attempt(p, dt, e);
}

/* Add the force of block i to that of each mode (n), put its weighted slope in Mandel's form (T, T) into H, and the memory at
 * the end of the step where it belongs. */
static void finish(const Body *m, const Case *c, int64_t i, const Local *p, V *scratch, V *H) {
    const V *E = m->strains + i * m->modes * T;
    V s[T];
    Slope slope;
    remember(p, c->plastic1, c->backs1, c->p1);
    stress(p, s), tangent(p, &slope);
    for (int k = 0; k < T; k++) s[k] *= TWICE[k] * m->weights[i];
    for (int64_t j = 0; j < m->modes; j++)
        for (int k = 0; k < T; k++) scratch[j] += s[k] * E[j * T + k];
    for (int k = 0; k < T; k++)
        for (int q = 0; q < T; q++) {
            V h = slope.left[k] * slope.right[q] * (MANDEL[k] * MANDEL[q]);
            if (k < 3 && q < 3) h += slope.volume;
            if (k == q) h += slope.unit;
            H[k * T + q] = m->weights[i] * h;
        }
}

/* Add the force of own points to r (n), put the weighted slopes in Mandel's form (blocks, T, T) into H, and the memory
 * at the end of the step where it belongs. */
static void force(const Body *m, const Case *c, double dt, const double *g, double *r, V *H, V *scratch) {
    Local p[TOGETHER];
    for (int64_t j = 0; j < m->modes; j++) scratch[j] = all(0.0);
    for (int64_t first = 0; first < m->blocks; first += TOGETHER) {
        const int count = m->blocks - first < TOGETHER ? (int)(m->blocks - first) : TOGETHER;
        for (int i = 0; i < count; i++) begin(m, c, dt, g, first + i, p + i);
        flow(p, count, 0);
        for (int i = 0; i < count; i++) finish(m, c, first + i, p + i, scratch, H + (first + i) * T * T);
    }
    for (int64_t j = 0; j < m->modes; j++) r[j] += sum(scratch[j]);
}

/* K (n, columns) of own points from the slopes; scratch holds ROWS × columns numbers. */
static void stiffness(const Body *m, const V *H, double *K, double *scratch) {
    const int64_t n = m->modes, w = m->columns;
    for (int64_t i = 0; i < n * w; i++) K[i] = 0;
    for (int64_t i = 0; i < m->blocks; i++) {
        const double *E = m->rows + i * ROWS * w;
        const int64_t rows = T * (m->points - i * L < L ? m->points - i * L : L);
        for (int64_t row = 0; row < rows; row++) {
            const int64_t l = row / T, a = row % T;
            for (int64_t j = 0; j < w; j += L) {
                V s = all(0.0);
                for (int k = 0; k < T; k++) s += H[(i * T + a) * T + k][l] * *(const V *)(E + (l * T + k) * w + j);
                *(V *)(scratch + row * w + j) = s;
            }
        }
        for (int64_t j = 0; j < w; j += L)
            for (int64_t first = 0; first < n; first += 4) {
                /* four rows of K at a time; those beyond n repeat the last one and are not kept */
                const int64_t at[4] = {first, first + 1 < n ? first + 1 : n - 1, first + 2 < n ? first + 2 : n - 1,
                                       first + 3 < n ? first + 3 : n - 1};
                V k[4] = {all(0.0), all(0.0), all(0.0), all(0.0)};
                for (int64_t row = 0; row < rows; row++) {
                    const V s = *(const V *)(scratch + row * w + j);
                    for (int q = 0; q < 4; q++) k[q] += E[row * w + at[q]] * s;
                }
                for (int q = 0; q < 4 && first + q < n; q++) *(V *)(K + (first + q) * w + j) += k[q];
            }
    }
}

/* Solve K x = r in place by elimination with the largest pivot of each column; return whether there was one. */
static int eliminate(int64_t n, int64_t w, double *K, double *r) {
    for (int64_t j = 0; j < n; j++) {
        int64_t best = j;
        for (int64_t i = j + 1; i < n; i++)
            if (__builtin_fabs(K[i * w + j]) > __builtin_fabs(K[best * w + j])) best = i;
        if (!(__builtin_fabs(K[best * w + j]) > 0)) return 0;
        if (best != j) {
            for (int64_t k = 0; k < w; k++) {
                const double swap = K[j * w + k];
                K[j * w + k] = K[best * w + k], K[best * w + k] = swap;
            }
            const double swap = r[j];
            r[j] = r[best], r[best] = swap;
        }
        for (int64_t i = j + 1; i < n; i++) {
            const double f = K[i * w + j] / K[j * w + j];
            /* columns to the left are zero and stay what they are */
            for (int64_t k = j / L * L; k < w; k += L) *(V *)(K + i * w + k) -= f * *(V *)(K + j * w + k);
            r[i] -= f * r[j];
        }
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t k = i + 1; k < n; k++) r[i] -= K[i * w + k] * r[k];
        r[i] /= K[i * w + i];
    }
    return 1;
}

static double norm(int64_t n, const double *a) {
    double s = 0;
    for (int64_t i = 0; i < n; i++) s += a[i] * a[i];
    return __builtin_sqrt(s);
}

/* Force (n) and slope (n, columns) of own points at g; work has room for what `solve` needs. */
void assemble(const Body *m, const Case *c, double dt, const double *g, double *r, double *K, V *work) {
    for (int64_t j = 0; j < m->modes; j++) r[j] = 0;
    V *H = work, *scratch = H + m->blocks * T * T;
    force(m, c, dt, g, r, H, scratch);
    stiffness(m, H, K, (double *)scratch);
}

/* Newton's method with halved steps for each of some bodies on the same basis, from and into g (cases, n), under loads f (cases, n), until
 * |r| ≤ tolerance max(|f|, |r_0|, least). `steps` gets the numbers of Newton steps, -1 where it does not end, and `rest` |r|. */
void solve_cases(const Body *m, int64_t cases, const Case *every, double dt, const double *loads, double tolerance,
                 double least, double *coordinates, int64_t *steps, double *rest, V *work) {
    const int64_t n = m->modes, w = m->columns;
    V *H = work, *scratch = H + m->blocks * T * T;
    double *K = (double *)(scratch + ROWS * w / L + n), *r = K + n * w, *d = r + n;
    for (int64_t i = 0; i < cases; i++) {
        double *g = coordinates + i * n, goal = 0;
        const double *f = loads + i * n;
        steps[i] = -1;
        double last = 0, part = 1;
        for (int64_t count = 0; count < MOST; count++) {
            for (int64_t j = 0; j < n; j++) {
                r[j] = f[j];
                for (int64_t k = 0; k < n; k++) r[j] += m->springs[j * w + k] * g[k];
            }
            force(m, every + i, dt, g, r, H, scratch);
            const double size = norm(n, r), load = norm(n, f);
            rest[i] = size;
            if (!count) goal = tolerance * __builtin_fmax(__builtin_fmax(load, size), __builtin_fmax(least, 1e-300));
            if (size <= goal) {
                steps[i] = count;
                break;
            }
            if (count && !(size <= (1 - ENOUGH_LESS * part) * last) && part > LEAST) {
                /* the step has led too far: half of it */
                part *= 0.5;
                for (int64_t j = 0; j < n; j++) g[j] += part * d[j];
                continue;
            }
            if (!(size <= 1e308)) break;
            stiffness(m, H, K, (double *)scratch);
            for (int64_t j = 0; j < n * w; j++) K[j] += m->springs[j];
            if (!eliminate(n, w, K, r)) break;
            last = size, part = 1;
            for (int64_t j = 0; j < n; j++) d[j] = r[j], g[j] -= r[j];
        }
    }
}
