/* Lanes: a V holds one number for each of L neighbouring cells, so that the algebra of an element is
 * written once, for scalars, and runs on L cells.
 *
 * Compile-time sizes: D space dimension, G geometry nodes of a cell, N field nodes, M components,
 * S = 1 + D places α of ψ_i^α = (φ_i, ∂φ_i/∂ξ). */
#include <stdint.h>

#if defined(__AVX512F__)
#define L 8
#elif defined(__AVX__)
#define L 4
#else
#define L 2
#endif

typedef double V __attribute__((vector_size(8 * L)));
#define inlined static inline __attribute__((always_inline))

/* A coefficient with its strides over cells and points; a stride 0 repeats it, at == 0 means absent. */
typedef struct {
    const double *at;
    int64_t cell, point;
} Field;

/* Number k of a coefficient at point q of the block's cells. */
inlined V load_at(Field f, int64_t q, const int64_t cell[L], int64_t k) {
    const double *at = f.at + q * f.point + k;
    V v;
    for (int l = 0; l < L; l++) v[l] = at[cell[l] * f.cell];
    return v;
}

/* The cells of one block: c0 … c0+L-1; a last, shorter block repeats the last cell. */
inlined int block_of(int64_t c0, int64_t n_cells, int64_t cell[L]) {
    for (int l = 0; l < L; l++) cell[l] = c0 + l < n_cells ? c0 + l : n_cells - 1;
    return n_cells - c0 < L ? (int)(n_cells - c0) : L;
}

#ifdef G
#define S (1 + D)

/* X_a: the geometry nodes of the block. */
inlined void corners(const double *points, const int32_t *cells, const int64_t cell[L], V X[G][D]) {
    for (int a = 0; a < G; a++)
        for (int l = 0; l < L; l++)
            for (int k = 0; k < D; k++) X[a][k][l] = points[(int64_t)cells[cell[l] * G + a] * D + k];
}

/* B = J⁻¹ = ∂ξ/∂x with J_ik = Σ_a X_ai ∂N_a/∂ξ_k; returns |det J|. */
inlined V inverse_jacobian(const V X[G][D], const double *dN, V B[D][D]) {
    V J[D][D] = {0}, det;
    for (int a = 0; a < G; a++)
        for (int i = 0; i < D; i++)
            for (int k = 0; k < D; k++) J[i][k] += X[a][i] * dN[a * D + k];
#if D == 1
    det = J[0][0];
    B[0][0] = 1.0 / det;
#elif D == 2
    det = J[0][0] * J[1][1] - J[0][1] * J[1][0];
    const V r = 1.0 / det;
    B[0][0] = r * J[1][1], B[0][1] = -r * J[0][1];
    B[1][0] = -r * J[1][0], B[1][1] = r * J[0][0];
#else
    /* Cofactors with cyclic indices: B_ki = (J_lm J_np - J_lp J_nm) / det. */
    for (int k = 0; k < D; k++)
        for (int i = 0; i < D; i++) {
            const int l = (i + 1) % D, n = (i + 2) % D, m = (k + 1) % D, p = (k + 2) % D;
            B[k][i] = J[l][m] * J[n][p] - J[l][p] * J[n][m];
        }
    det = J[0][0] * B[0][0] + J[1][0] * B[0][1] + J[2][0] * B[0][2];
    const V r = 1.0 / det;
    for (int k = 0; k < D; k++)
        for (int i = 0; i < D; i++) B[k][i] *= r;
#endif
    for (int l = 0; l < L; l++) det[l] = __builtin_fabs(det[l]);
    return det;
}

#ifdef M
/* U_i^a: the values of a nodal field with M components in the block. */
inlined void gather(const double *u, const int32_t *nodes, const int64_t cell[L], V U[N][M]) {
    for (int i = 0; i < N; i++)
        for (int l = 0; l < L; l++)
            for (int a = 0; a < M; a++) U[i][a][l] = u[(int64_t)nodes[cell[l] * N + i] * M + a];
}

/* At a point: z_α^a = Σ_i U_i^a ψ_i^α, of which α = 0 is the value, and ∂u^a/∂x_j = Σ_k B_kj z_k^a. */
inlined void sample_at(const V U[N][M], const double *psi, const V B[D][D], V z[M][S], V grad[M][D]) {
    for (int a = 0; a < M; a++)
        for (int k = 0; k < S; k++) z[a][k] = (V){0};
    for (int i = 0; i < N; i++)
        for (int a = 0; a < M; a++)
            for (int k = 0; k < S; k++) z[a][k] += U[i][a] * psi[i * S + k];
    for (int a = 0; a < M; a++)
        for (int j = 0; j < D; j++) {
            grad[a][j] = (V){0};
            for (int k = 0; k < D; k++) grad[a][j] += B[k][j] * z[a][1 + k];
        }
}
#endif
#endif
