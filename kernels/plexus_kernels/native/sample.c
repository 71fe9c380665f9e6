/* A nodal field at the points: u^a = Σ_i u_i^a φ_i and ∂u^a/∂x_j = Σ_k B_kj Σ_i u_i^a ∂φ_i/∂ξ_k, B = J⁻¹. */
#include "lanes.h"

void sample(int64_t C, int64_t Q, int32_t affine, const double *points, const int32_t *nodes, const double *dN,
            const double *psi, const int32_t *field_nodes, const double *u, double *value, double *grad) {
    V X[G][D], B[D][D], U[N][M];
    int64_t cell[L];
    for (int64_t c = 0; c < C; c += L) {
        const int used = block_of(c, C, cell);
        corners(points, nodes, cell, X);
        gather(u, field_nodes, cell, U);
        for (int64_t q = 0; q < Q; q++) {
            if (q == 0 || !affine) inverse_jacobian(X, dN + q * G * D, B);
            V z[M][S], g[M][D];
            sample_at(U, psi + q * N * S, B, z, g);
            for (int a = 0; a < M; a++)
                for (int l = 0; l < used; l++) {
                    const int64_t p = ((c + l) * Q + q) * M + a;
                    value[p] = z[a][0][l];
                    for (int j = 0; j < D; j++) grad[p * D + j] = g[a][j][l];
                }
        }
    }
}
