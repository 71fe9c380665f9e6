/* Sparse pattern of the pairs (row, column) of nodes that share a cell, row by row with a marker array. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Short rows come nearly sorted, where insertion is the fastest. */
static void sort(int32_t *v, int64_t n) {
    if (n > 200) {
        qsort(v, n, sizeof *v, ascending);
        return;
    }
    for (int64_t i = 1; i < n; i++) {
        const int32_t x = v[i];
        int64_t k = i;
        for (; k > 0 && v[k - 1] > x; k--) v[k] = v[k - 1];
        v[k] = x;
    }
}

/* places[start[r] … start[r+1]-1] = c * n + i for every cell c whose node i is row r. */
static void incidence(int64_t C, int64_t n, const int32_t *nodes, int64_t rows, int64_t *start,
                      int32_t *places) {
    memset(start, 0, (rows + 2) * sizeof *start);
    for (int64_t e = 0; e < C * n; e++)
        if (nodes[e] < rows) start[nodes[e] + 2]++;
    for (int64_t r = 0; r < rows; r++) start[r + 2] += start[r + 1];
    for (int64_t e = 0; e < C * n; e++)
        if (nodes[e] < rows) places[start[nodes[e] + 1]++] = (int32_t)e;
}

/* Fill row_ptr (rows+1), cols (room for every entry of a kept row) and slots (C, n, n); nodes are below
 * `width`. Returns the number of pairs, -1 without memory, -2 when an entry or pair number exceeds 32 bits. */
int64_t pattern(int64_t C, int64_t n, const int32_t *nodes, int64_t rows, int64_t width, int64_t *row_ptr,
                int32_t *cols, int32_t *slots) {
    if (C * n > INT32_MAX) return -2;
    int64_t *start = malloc((rows + 2) * sizeof *start);
    int32_t *places = malloc((C * n + 1) * sizeof *places);
    int32_t *place_of = malloc((width + 1) * sizeof *place_of); /* column -> its pair in this row */
    int64_t count = start && places && place_of ? 0 : -1;
    if (count == 0) {
        memset(slots, 0xff, C * n * n * sizeof *slots);
        memset(place_of, 0xff, width * sizeof *place_of);
        incidence(C, n, nodes, rows, start, places);
        row_ptr[0] = 0;
    }
    for (int64_t r = 0; r < rows && count >= 0; r++) {
        const int64_t first = count;
        for (int64_t p = start[r]; p < start[r + 1]; p++) {
            const int32_t *cell = nodes + (int64_t)(places[p] / (int32_t)n) * n;
            for (int64_t j = 0; j < n; j++)
                if (place_of[cell[j]] < first) place_of[cell[j]] = (int32_t)count, cols[count++] = cell[j];
        }
        sort(cols + first, count - first);
        for (int64_t k = first; k < count; k++) place_of[cols[k]] = (int32_t)k;
        for (int64_t p = start[r]; p < start[r + 1]; p++) {
            const int32_t *cell = nodes + (int64_t)(places[p] / (int32_t)n) * n;
            for (int64_t j = 0; j < n; j++) slots[places[p] * n + j] = place_of[cell[j]];
        }
        row_ptr[r + 1] = count;
        if (count > INT32_MAX) count = -2;
    }
    free(start), free(places), free(place_of);
    return count;
}
