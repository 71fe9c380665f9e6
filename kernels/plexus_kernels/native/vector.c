/* Element vectors r_i^a = Σ_q Σ_α ψ_i^α F^aα with F pulled back to the reference element:
 * F^a0 = W f0^a and F^ak = W Σ_j B_kj f1^aj, where B = J⁻¹ and W = w |det J| weight. */
#include "lanes.h"

typedef struct {
    int64_t cells, points; /* C, Q */
    int32_t affine;
    const double *X;                            /* mesh points */
    const int32_t *nodes, *field_nodes;         /* geometry nodes (C, G), field nodes (C, N) */
    const double *w, *dN, *psi;
    Field f0, f1, weight;
    double *out;                                /* (nodes, M) */
} Vector;

/* F at one point; f1 is read one component at a time. */
inlined void pull_back(const Vector *a, int64_t q, const int64_t cell[L], V B[D][D], V W, V F[M][S]) {
    for (int r = 0; r < M; r++) {
        F[r][0] = a->f0.at ? W * load_at(a->f0, q, cell, r) : (V){0};
        for (int k = 1; k < S; k++) F[r][k] = (V){0};
        for (int j = 0; j < D && a->f1.at; j++) {
            const V f = W * load_at(a->f1, q, cell, r * D + j);
            for (int k = 0; k < D; k++) F[r][1 + k] += B[k][j] * f;
        }
    }
}

void vector(const Vector *a) {
    V X[G][D], B[D][D], r[N][M], F[M][S], det = {0};
    int64_t cell[L];
    for (int64_t c = 0; c < a->cells; c += L) {
        const int used = block_of(c, a->cells, cell);
        corners(a->X, a->nodes, cell, X);
        __builtin_memset(r, 0, sizeof r);
        for (int64_t q = 0; q < a->points; q++) {
            if (q == 0 || !a->affine) det = inverse_jacobian(X, a->dN + q * G * D, B);
            V W = det * a->w[q];
            if (a->weight.at) W *= load_at(a->weight, q, cell, 0);
            pull_back(a, q, cell, B, W, F);
            const double *psi = a->psi + q * N * S;
            for (int i = 0; i < N; i++)
                for (int s = 0; s < M; s++)
                    for (int k = 0; k < S; k++) r[i][s] += psi[i * S + k] * F[s][k];
        }
        for (int l = 0; l < used; l++)
            for (int i = 0; i < N; i++)
                for (int s = 0; s < M; s++)
                    a->out[(int64_t)a->field_nodes[(c + l) * N + i] * M + s] += r[i][s][l];
    }
}
