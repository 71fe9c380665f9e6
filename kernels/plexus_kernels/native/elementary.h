/* Elementary functions of lanes, and choices between them. */
#include "lanes.h"

#if L == 8
#include <immintrin.h>
#endif

typedef int64_t I __attribute__((vector_size(8 * L)));
#define LN2 0.69314718055994530942
/* What is added to this number shows up as an integer in its last bits. */
#define WHOLE 6755399441055744.0

inlined V all(double x) { return x - (V){0}; }
inlined V pick(I m, V a, V b) { return (V)((m & (I)a) | (~m & (I)b)); }
inlined V larger(V a, V b) { return pick(a > b, a, b); }
inlined V smaller(V a, V b) { return pick(a < b, a, b); }
inlined V size_of(V a) { return (V)((I)a & INT64_MAX); }
inlined int any(I m) {
#if L == 8
    return _mm512_test_epi64_mask((__m512i)m, (__m512i)m) != 0;
#else
    int64_t found = 0;
    for (int l = 0; l < L; l++) found |= m[l];
    return found != 0;
#endif
}
inlined V root(V a) {
    for (int l = 0; l < L; l++) a[l] = __builtin_sqrt(a[l]);
    return a;
}

/* e^x = 2^k e^r, |r| ≤ ln 2 / 2, for |x| ≤ 707, by the Taylor polynomial of degree 13, whose parts are summed side by
 * side. */
inlined V exponential(V x) {
    const V shifted = x * 1.4426950408889634 + WHOLE, k = shifted - WHOLE;
    const V r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    const V r2 = r * r, r4 = r2 * r2;
    const V a = (r + 1.0) + r2 * (r * (1.0 / 6.0) + 0.5);
    const V b = (r * (1.0 / 120.0) + 1.0 / 24.0) + r2 * (r * (1.0 / 5040.0) + 1.0 / 720.0);
    const V c = (r * (1.0 / 362880.0) + 1.0 / 40320.0) + r2 * (r * (1.0 / 39916800.0) + 1.0 / 3628800.0);
    const V d = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
    const V e = a + r4 * (b + r4 * (c + r4 * d));
    return e * (V)(((I)shifted - (I)all(WHOLE) + 1023) << 52);
}

/* e^x for |x| ≤ 2^-6. */
inlined V growth(V x) {
    const V x2 = x * x, a = x * (1.0 / 6.0) + 0.5, b = x2 * (1.0 / 720.0) + (x * (1.0 / 120.0) + 1.0 / 24.0);
    return 1.0 + (x + x2 * (a + x2 * b));
}

/* ln(a/b) for normal numbers above 0, with an error of 1e-8 of itself near 1 and of 4e-9 elsewhere: a/b = 2^k m/b,
 * 2/3 ≤ m/b ≤ 3/2, and ln(m/b) = 2 artanh s, s = (m - b)/(m + b). */
inlined V log_ratio(V a, V b) {
    const I k = ((I)a - (I)b + (1LL << 51)) >> 52;
    const V m = (V)((I)a - (k << 52)), s = (m - b) / (m + b), z = s * s;
    V y = all(1.0 / 9.0);
    y = y * z + 1.0 / 7.0, y = y * z + 1.0 / 5.0, y = y * z + 1.0 / 3.0, y = y * z + 1.0;
    return ((V)(k + (I)all(WHOLE)) - WHOLE) * LN2 + 2.0 * s * y;
}
