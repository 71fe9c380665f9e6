/* A nodal field at the points: u^a = Σ_i u_i^a φ_i. */
#include <stdint.h>

void interpolate(int64_t C, int64_t Q, const double *phi, const int32_t *nodes, const double *u, double *value) {
    for (int64_t c = 0; c < C; c++, nodes += N, value += Q * M) {
        double U[M][N];
        for (int i = 0; i < N; i++)
            for (int a = 0; a < M; a++) U[a][i] = u[(int64_t)nodes[i] * M + a];
        for (int64_t q = 0; q < Q; q++)
            for (int a = 0; a < M; a++) {
                double z = 0.0;
                for (int i = 0; i < N; i++) z += U[a][i] * phi[q * N + i];
                value[q * M + a] = z;
            }
    }
}
