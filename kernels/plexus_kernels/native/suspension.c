/* What an active suspension computes at grid points and at modes, one pass through memory per phase.
 *
 * f_0..f_K are planes of n complex numbers; e = E_11 - i E_12, W half the vorticity, g = e + ζ f_1. A second
 * moment comes as nothing (NONE), as a moment (MOMENT), or already multiplied by conj(g) (TURNED). The
 * formulas are those of plexus.models.suspension, which also has them in torch. */
#include <stdint.h>

typedef struct {
    double r, i;
} Z;
enum { NONE, MOMENT, TURNED };
#define BLOCK 256

static inline Z turned(int kind, double gr, double gi, Z s) {
    return kind == MOMENT ? (Z){gr * s.r + gi * s.i, gr * s.i - gi * s.r} : kind == TURNED ? s : (Z){0, 0};
}

/* Spin of the stress, real and imaginary part as two planes:
 * scale ((α - ζβ/2 c) f_1 + β/2 (c e + conj(g) f_2 - shift e)). */
static inline void stress_of(int kind, int64_t n, const Z *f0, const Z *f1, const Z *second, const Z *e,
                             double alpha, double half, double zeta, double shift, double scale, double *out) {
    for (int64_t p = 0; p < n; p++) {
        const double c = f0[p].r, a = scale * (alpha - zeta * half * c), b = scale * half;
        const Z x = turned(kind, e[p].r + zeta * f1[p].r, e[p].i + zeta * f1[p].i, kind ? second[p] : (Z){0, 0});
        out[p] = a * f1[p].r + b * ((c - shift) * e[p].r + x.r);
        out[n + p] = a * f1[p].i + b * ((c - shift) * e[p].i + x.i);
    }
}

void stress(int kind, int64_t n, const Z *f0, const Z *f1, const Z *second, const Z *e, double alpha, double half,
            double zeta, double shift, double scale, double *out) {
    if (kind == MOMENT) stress_of(MOMENT, n, f0, f1, second, e, alpha, half, zeta, shift, scale, out);
    else if (kind == TURNED) stress_of(TURNED, n, f0, f1, second, e, alpha, half, zeta, shift, scale, out);
    else stress_of(NONE, n, f0, f1, second, e, alpha, half, zeta, shift, scale, out);
}

/* Modes of the stream function of the two parts of a stress: ψ = b s_r + a s_i. */
void stream(int64_t n, const Z *sr, const Z *si, const double *b, const double *a, Z *psi) {
    for (int64_t p = 0; p < n; p++)
        psi[p] = (Z){b[p] * sr[p].r + a[p] * si[p].r, b[p] * sr[p].i + a[p] * si[p].i};
}

/* Modes of u, v, W, E_11, -E_12 of a stream function, as five planes; the first two and W only if `all`. */
void flow(int all, int64_t nx, int64_t ny, const double *kx, const double *ky, const Z *psi, Z *out) {
    const int64_t n = nx * ny;
    Z *strain = all ? out + 3 * n : out;
    for (int64_t i = 0; i < nx; i++)
        for (int64_t j = 0; j < ny; j++) {
            const int64_t p = i * ny + j;
            const double x = kx[i], y = ky[j], b = -x * y, a = -(x * x - y * y) / 2;
            const Z s = psi[p];
            strain[p] = (Z){b * s.r, b * s.i}, strain[n + p] = (Z){a * s.r, a * s.i};
            if (all) {
                const double w = (x * x + y * y) / 2;
                out[p] = (Z){-y * s.i, y * s.r}, out[n + p] = (Z){x * s.i, -x * s.r};
                out[2 * n + p] = (Z){w * s.r, w * s.i};
            }
        }
}

/* u f_m and v f_m, m = 0..K, and g f_(m-1) - conj(g) f_(m+1) - 2iW f_m, m = 1..K; `last` gives f_(K+1). */
void fluxes(int kind, int64_t n, int64_t order, const Z *f, const double *u, const double *v, const double *w,
            const Z *e, const Z *last, double zeta, Z *carried, Z *rest) {
    double gr[BLOCK], gi[BLOCK];
    for (int64_t start = 0; start < n; start += BLOCK) {
        const int64_t some = n - start < BLOCK ? n - start : BLOCK;
        const Z *at = f + start;
        for (int64_t p = 0; p < some; p++) {
            gr[p] = e[start + p].r + zeta * at[n + p].r;
            gi[p] = e[start + p].i + zeta * at[n + p].i;
        }
        for (int64_t m = 0; m <= order; m++, at += n) {
            Z *x = carried + m * n + start, *y = x + (order + 1) * n, *z = rest + (m - 1) * n + start;
            for (int64_t p = 0; p < some; p++) {
                const double up = u[start + p], vp = v[start + p];
                x[p] = (Z){up * at[p].r, up * at[p].i}, y[p] = (Z){vp * at[p].r, vp * at[p].i};
            }
            if (m == 0) continue;
            const Z *lower = at - n, *upper = m < order ? at + n : last ? last + start : 0;
            const int how = m < order ? MOMENT : last ? kind : NONE;
            for (int64_t p = 0; p < some; p++) {
                const double twice = 2 * w[start + p];
                z[p] = (Z){gr[p] * lower[p].r - gi[p] * lower[p].i + twice * at[p].i,
                           gr[p] * lower[p].i + gi[p] * lower[p].r - twice * at[p].r};
            }
            if (how == MOMENT)
                for (int64_t p = 0; p < some; p++) {
                    z[p].r -= gr[p] * upper[p].r + gi[p] * upper[p].i;
                    z[p].i -= gr[p] * upper[p].i - gi[p] * upper[p].r;
                }
            else if (how == TURNED)
                for (int64_t p = 0; p < some; p++) z[p].r -= upper[p].r, z[p].i -= upper[p].i;
        }
    }
}

/* mask (-i k_x X_m - i k_y Y_m + a_m R_m), m = 0..parts-1; R and a start at m = 1. */
void divergence(int64_t parts, int64_t nx, int64_t ny, const double *kx, const double *ky, const double *mask,
                const Z *x, const Z *y, const Z *r, const Z *a, Z *out) {
    const int64_t n = nx * ny;
    for (int64_t m = 0; m < parts; m++, x += n, y += n, out += n)
        for (int64_t i = 0; i < nx; i++) {
            const int64_t row = i * ny;
            for (int64_t j = 0; j < ny; j++) {
                const int64_t p = row + j;
                out[p] = (Z){mask[p] * (kx[i] * x[p].i + ky[j] * y[p].i), -mask[p] * (kx[i] * x[p].r + ky[j] * y[p].r)};
            }
            if (m == 0) continue;
            const Z *s = r + (m - 1) * n + row;
            const double ar = a[m - 1].r, ai = a[m - 1].i;
            for (int64_t j = 0; j < ny; j++) {
                out[row + j].r += mask[row + j] * (ar * s[j].r - ai * s[j].i);
                out[row + j].i += mask[row + j] * (ar * s[j].i + ai * s[j].r);
            }
        }
}
