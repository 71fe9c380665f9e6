/* Symmetric tensors of L points at a time, from and to rows of nine numbers.
 *
 * In lanes they are six numbers 11 22 33 12 23 31 of the tensor itself, so that the double contraction counts the shears
 * twice. */
#include "elementary.h"

#define T 6

static const int ROW[T] = {0, 4, 8, 1, 5, 2}, MIRROR[T] = {0, 4, 8, 3, 7, 6};
/* where the six numbers stand in the nine of a 3 x 3 tensor by rows */
static const int PLACE[9] = {0, 3, 5, 3, 1, 4, 5, 4, 2};

/* Points whose rows are asked for in advance: memory takes as long as a dozen blocks of eight. */
#define AHEAD 96

/* Numbers of a tangent that are asked for in advance, one and a half points, as a store waits for its line. */
#define SOON 120

inlined V dot(const V a[T], const V b[T]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + 2.0 * (a[3] * b[3] + a[4] * b[4] + a[5] * b[5]);
}
inlined V deviate(V a[T]) {
    const V trace = a[0] + a[1] + a[2];
    for (int i = 0; i < 3; i++) a[i] -= (1.0 / 3.0) * trace;
    return trace;
}

/* The points of one block, where the last one is repeated if there are fewer than L; whether they stand side by
 * side, and how far ahead rows are asked for. */
typedef struct {
    I at;
    int lanes, abreast, ahead;
} Block;

static const int64_t NEXT[8] __attribute__((aligned(64))) = {0, 1, 2, 3, 4, 5, 6, 7};

inlined Block block(int64_t first, int64_t count) {
    Block b = {*(const I *)NEXT + first, L, 1, AHEAD};
    if (count - first < L) {
        b.lanes = (int)(count - first), b.abreast = 0;
        for (int l = b.lanes; l < L; l++) b.at[l] = count - 1;
    }
    return b;
}
/* A coefficient at the points of a block, of which a cell has some. */
inlined V datum(Field f, const Block *b, int64_t points) {
    if (!f.cell && !f.point) return all(*f.at);
    V v;
    if (f.cell == points * f.point)
        for (int l = 0; l < L; l++) v[l] = f.at[b->at[l] * f.point];
    else
        for (int l = 0; l < L; l++) v[l] = f.at[b->at[l] / points * f.cell + b->at[l] % points * f.point];
    return v;
}
/* Exchange rows and columns of L × L numbers: halves, quarters, and so on change places. */
inlined void transpose(V a[L]) {
#if L == 8
    for (int i = 0; i < 4; i++) {
        const V x = a[i], y = a[i + 4];
        a[i] = __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11);
        a[i + 4] = __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int k = 0; k < 4; k++) {
        const int i = k / 2 * 4 + k % 2;
        const V x = a[i], y = a[i + 2];
        a[i] = __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13);
        a[i + 2] = __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (int i = 0; i < 8; i += 2) {
        const V x = a[i], y = a[i + 1];
        a[i] = __builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14);
        a[i + 1] = __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15);
    }
#elif L == 4
    for (int i = 0; i < 2; i++) {
        const V x = a[i], y = a[i + 2];
        a[i] = __builtin_shufflevector(x, y, 0, 1, 4, 5), a[i + 2] = __builtin_shufflevector(x, y, 2, 3, 6, 7);
    }
    for (int i = 0; i < 4; i += 2) {
        const V x = a[i], y = a[i + 1];
        a[i] = __builtin_shufflevector(x, y, 0, 4, 2, 6), a[i + 1] = __builtin_shufflevector(x, y, 1, 5, 3, 7);
    }
#else
    const V x = a[0], y = a[1];
    a[0] = (V){x[0], y[0]}, a[1] = (V){x[1], y[1]};
#endif
}

/* Numbers at the points of a block. */
inlined V take(const double *from, const Block *b) {
    if (b->abreast) return *(const Row *)(from + b->at[0]);
    V a;
    for (int l = 0; l < L; l++) a[l] = from[b->at[l]];
    return a;
}
inlined void give(double *to, const Block *b, V a) {
    if (b->abreast)
        *(Row *)(to + b->at[0]) = a;
    else
        for (int l = 0; l < L; l++) to[b->at[l]] = a[l];
}

