/* Aggregates of the rows of a sparse matrix, and the matrix between them. Rows 0 … n-1 are this rank's; columns
 * from n on belong to others. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int32_t root(int32_t *parent, int32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

/* Number the sets of a forest in the order of their first members; -1 stays what it is. */
static int64_t number(int64_t n, int32_t *parent, int32_t *names) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) names[i] = -1;
    for (int64_t i = 0; i < n; i++) {
        if (parent[i] < 0) continue;
        const int32_t top = root(parent, (int32_t)i);
        if (names[top] < 0) names[top] = (int32_t)count++;
    }
    /* a top may stand behind members that need its name, so names of the others come last */
    for (int64_t i = 0; i < n; i++)
        if (parent[i] >= 0 && parent[i] != i) names[i] = names[root(parent, (int32_t)i)];
    return count;
}

/* Of each row: its diagonal entry, the sum of its entries without signs, and their sum, zero where it is what rounding
 * leaves of them. */
void outline(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, double *diagonal, double *size,
             double *held) {
    for (int64_t i = 0; i < n; i++) {
        diagonal[i] = size[i] = held[i] = 0;
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
            size[i] += fabs(val[k]), held[i] += val[k];
            if (col[k] == i) diagonal[i] = val[k];
        }
        if (fabs(held[i]) <= 4 * DBL_EPSILON * size[i]) held[i] = 0;
    }
}

/* Let the rows have the sums `held`: a diagonal that is added up from couplings has none of their cancelling. */
void balance(int64_t n, const int32_t *ptr, const int32_t *col, double *val, const double *held) {
    for (int64_t i = 0; i < n; i++) {
        double rest = held[i];
        int32_t at = -1;
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++)
            if (col[k] == i) at = k;
            else rest -= val[k];
        if (at >= 0) val[at] = rest;
    }
}

static int coupled(int64_t i, const int32_t *ptr, const int32_t *col, const double *val) {
    for (int32_t k = ptr[i]; k < ptr[i + 1]; k++)
        if (col[k] != i && val[k] != 0) return 1;
    return 0;
}

/* Connected components, inside each block of rows, of the couplings |a_ij| > theta sqrt(a_ii a_jj). A row that
 * is coupled to none gets -1. Returns the number of aggregates. */
int64_t components(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, const double *diagonal,
                   double theta, const int64_t *block, int32_t *names, int32_t *parent) {
    for (int64_t i = 0; i < n; i++) parent[i] = coupled(i, ptr, col, val) ? (int32_t)i : -1;
    for (int64_t i = 0; i < n; i++) {
        if (parent[i] < 0) continue;
        for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
            const int32_t j = col[k];
            if (j >= n || j == i || block[j] != block[i] || parent[j] < 0) continue;
            if (val[k] * val[k] <= theta * theta * fabs(diagonal[i] * diagonal[j])) continue;
            const int32_t a = root(parent, (int32_t)i), b = root(parent, j);
            if (a != b) parent[a > b ? a : b] = a > b ? b : a;
        }
    }
    return number(n, parent, names);
}

/* The row of this rank with the strongest negative coupling to row i, among free ones if asked; -1: none. */
static int32_t strongest(int64_t n, int64_t i, const int32_t *ptr, const int32_t *col, const double *val,
                         const int32_t *parent, const int32_t *taken, double *size) {
    int32_t found = -1;
    *size = 0;
    for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
        const int32_t j = col[k];
        if (j == i || j >= n || parent[j] < 0 || (taken && taken[j])) continue;
        if (-val[k] > *size) *size = -val[k], found = j;
    }
    return found;
}

/* Pairs: every row takes the free row to which it has the strongest negative coupling, if that is at least
 * `share` of its strongest one; who finds none joins the pair of its strongest. A row that is coupled to none
 * gets -1. */
