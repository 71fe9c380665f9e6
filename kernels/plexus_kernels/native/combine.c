/* Sums of complex arrays with real factors, times a real array: one pass through memory. */
#include <stdint.h>

/* out = table (a_0 x_0 + a_1 x_1 + a_2 x_2 + a_3 x_3), n complex numbers. */
void combine4(int64_t n, const double *const *x, const double *a, const double *table, double *out) {
    const double *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
    const double a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
    for (int64_t p = 0; p < n; p++)
        for (int64_t q = 2 * p; q < 2 * p + 2; q++)
            out[q] = table[p] * (a0 * x0[q] + a1 * x1[q] + a2 * x2[q] + a3 * x3[q]);
}
