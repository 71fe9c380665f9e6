/* The moment that ORDER given ones predict: c Σ_j a_j c_(K+1-j), a_j from the Levinson-Durbin recursion.
 *
 * One block of P cells goes through the recursion while it lies in the cache; loops over its cells are innermost. The
 * formulas are those of plexus.models.suspension.toeplitz. */
#include <math.h>
#include <stdint.h>

#define P 32
#define inlined static inline __attribute__((always_inline))

typedef struct { /* of one block: moments and predictor, real and imaginary parts, and the room of the next one */
    double c[P], x[ORDER][P], y[ORDER][P], a[ORDER][P], b[ORDER][P], room[P];
} Block;

/* c_m = f_m / c; the last of `used` cells is repeated in a short block. */
inlined void load(Block *B, int64_t from, int used, const double *c, const double *const *f) {
    for (int p = 0; p < P; p++) B->c[p] = c[from + (p < used ? p : used - 1)];
    for (int m = 0; m < ORDER; m++)
        for (int p = 0; p < P; p++) {
            const int64_t at = 2 * (from + (p < used ? p : used - 1));
            B->x[m][p] = f[m][at] / B->c[p], B->y[m][p] = f[m][at + 1] / B->c[p];
        }
}

/* s = Σ_j a_j c_(m-j), the prediction of c_(m+1) from m moments. */
inlined void predict(const Block *B, int m, double *sx, double *sy) {
    for (int p = 0; p < P; p++) sx[p] = sy[p] = 0;
    for (int j = 0; j < m; j++)
        for (int p = 0; p < P; p++) {
            const double x = B->x[m - 1 - j][p], y = B->y[m - 1 - j][p];
            sx[p] += B->a[j][p] * x - B->b[j][p] * y, sy[p] += B->a[j][p] * y + B->b[j][p] * x;
        }
}

/* k = (c_(m+1) - s)/room within the cap; room becomes room (1 - |k|²). */
inlined void reflect(Block *B, int m, double cap, double *kx, double *ky) {
    for (int p = 0; p < P; p++) {
        const double part = 1 / (B->room[p] > 1e-12 ? B->room[p] : 1e-12);
        const double x = (B->x[m][p] - kx[p]) * part, y = (B->y[m][p] - ky[p]) * part, size = sqrt(x * x + y * y);
        const double keep = size > cap ? cap / size : 1;
        kx[p] = x * keep, ky[p] = y * keep;
        B->room[p] *= 1 - kx[p] * kx[p] - ky[p] * ky[p];
    }
}

/* a_j - k conj(a_(m-1-j)), j < m, in pairs that need each other's old value; a_m = k. */
inlined void extend(Block *B, int m, const double *kx, const double *ky) {
    for (int i = 0; i <= (m - 1) / 2; i++) {
        const int j = m - 1 - i;
        for (int p = 0; p < P; p++) {
            const double ax = B->a[i][p], ay = B->b[i][p], bx = B->a[j][p], by = B->b[j][p];
            B->a[i][p] = ax - (kx[p] * bx + ky[p] * by), B->b[i][p] = ay - (ky[p] * bx - kx[p] * by);
            B->a[j][p] = bx - (kx[p] * ax + ky[p] * ay), B->b[j][p] = by - (ky[p] * ax - kx[p] * ay);
        }
    }
    for (int p = 0; p < P; p++) B->a[m][p] = kx[p], B->b[m][p] = ky[p];
}

void levinson(int64_t n, const double *c, const double *const *f, double cap, double *out) {
    _Alignas(64) Block B;
    _Alignas(64) double x[P], y[P];
    for (int64_t from = 0; from < n; from += P) {
        const int used = n - from < P ? (int)(n - from) : P;
        /* a whole block is read in one piece */
        if (used == P) load(&B, from, P, c, f);
        else load(&B, from, used, c, f);
        for (int p = 0; p < P; p++) {
            const double r = 1 - B.x[0][p] * B.x[0][p] - B.y[0][p] * B.y[0][p];
            B.a[0][p] = B.x[0][p], B.b[0][p] = B.y[0][p], B.room[p] = r > 0 ? r : 0;
        }
        for (int m = 1; m < ORDER; m++) predict(&B, m, x, y), reflect(&B, m, cap, x, y), extend(&B, m, x, y);
        predict(&B, ORDER, x, y);
        for (int p = 0; p < used; p++) out[2 * (from + p)] = B.c[p] * x[p], out[2 * (from + p) + 1] = B.c[p] * y[p];
    }
}
