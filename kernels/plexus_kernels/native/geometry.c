/* Geometry at the points: x = Σ_a X_a N_a, W = w |det J|, B = J⁻¹. */
#include "lanes.h"

void geometry(int64_t C, int64_t Q, int32_t affine, const double *points, const int32_t *nodes, const double *w,
              const double *shape, const double *dN, double *x, double *W, double *B_out) {
    V X[G][D], B[D][D], det = {0};
    int64_t cell[L];
    for (int64_t c = 0; c < C; c += L) {
        const int used = block_of(c, C, cell);
        corners(points, nodes, cell, X);
        for (int64_t q = 0; q < Q; q++) {
            V at[D] = {0};
            for (int a = 0; a < G; a++)
                for (int i = 0; i < D; i++) at[i] += X[a][i] * shape[q * G + a];
            const int fresh = q == 0 || !affine;
            if (fresh) det = inverse_jacobian(X, dN + q * G * D, B);
            for (int l = 0; l < used; l++) {
                const int64_t p = (c + l) * Q + q, b = affine ? c + l : p;
                W[p] = det[l] * w[q];
                for (int i = 0; i < D; i++) x[p * D + i] = at[i][l];
                for (int k = 0; k < D * D && fresh; k++) B_out[b * D * D + k] = B[k / D][k % D][l];
            }
        }
    }
}
