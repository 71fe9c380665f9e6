/* Backward Euler of a Mises law with isotropic and kinematic hardening and a viscous overstress, at the points of one
 * block. The equations are those of plexus.laws._flow, which has them for arrays and tensors.
 *
 * KIN back strains. Per point the unknown is v = ln Δp. With u_k = 1 - θ_k = D_k Δp/(1 + D_k Δp), the back stresses X_k =
 * (2/3) C_k a_k of the start and s = s_tr - Σ X_k, what flows follows s* = s + Σ u_k X_k, so that one number
 *
 *   J*² = J₂(s)² + Σ_k u_k (2 b_k + Σ_l G_kl u_l),    b_k = (3/2) s:X_k,    G_kl = (3/2) X_k:X_l
 *
 * stands for the tensors while Δp is sought. It cancels by no more than (1 + Σ C_k/(3μ))², as J* ≥ 3μ Δp at the root. */
#include "rows.h"

#define SLOTS (KIN ? KIN : 1)
#define TINY 1e-300
/* Numbers below e^-FAR stand for 0. */
#define FAR 707.0

/* Data at the points: bulk and shear modulus, yield stress, slope, gain and rate of its growth, viscosity, 1/N. */
typedef struct {
    Field bulk, shear, yield, slope, gain, rate, viscosity, power, modulus[SLOTS], recall[SLOTS];
} Data;

/* A block of points: its data, the state at the start of the step, and what the latest Δp makes of it. With v the left side
 * of the equation rises, and bends, the right side turns, and bows. */
typedef struct {
    Block at;
    V kappa, mu, limit, slope, gain, rate, viscosity, power, logdt, modulus[SLOTS], recall[SLOTS];
    V volume, plastic[T], before, back[SLOTS][T], grown, yield, star[T], over, firm, still, b[SLOTS], G[SLOTS][SLOTS];
    V v, by, ratio, low, high, dp, theta[SLOTS], u[SLOTS], J, left, rise, bend, turn, bow, visc, size, flow, bad;
    I flows, open;
    int voce, far;
} Local;

/* Whether R grows by Voce's law at one of the points. */
inlined int grows(const Local *p) { return any((p->gain != 0.0) & (p->rate != 0.0)); }

/* Take the strain e without the thermal one as if nothing flowed; data, plastic strain, p and back strains of the start are
 * known. Tell where it flows; a step of length 0 looks at the state as it is. */
inlined void attempt(Local *p, double dt, const V e[T]) {
    p->grown = p->voce ? exponential(larger(-p->rate * p->before, all(-FAR))) : all(1.0);
    p->yield = p->limit + p->slope * p->before + p->gain * (1.0 - p->grown);
    for (int i = 0; i < T; i++) p->star[i] = 2.0 * p->mu * (e[i] - p->plastic[i]);
    deviate(p->star);
    for (int k = 0; k < KIN; k++) {
        deviate(p->back[k]), p->u[k] = all(0.0);
        for (int i = 0; i < T; i++) p->star[i] -= (2.0 / 3.0) * p->modulus[k] * p->back[k][i];
    }
    p->volume = e[0] + e[1] + e[2], p->still = 1.5 * dot(p->star, p->star), p->J = root(p->still);
    const I sound = p->J - p->J == 0.0;
    p->bad = pick(sound, all(0.0), all(__builtin_nan("")));
    p->size = all(0.0), p->flow = p->bad, p->flows = dt > 0 ? sound & (p->J > p->yield) : (I){0};
}

/* The stress, s = s* + Σ θ_k X_k - 2μ Δp n of the end; not a number where there is no answer. */
inlined void stress(const Local *p, V s[T]) {
    const V rest = 1.0 - 2.0 * p->mu * p->flow, mean = p->kappa * p->volume;
    for (int i = 0; i < T; i++) s[i] = rest * p->star[i] + (i < 3 ? mean : all(0.0));
    for (int k = 0; k < KIN; k++) {
        const V c = (2.0 / 3.0) * p->modulus[k] * (1.0 - p->u[k]);
        for (int i = 0; i < T; i++) s[i] += c * p->back[k][i];
    }
}

/* H = κ I⊗I + 2μ I_dev - (4μ²/h) n⊗n - (2μ Δp/J*) (2μ M + (2μ/h) (M:A)⊗n), M = 3/2 I_dev - n⊗n, A = ds* over dΔp. */
inlined void tangent(const Local *p, Slope *H) {
    V *n = H->right, moved[T];
    const V two = 2.0 * p->mu, zero = all(0.0), share = (2.0 / 3.0) * two * p->flow;
    const V inverse = pick(p->flows, two * p->dp / (p->rise - p->turn), zero);
    for (int i = 0; i < T; i++) n[i] = p->size * p->star[i], moved[i] = zero;
    for (int k = 0; k < KIN; k++) {
        const V c = pick(p->flows, (2.0 / 3.0) * p->modulus[k] * p->recall[k] * p->theta[k] * p->theta[k], zero);
        for (int i = 0; i < T; i++) moved[i] += c * p->back[k][i];
    }
    const V along = share * two - two * inverse + share * inverse * dot(n, moved), aside = 1.5 * share * inverse;
    for (int i = 0; i < T; i++) H->left[i] = along * n[i] - aside * moved[i];
    H->unit = two * (1.0 - 1.5 * share), H->volume = p->kappa - H->unit / 3.0;
}

/* The same where nothing flows. */
inlined void elastic(const Local *p, Slope *H) {
    for (int i = 0; i < T; i++) H->left[i] = H->right[i] = all(0.0);
    H->unit = 2.0 * p->mu, H->volume = p->kappa - H->unit / 3.0;
}

/* The memory at the end of the step. */
inlined void remember(const Local *p, double *plastic, double *const *backs, double *grown) {
    const V p1 = p->before + pick(p->flows, p->dp, all(0.0)) + p->bad;
    V rows[T];
    for (int i = 0; i < T; i++) rows[i] = p->plastic[i] + p->flow * p->star[i];
    store(plastic, &p->at, rows);
    for (int k = 0; k < KIN; k++) {
        for (int i = 0; i < T; i++) rows[i] = (1.0 - p->u[k]) * (p->back[k][i] + p->flow * p->star[i]);
        store(backs[k], &p->at, rows);
    }
    give(grown, &p->at, p1);
}
