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
#ifndef ROUNDS
#define ROUNDS 100
#endif
/* Blocks that are solved side by side, few enough for the first cache. */
#define TOGETHER 4
#define ENOUGH 1e-12
#define TINY 1e-300
/* Numbers below e^-FAR stand for 0. */
#define FAR 707.0

/* Data at the points: bulk and shear modulus, yield stress, slope, gain and rate of its growth, viscosity, 1/N. */
typedef struct {
    Field bulk, shear, yield, slope, gain, rate, viscosity, power, modulus[SLOTS], recall[SLOTS];
} Data;

/* A block of points: its data, the state at the start of the step, and what the latest Δp makes of it. */
typedef struct {
    Block at;
    V kappa, mu, limit, slope, gain, rate, viscosity, power, logdt, modulus[SLOTS], recall[SLOTS];
    V volume, plastic[T], before, back[SLOTS][T], grown, yield, star[T], firm, still, b[SLOTS], G[SLOTS][SLOTS];
    V v, low, high, dp, theta[SLOTS], u[SLOTS], J, turn, left, resist, visc, flow, bad;
    I flows, open;
    int voce;
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
    p->flow = all(0.0), p->flows = dt > 0 ? sound & (p->J > p->yield) : (I){0};
}

/* Prepare the search for v where it flows: the tensors as numbers, a start, and a bracket around the root. */
inlined void bracket(Local *p) {
    V stiff = 3.0 * p->mu, drop = 3.0 * p->mu, most = p->J;
    for (int k = 0; k < KIN; k++) {
        const V ck = (2.0 / 3.0) * p->modulus[k];
        p->b[k] = 1.5 * ck * dot(p->star, p->back[k]);
        for (int l = 0; l <= k; l++)
            p->G[k][l] = p->G[l][k] = ck * p->modulus[l] * dot(p->back[k], p->back[l]);
        /* J₂ of X, which passes C/D where data that change with the temperature let it, and bounds the slope of J* */
        const V pull = root(p->G[k][k]);
        stiff += p->modulus[k], drop += p->modulus[k] + p->recall[k] * pull, most += pull;
    }
    /* the growth of R is steepest at one end: Voce's part decays */
    const V voce = p->gain * p->grown * p->rate, zero = all(0.0);
    const V up = larger(p->slope + larger(voce, zero), zero), down = smaller(p->slope + smaller(voce, zero), zero);
    const V over = pick(p->flows, p->J - p->yield, all(1.0));
    const I viscous = p->viscosity > 0.0;
    const V n = pick(viscous, 1.0 / larger(p->power, all(TINY)), zero);
    /* the root of either part of the resistance alone, whichever is nearer */
    const V slow = pick(viscous, p->logdt + n * log_ratio(over, pick(viscous, p->viscosity, all(1.0))), all(709.0));
    const V near = smaller(slow, log_ratio(over, stiff + up));
    /* both parts, and the loss of J*, are below half of what drives; J* stays below the sum of its parts */
    p->low = smaller(slow - LN2 * n, log_ratio(0.5 * over, drop + up));
    p->high = log_ratio(larger(most - p->yield, over), 3.0 * p->mu + down) + 1e-8;
    p->v = smaller(larger(near, p->low), p->high), p->open = p->flows, p->firm = 3.0 * p->mu + p->slope;
}

/* Both sides of J* - R = (3μ + Σ C θ) Δp + ΔR + K (Δp/dt)^(1/N) at v, and their slopes in Δp; `turn` is J* dJ/dΔp. */
inlined void powers(Local *p) {
    p->dp = exponential(larger(p->v, all(-FAR))), p->visc = p->viscosity * exponential((p->v - p->logdt) * p->power);
}
inlined void sides(Local *p) {
    const V dp = p->dp;
    V stiff = p->firm, slope = p->firm, J2 = p->still, turn = all(0.0);
    for (int k = 0; k < KIN; k++) {
        const V r = p->recall[k] * dp, t = 1.0 / (1.0 + r), c = p->modulus[k] * t;
        p->theta[k] = t, p->u[k] = r * t, stiff += c, slope += c * t;
    }
    for (int k = 0; k < KIN; k++) {
        V w = p->b[k];
        for (int l = 0; l < KIN; l++) w += p->G[k][l] * p->u[l];
        J2 += p->u[k] * (p->b[k] + w), turn += p->recall[k] * p->theta[k] * p->theta[k] * w;
    }
    p->left = stiff * dp + p->visc, p->resist = slope;
    if (p->voce) {
        /* R = R_n + H Δp + Q e^(-b p_n) (1 - e^(-b Δp)); for a small b Δp by its series */
        const V y = p->rate * dp, fade = exponential(larger(-y, all(-FAR)));
        const V rise = pick(y < 1e-3, y * (1.0 - y * (0.5 - y * (1.0 / 6.0 - y * (1.0 / 24.0)))), 1.0 - fade);
        p->left += p->gain * p->grown * rise;
        p->resist += p->gain * p->grown * p->rate * fade;
    }
    p->J = root(J2), p->turn = turn;
}