int64_t pairs(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, double share, int32_t *names,
              int32_t *parent) {
    for (int64_t i = 0; i < n; i++) parent[i] = coupled(i, ptr, col, val) ? (int32_t)i : -1, names[i] = 0;
    for (int64_t i = 0; i < n; i++) {
        if (parent[i] < 0 || names[i]) continue;
        double best, most;
        names[i] = 1;
        int32_t mate = strongest(n, i, ptr, col, val, parent, names, &best);
        const int32_t other = strongest(n, i, ptr, col, val, parent, 0, &most);
        if (other < 0) continue;
        if (mate < 0 || best < share * most) mate = other;
        names[mate] = 1;
        const int32_t a = root(parent, (int32_t)i), b = root(parent, mate);
        if (a != b) parent[a > b ? a : b] = a > b ? b : a;
    }
    return number(n, parent, names);
}

#ifndef NB
#define NB 1
#endif

/* A_c = Pᵀ A P with rows of P that hold NB numbers w in the columns of one aggregate: names[i] of this rank for
 * rows, target[j] in the coarse numbering with ghosts for columns; -1 is left out. Fills ptr_c (NB·count+1),
 * col_c and val_c (room for NB² times the entries of A). Returns the entries, -1 without memory, -2 beyond 32 bits. */
int64_t galerkin_product(int64_t n, const int32_t *ptr, const int32_t *col, const double *val, const int32_t *names,
                         const int32_t *target, const double *w, int64_t count, int64_t width, int32_t *ptr_c,
                         int32_t *col_c, double *val_c) {
    int32_t *start = calloc(count + 2, sizeof *start), *rows = malloc((n + 1) * sizeof *rows);
    int32_t *place = malloc((width + 1) * sizeof *place), *seen = malloc((width + 1) * sizeof *seen);
    int32_t *list = malloc((width + 1) * sizeof *list);
    double *block = malloc((width + 1) * NB * NB * sizeof *block), *t = malloc((width + 1) * NB * sizeof *t);
    int64_t entries = start && rows && place && seen && list && block && t ? 0 : -1;
    if (entries == 0) {
        memset(place, 0xff, width * sizeof *place), memset(seen, 0xff, width * sizeof *seen);
        for (int64_t i = 0; i < n; i++)
            if (names[i] >= 0) start[names[i] + 2]++;
        for (int64_t I = 0; I < count; I++) start[I + 2] += start[I + 1];
        for (int64_t i = 0; i < n; i++)
            if (names[i] >= 0) rows[start[names[i] + 1]++] = (int32_t)i;
        ptr_c[0] = 0;
    }
    for (int64_t I = 0; I < count && entries >= 0; I++) {
        int64_t found = 0; /* coarse columns of this block row, in list */
        for (int32_t p = start[I]; p < start[I + 1]; p++) {
            const int32_t i = rows[p];
            for (int32_t k = ptr[i]; k < ptr[i + 1]; k++) {
                const int32_t J = target[col[k]];
                if (J < 0) continue;
                if (place[J] < 0) {
                    place[J] = (int32_t)found, list[found] = J;
                    memset(block + found * NB * NB, 0, NB * NB * sizeof *block), found++;
                }
#if NB == 1
                block[place[J]] += w ? w[i] * val[k] * w[col[k]] : val[k];
#else
                if (seen[J] != i) seen[J] = i, memset(t + place[J] * NB, 0, NB * sizeof *t);
                for (int q = 0; q < NB; q++) t[place[J] * NB + q] += val[k] * w[(int64_t)col[k] * NB + q];
#endif
            }
#if NB > 1
            for (int64_t f = 0; f < found; f++) {
                if (seen[list[f]] != i) continue;
                for (int m = 0; m < NB; m++)
                    for (int q = 0; q < NB; q++) block[(f * NB + m) * NB + q] += w[(int64_t)i * NB + m] * t[f * NB + q];
            }
#endif
        }
        if (entries + found * NB * NB > INT32_MAX) { entries = -2; break; }
        for (int m = 0; m < NB; m++) {
            for (int64_t f = 0; f < found; f++)
                for (int q = 0; q < NB; q++) {
                    col_c[entries] = list[f] * NB + q;
                    val_c[entries++] = block[(f * NB + m) * NB + q];
                }
            ptr_c[I * NB + m + 1] = (int32_t)entries;
        }
        for (int64_t f = 0; f < found; f++) place[list[f]] = -1;
    }
    free(start), free(rows), free(place), free(seen), free(list), free(block), free(t);
    return entries;
}
