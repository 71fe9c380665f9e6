/* Element matrices A_ij^ab = Σ_q Σ_αβ ψ_i^α(q) P^ab_αβ(q) ψ_j^β(q), added to the values of a sparse pattern.
 *
 * P is the tangent pulled back to the reference element, with B = J⁻¹ and W = w |det J| weight:
 *   P_00 = W c00,  P_0l = W Σ_j B_lj c01_j,  P_k0 = W Σ_i B_ki c10_i,  P_kl = W Σ_ij B_ki c11_ij B_lj.
 * Where P is constant in a cell, the sum over q is the table R_ij^αβ = Σ_q w ψ_i^α ψ_j^β.
 * LO is the first place α that the coefficients touch: 1 when only c11 is given, otherwise 0.
 * SYM promises A_ij^ab = A_ji^ba; then only i <= j is computed. */
#include "lanes.h"

typedef struct {
    int64_t cells, points; /* C, Q */
    int32_t affine, separable;
    const double *X;                       /* mesh points */
    const int32_t *nodes, *slots;          /* geometry nodes (C, G), pairs (C, N, N) */
    const double *w, *dN, *psi, *R;        /* weights, geometry derivatives, ψ, R */
    Field c00, c01, c10, c11, weight;
    int64_t pairs;
    double *values;                        /* (pairs, M, M) */
    int64_t outside;                       /* result: slots beyond the pairs */
} Matrix;

/* Coefficients of a block at one point, and the tangent pulled back. */
typedef struct {
    V c00[M][M], c01[M][M][D], c10[M][D][M], c11[M][D][M][D], weight;
    V P[M][M][S][S];
} Point;

inlined void read(Field f, int64_t q, const int64_t cell[L], int64_t count, V *to) {
    for (int64_t k = 0; k < count; k++) to[k] = load_at(f, q, cell, k);
}

/* Read what changed since the previous point: a stride 0 keeps the old numbers. */
inlined void coefficients(const Matrix *a, int first, int64_t q, const int64_t cell[L], Point *p) {
#define READ(f, count) \
    if (a->f.at && (first || (q == 0 && a->f.cell) || a->f.point)) read(a->f, q, cell, count, (V *)&p->f)
    READ(c00, M * M);
    READ(c01, M * M * D);
    READ(c10, M * D * M);
    READ(c11, M * D * M * D);
    READ(weight, 1);
}

inlined void pull_back(const Matrix *a, const V B[D][D], V W, Point *p) {
    for (int r = 0; r < M; r++)
        for (int s = 0; s < M; s++) {
            V(*P)[S] = p->P[r][s];
            if (LO == 0) P[0][0] = a->c00.at ? W * p->c00[r][s] : (V){0};
            for (int k = 1; k < S; k++) {
                V CB[D]; /* Σ_i B_ki c11_ij */
                for (int j = 0; j < D; j++) {
                    CB[j] = (V){0};
                    if (a->c11.at)
                        for (int i = 0; i < D; i++) CB[j] += B[k - 1][i] * p->c11[r][i][s][j];
                }
                for (int l = 1; l < S; l++) {
                    V sum = {0};
                    for (int j = 0; j < D; j++) sum += CB[j] * B[l - 1][j];
                    P[k][l] = W * sum;
                }
                if (LO == 0) {
                    V left = {0}, right = {0};
                    for (int j = 0; j < D; j++) {
                        if (a->c01.at) left += B[k - 1][j] * p->c01[r][s][j];
                        if (a->c10.at) right += B[k - 1][j] * p->c10[r][j][s];
                    }
                    P[0][k] = W * left;
                    P[k][0] = W * right;
                }
            }
        }
}

/* A_ij += Σ_α ψ_i^α T^α with T^α = Σ_β P_αβ ψ_j^β. */
inlined void add_point(const double *psi, V P[M][M][S][S], V A[N][N][M][M]) {
    for (int j = 0; j < N; j++) {
        V T[M][M][S];
        for (int r = 0; r < M; r++)
            for (int s = 0; s < M; s++)
                for (int k = LO; k < S; k++) {
                    T[r][s][k] = (V){0};
                    for (int l = LO; l < S; l++) T[r][s][k] += P[r][s][k][l] * psi[j * S + l];
                }
        for (int i = 0; i < (SYM ? j + 1 : N); i++)
            for (int r = 0; r < M; r++)
                for (int s = 0; s < M; s++)
                    for (int k = LO; k < S; k++) A[i][j][r][s] += psi[i * S + k] * T[r][s][k];
    }
}

/* A_ij = Σ_αβ P_αβ R_ij^αβ. */
inlined void contract(const double *R, V P[M][M][S][S], V A[N][N][M][M]) {
    for (int j = 0; j < N; j++)
        for (int i = 0; i < (SYM ? j + 1 : N); i++)
            for (int r = 0; r < M; r++)
                for (int s = 0; s < M; s++) {
                    V sum = {0};
                    for (int k = LO; k < S; k++)
                        for (int l = LO; l < S; l++) sum += P[r][s][k][l] * R[((i * N + j) * S + k) * S + l];
                    A[i][j][r][s] = sum;
                }
}

/* values[slot_ij] += A_ij of each cell; the half below the diagonal is A_ij^ab = A_ji^ba. */
inlined void scatter(Matrix *a, int64_t c0, int used, V A[N][N][M][M]) {
    const int32_t *slots = a->slots + c0 * N * N;
    for (int c = 0; c < used; c++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                const int64_t slot = slots[(c * N + i) * N + j];
                if ((uint64_t)slot >= (uint64_t)a->pairs) {
                    a->outside += slot >= 0;
                    continue;
                }
                for (int r = 0; r < M; r++)
                    for (int s = 0; s < M; s++)
                        a->values[(slot * M + r) * M + s] += SYM && i > j ? A[j][i][s][r][c] : A[i][j][r][s][c];
            }
}

void matrix(Matrix *a) {
    V X[G][D], B[D][D], det = {0}, A[N][N][M][M];
    Point p;
    int64_t cell[L];
    for (int64_t c = 0; c < a->cells; c += L) {
        const int used = block_of(c, a->cells, cell);
        corners(a->X, a->nodes, cell, X);
        if (!a->separable) __builtin_memset(A, 0, sizeof A);
        for (int64_t q = 0; q < (a->separable ? 1 : a->points); q++) {
            if (q == 0 || !a->affine) det = inverse_jacobian(X, a->dN + q * G * D, B);
            coefficients(a, c == 0 && q == 0, q, cell, &p);
            const V W = a->weight.at ? det * p.weight : det;
            if (a->separable) {
                pull_back(a, B, W, &p);
                contract(a->R, p.P, A);
            } else {
                pull_back(a, B, W * a->w[q], &p);
                add_point(a->psi + q * N * S, p.P, A);
            }
        }
        scatter(a, c, used, A);
    }
}