/* Tell whether some points of a block have to go on. */
inlined int pending(Local *p) {
    const V g = p->J - p->yield - p->left, size = p->J + p->yield + p->left;
    p->open &= ~(size_of(g) <= ENOUGH * size);
    return any(p->open);
}

/* Halley's step on ln of both sides, h(v) = ln(left/right), or one of bisection. With right = drive/J and m = left drive the
 * slopes are h' = s/m and h'' = c/m²; what bends the right side is left out, which moves no root. */
inlined void step(Local *p) {
    const V right = p->J - p->yield;
    const I known = right > 0.0, rest = right > p->left;
    const V drive = right * p->J, m = p->left * drive, a = p->resist * p->dp, b = p->visc * p->power;
    const V rise = (a + b) * drive, fall = p->turn * p->dp * p->left, s = rise - fall;
    const V h = log_ratio(p->left * p->J, drive), c = (a + b * p->power) * drive * m - s * (rise + fall);
    const V next = p->v - h * m * s / (s * s - 0.5 * h * c);
    p->low = pick(rest, p->v, p->low), p->high = pick(rest, p->high, p->v);
    const I fits = known & (next > p->low) & (next < p->high);
    p->v = pick(p->open, pick(fits, next, 0.5 * (p->low + p->high)), p->v);
}

/* Let the points of some blocks flow. The operations of one wait for each other, so that blocks go on side by side. */
static void flow(Local *p, int count) {
    Local *open[TOGETHER];
    for (int j = 0; j < count; j++) bracket(p + j), open[j] = p + j;
    for (int i = 0, left = count; i < ROUNDS && left; i++) {
        for (int j = 0; j < left; j++) powers(open[j]);
        for (int j = 0; j < left; j++) sides(open[j]);
        int still = 0;
        for (int j = 0; j < left; j++)
            if (pending(open[j])) open[still++] = open[j];
        for (int j = 0; j < still; j++) step(open[j]);
        left = still;
    }
    for (int j = 0; j < count; j++, p++) {
        for (int k = 0; k < KIN; k++) {
            p->u[k] = pick(p->flows, p->u[k], all(0.0));
            for (int i = 0; i < T; i++) p->star[i] += p->u[k] * (2.0 / 3.0) * p->modulus[k] * p->back[k][i];
        }
        p->J = larger(mises(p->star), all(TINY));
        p->flow = pick(p->flows, 1.5 * p->dp / p->J, all(0.0));
        p->bad = pick(p->open, all(__builtin_nan("")), p->bad);
    }
}

/* The stress, s = s* + Σ θ_k X_k - 2μ Δp n of the end; not a number where there is no answer. */
inlined void stress(const Local *p, V s[T]) {
    const V rest = 1.0 - 2.0 * p->mu * p->flow, mean = p->kappa * p->volume;
    for (int i = 0; i < T; i++) s[i] = rest * p->star[i] + p->bad + (i < 3 ? mean : all(0.0));
    for (int k = 0; k < KIN; k++) {
        const V c = (2.0 / 3.0) * p->modulus[k] * (1.0 - p->u[k]);
        for (int i = 0; i < T; i++) s[i] += c * p->back[k][i];
    }
}

/* H = κ I⊗I + 2μ I_dev - (4μ²/h) n⊗n - (2μ Δp/J*) (2μ M + (2μ/h) (M:A)⊗n), M = 3/2 I_dev - n⊗n, A = ds* over dΔp. */
inlined void tangent(const Local *p, Slope *H) {
    V *n = H->right, moved[T];
    const V two = 2.0 * p->mu, zero = all(0.0), h = p->resist + p->visc * p->power / p->dp - p->turn / p->J;
    const V share = pick(p->flows, two * p->dp / p->J, zero), inverse = pick(p->flows, two / h, zero);
    for (int i = 0; i < T; i++) n[i] = pick(p->flows, 1.5 * p->star[i] / p->J, zero), moved[i] = zero;
    for (int k = 0; k < KIN; k++) {
        const V c = (2.0 / 3.0) * p->modulus[k] * p->recall[k] * p->theta[k] * p->theta[k];
        for (int i = 0; i < T; i++) moved[i] += pick(p->flows, c * p->back[k][i], zero);
    }
    const V along = share * two - two * inverse + share * inverse * dot(n, moved), aside = 1.5 * share * inverse;
    for (int i = 0; i < T; i++) H->left[i] = along * n[i] - aside * moved[i];
    H->unit = two * (1.0 - 1.5 * share), H->volume = p->kappa - H->unit / 3.0;
}

/* The memory at the end of the step. */
inlined void remember(const Local *p, double *plastic, double *const *backs, double *grown) {
    const V p1 = p->before + pick(p->flows, p->dp, all(0.0)) + p->bad;
    V rows[T];
    for (int i = 0; i < T; i++) rows[i] = p->plastic[i] + p->flow * p->star[i] + p->bad;
    store(plastic, &p->at, rows);
    for (int k = 0; k < KIN; k++) {
        for (int i = 0; i < T; i++) rows[i] = (1.0 - p->u[k]) * (p->back[k][i] + p->flow * p->star[i]) + p->bad;
        store(backs[k], &p->at, rows);
    }
    for (int l = 0; l < L; l++) grown[p->at.at[l]] = p1[l];
}
