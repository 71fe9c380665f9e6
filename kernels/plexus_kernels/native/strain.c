/* Small strain of a displacement in a solid, D = M = 3, with what acts alike in all directions:
 *
 *   e = sym ∇u + (c + (Σ_i u_i·g_i - div u)/3) I
 *
 * where the last term, which evens the dilatation over a cell, is there with the factors g of its mean. */
#include "rows.h"

/* Σ_i u_i·g_i. */
inlined V mean_divergence(const double *factors, const int64_t cell[L], const V U[N][D]) {
    V mean = all(0.0);
    for (int i = 0; i < N; i++)
        for (int a = 0; a < D; a++) {
            V g;
            for (int l = 0; l < L; l++) g[l] = factors[(cell[l] * N + i) * D + a];
            mean += U[i][a] * g;
        }
    return mean;
}

void strain(int64_t C, int64_t Q, int32_t affine, const double *points, const int32_t *nodes, const double *dN,
            const double *psi, const int32_t *field_nodes, const double *u, const Field *change, const double *factors,
            double *rows) {
    V X[G][D], B[D][D], U[N][M];
    Block b = {.abreast = 0};
    int64_t cell[L];
    for (int64_t c = 0; c < C; c += L) {
        b.lanes = block_of(c, C, cell);
        corners(points, nodes, cell, X);
        gather(u, field_nodes, cell, U);
        const V mean = factors ? mean_divergence(factors, cell, U) : all(0.0);
        for (int64_t q = 0; q < Q; q++) {
            V z[M][S], g[M][D];
            if (q == 0 || !affine) inverse_jacobian(X, dN + q * G * D, B);
            sample_at(U, psi + q * N * S, B, z, g);
            V even = load_at(*change, q, cell, 0);
            if (factors) even += (1.0 / 3.0) * (mean - (g[0][0] + g[1][1] + g[2][2]));
            const V e[T] = {g[0][0] + even, g[1][1] + even, g[2][2] + even, 0.5 * (g[0][1] + g[1][0]),
                            0.5 * (g[1][2] + g[2][1]), 0.5 * (g[2][0] + g[0][2])};
            for (int l = 0; l < L; l++) b.at[l] = cell[l] * Q + q;
            store(rows, &b, e);
        }
    }
}
