/* Element matrices A_ij^ab = Σ_kl B_iak W_kl B_jbl of each cell, added to the values of a sparse pattern. */
#include <stdint.h>

/* B (cells, n, m, k), W (cells, k, k), slots (cells, n, n), values (pairs, m, m): returns slots beyond the pairs. */
int64_t joint(int64_t cells, int64_t n, int64_t m, int64_t k, const double *B, const double *W,
              const int32_t *slots, int64_t pairs, double *values) {
    int64_t outside = 0;
    for (int64_t c = 0; c < cells; c++, B += n * m * k, W += k * k, slots += n * n)
        for (int64_t row = 0; row < n * m; row++) {
            double left[k]; /* Σ_k B_iak W_kl */
            for (int64_t l = 0; l < k; l++) {
                left[l] = 0.0;
                for (int64_t h = 0; h < k; h++) left[l] += B[row * k + h] * W[h * k + l];
            }
            for (int64_t j = 0; j < n; j++) {
                const int64_t slot = slots[row / m * n + j];
                if ((uint64_t)slot >= (uint64_t)pairs) {
                    outside += slot >= 0;
                    continue;
                }
                double *to = values + (slot * m + row % m) * m;
                for (int64_t b = 0; b < m; b++)
                    for (int64_t l = 0; l < k; l++) to[b] += left[l] * B[(j * m + b) * k + l];
            }
        }
    return outside;
}