/* The symmetric part of tensors of nine numbers per point. */
inlined void gather_rows(const double *const from[L], int ahead, V a[T]) {
    V nine[9];
    for (int k = 0; k < 8; k += L) {
        for (int l = 0; l < L; l++) nine[k + l] = *(const Row *)(from[l] + k);
        transpose(nine + k);
    }
    for (int l = 0; l < L; l++) nine[8][l] = from[l][8];
    for (int l = 0; ahead && l < L; l++) __builtin_prefetch(from[l] + 9 * ahead);
    for (int i = 0; i < T; i++) a[i] = i < 3 ? nine[ROW[i]] : 0.5 * (nine[ROW[i]] + nine[MIRROR[i]]);
}
inlined void load(const double *from, const Block *b, V a[T]) {
    const double *rows[L];
    if (b->abreast) {
        from += 9 * b->at[0];
        for (int l = 0; l < L; l++) rows[l] = from + 9 * l;
        gather_rows(rows, b->ahead, a);
    } else {
        for (int l = 0; l < L; l++) rows[l] = from + 9 * b->at[l];
        gather_rows(rows, 0, a);
    }
}
/* Tensors of L points in rows of nine numbers, of which the last one stays in its lane. */
typedef struct {
    V row[8];
    V last;
} Nine;

inlined void turn(const V a[T], Nine *n) {
    for (int k = 0; k < 8; k += L) {
        V row[L];
        for (int i = 0; i < L; i++) row[i] = a[PLACE[k + i]];
        transpose(row);
        for (int i = 0; i < L; i++) n->row[k + i] = row[i];
    }
    n->last = a[PLACE[8]];
}
inlined void put(double *out, const Nine *n, int l) {
    for (int k = 0; k < 8; k += L) *(Row *)(out + k) = n->row[k + l];
    out[8] = n->last[l];
}
inlined void store(double *out, const Block *b, const V a[T]) {
    Nine n;
    turn(a, &n);
    if (b->abreast) {
        out += 9 * b->at[0];
        for (int l = 0; l < L; l++) put(out + 9 * l, &n, l);
    } else
        for (int l = 0; l < L; l++) put(out + 9 * b->at[l], &n, l);
}
/* A tensor of rank four a⊗b + v I⊗I + u (unit tensor), symmetric tensors a and b. */
typedef struct {
    V left[T], right[T], volume, unit;
} Slope;

/* Where the unit tensor of rank four, in rows of nine of which six differ, is 1 or 1/2, and where the one of rank two is 1. */
static const double UNIT[T][9] = {{1}, {0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 0, 1},
                                  {0, 0.5, 0, 0.5}, {0, 0, 0, 0, 0, 0.5, 0, 0.5}, {0, 0, 0.5, 0, 0, 0, 0.5}};
static const double WHOLE_UNIT[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

/* Tensors of rank four, 81 numbers each. */
inlined void store_slope(double *out, const Block *b, const Slope *H) {
    Nine n;
    turn(H->right, &n);
    V last[T];
    for (int i = 0; i < T; i++)
        last[i] = H->left[i] * n.last + (i < 3 ? H->volume : all(0.0)) + (i == 2 ? H->unit : all(0.0));
    for (int l = 0; l < L; l++) {
        double *at = out + 81 * b->at[l];
        for (int i = 0; i < 81; i += 8) __builtin_prefetch(at + SOON + i, 1);
        V rows[8 / L][T];
        for (int k = 0; k < 8; k += L) {
            const V volume = H->volume[l] * *(const Row *)(WHOLE_UNIT + k);
            for (int i = 0; i < T; i++) {
                const V unit = H->unit[l] * *(const Row *)(UNIT[i] + k);
                rows[k / L][i] = H->left[i][l] * n.row[k + l] + (i < 3 ? volume + unit : unit);
            }
        }
        /* in the order of memory */
        for (int i = 0; i < 9; i++) {
            for (int k = 0; k < 8; k += L) *(Row *)(at + 9 * i + k) = rows[k / L][PLACE[i]];
            at[9 * i + 8] = last[PLACE[i]][l];
        }
    }
}
