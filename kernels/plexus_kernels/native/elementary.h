/* Elementary functions of lanes, and choices between them. */
#include "lanes.h"

#if L > 2
#include <immintrin.h>
#endif

typedef int64_t I __attribute__((vector_size(8 * L)));
typedef uint64_t U __attribute__((vector_size(8 * L)));
/* L numbers in a row anywhere in memory. */
typedef double Row __attribute__((vector_size(8 * L), aligned(8), may_alias));
#define LN2 0.69314718055994530942
/* What is added to this number shows up as an integer in its last bits. */
#define WHOLE 6755399441055744.0

inlined V all(double x) { return x - (V){0}; }
inlined V size_of(V a) { return (V)((I)a & INT64_MAX); }
/* Lanes of a where those of a comparison m hold, of b elsewhere; whether one holds. */
#if L == 4
inlined V pick(I m, V a, V b) { return _mm256_blendv_pd(b, a, (V)m); }
inlined V larger(V a, V b) { return _mm256_max_pd(a, b); }
inlined V smaller(V a, V b) { return _mm256_min_pd(a, b); }
inlined int any(I m) { return _mm256_movemask_pd((V)m) != 0; }
#else
inlined V pick(I m, V a, V b) { return (V)((m & (I)a) | (~m & (I)b)); }
inlined V larger(V a, V b) { return pick(a > b, a, b); }
inlined V smaller(V a, V b) { return pick(a < b, a, b); }
inlined int any(I m) {
#if L == 8
    return _mm512_test_epi64_mask((__m512i)m, (__m512i)m) != 0;
#else
    return (m[0] | m[1]) != 0;
#endif
}
#endif
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

/* ln(a/b) for normal numbers above 0, with an error of 1e-14 of itself, of rounding near 1: a/b = 2^k m/b, 2/3 ≤ m/b ≤ 3/2,
 * and ln(m/b) = 2 artanh s, s = (m - b)/(m + b). */
inlined V log_ratio(V a, V b) {
    const I k = ((I)a - (I)b + (1LL << 51)) & (-1LL << 52);
    const V m = (V)((I)a - k), s = (m - b) / (m + b), z = s * s, z2 = z * z, z4 = z2 * z2;
    const V low = (z * (1.0 / 3.0) + 1.0) + z2 * (z * (1.0 / 7.0) + 1.0 / 5.0);
    const V high = (z * (1.0 / 11.0) + 1.0 / 9.0) + z2 * (z * (1.0 / 15.0) + 1.0 / 13.0) + z4 * (1.0 / 17.0);
    /* k as a number: 2^52 + 2048 + k has 2048 + k in its last bits */
    const V whole = (V)(((U)k + (1ULL << 63)) >> 52 | (U)all(0x1p52)) - (0x1p52 + 2048.0);
    return whole * LN2 + 2.0 * s * (low + z4 * high);
}
