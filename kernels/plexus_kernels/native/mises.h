/* Backward Euler of a Mises law with isotropic and kinematic hardening and a viscous overstress, at the points of one
 * block. The equations are those of plexus.laws._flow, which has them for arrays and tensors.
 *
 * KIN back strains. Symmetric tensors are six numbers 11 22 33 12 23 31 of the tensor itself, so that the double
 * contraction counts the shears twice. Per point the unknown is v = ln Δp, and lanes go on until all are done. */
#include "lanes.h"

typedef int64_t I __attribute__((vector_size(8 * L)));
#define T 6
#define SLOTS (KIN ? KIN : 1)
#ifndef ROUNDS
#define ROUNDS 100
#endif
#define ENOUGH 1e-12
#define LN2 0.69314718055994530942

static const int ROW[T] = {0, 4, 8, 1, 5, 2}, MIRROR[T] = {0, 4, 8, 3, 7, 6};
/* where the six numbers stand in the nine of a 3 x 3 tensor by rows */
static const int PLACE[9] = {0, 3, 5, 3, 1, 4, 5, 4, 2};

/* Data at the points: bulk and shear modulus, yield stress, slope, gain and rate of its growth, viscosity, 1/N. */
typedef struct {
    Field bulk, shear, yield, slope, gain, rate, viscosity, power, modulus[SLOTS], recall[SLOTS];
} Data;

inlined V all(double x) { return x - (V){0}; }
inlined V pick(I m, V a, V b) { return (V)((m & (I)a) | (~m & (I)b)); }
inlined V larger(V a, V b) { return pick(a > b, a, b); }
inlined V smaller(V a, V b) { return pick(a < b, a, b); }
inlined int any(I m) {
    int64_t found = 0;
    for (int l = 0; l < L; l++) found |= m[l];
    return found != 0;
}
inlined V root(V a) {
    for (int l = 0; l < L; l++) a[l] = __builtin_sqrt(a[l]);
    return a;
}

/* e^x = 2^k e^r, |r| ≤ ln 2 / 2, by the Taylor polynomial of degree 13; smaller than 1e-307 is 1e-307. */
inlined V exponential(V x) {
    const double magic = 6755399441055744.0;
    x = larger(smaller(x, all(709.0)), all(-707.0));
    const V shifted = x * 1.4426950408889634 + magic, k = shifted - magic;
    const V r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    V e = all(1.0 / 6227020800.0);
    e = e * r + 1.0 / 479001600.0, e = e * r + 1.0 / 39916800.0, e = e * r + 1.0 / 3628800.0;
    e = e * r + 1.0 / 362880.0, e = e * r + 1.0 / 40320.0, e = e * r + 1.0 / 5040.0, e = e * r + 1.0 / 720.0;
    e = e * r + 1.0 / 120.0, e = e * r + 1.0 / 24.0, e = e * r + 1.0 / 6.0, e = e * r + 0.5, e = e * r + 1.0;
    e = e * r + 1.0;
    /* the last bits of the shifted number are k */
    return e * (V)(((I)shifted - (I)all(magic) + 1023) << 52);
}

/* ln x = k ln 2 + 2 artanh s, s = (m - 1)/(m + 1), √½ ≤ m < √2, for normal x > 0. */
inlined V logarithm(V x) {
    const I bits = (I)x, half = (I)all(0.70710678118654752440);
    const I k = (bits - half) >> 52;
    const V m = (V)(bits - (k << 52)), s = (m - 1.0) / (m + 1.0), z = s * s;
    V y = all(1.0 / 21.0);
    y = y * z + 1.0 / 19.0, y = y * z + 1.0 / 17.0, y = y * z + 1.0 / 15.0, y = y * z + 1.0 / 13.0;
    y = y * z + 1.0 / 11.0, y = y * z + 1.0 / 9.0, y = y * z + 1.0 / 7.0, y = y * z + 1.0 / 5.0;
    y = y * z + 1.0 / 3.0, y = y * z + 1.0;
    V e;
    for (int l = 0; l < L; l++) e[l] = (double)k[l];
    return e * 6.93147180559945309417e-01 + 2.0 * s * y;
}

inlined V dot(const V a[T], const V b[T]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + 2.0 * (a[3] * b[3] + a[4] * b[4] + a[5] * b[5]);
}
inlined V mises(const V s[T]) { return root(1.5 * dot(s, s)); }

/* The points of one block: L numbers in a row, the last one repeated where there are fewer. */
typedef struct {
    int64_t at[L], cell[L], point[L];
    int lanes;
} Block;

inlined Block block(int64_t first, int64_t count, int64_t points) {
    Block b;
    for (int l = 0; l < L; l++) {
        b.at[l] = first + l < count ? first + l : count - 1;
        b.cell[l] = b.at[l] / points, b.point[l] = b.at[l] % points;
    }
    b.lanes = count - first < L ? (int)(count - first) : L;
    return b;
}
inlined V datum(Field f, const Block *b) {
    if (!f.cell && !f.point) return all(*f.at);
    V v;
    for (int l = 0; l < L; l++) v[l] = f.at[b->cell[l] * f.cell + b->point[l] * f.point];
    return v;
}
/* L numbers in a row anywhere in memory. */
typedef double Row __attribute__((vector_size(8 * L), aligned(8), may_alias));

/* Exchange rows and columns of L × L numbers: halves, quarters, and so on change places. */
inlined void transpose(V a[L]) {
#if L == 8
    for (int i = 0; i < 4; i++) {
        const V x = a[i], y = a[i + 4];
        a[i] = __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11);
        a[i + 4] = __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int i = 0; i < 6; i += i & 1 ? 3 : 1) {
        const V x = a[i], y = a[i + 2];
        a[i] = __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13);
        a[i + 2] = __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (int i = 0; i < 8; i += 2) {
        const V x = a[i], y = a[i + 1];
        a[i] = __builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14);
        a[i + 1] = __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15);
    }
#elif L == 4
    for (int i = 0; i < 2; i++) {
        const V x = a[i], y = a[i + 2];
        a[i] = __builtin_shufflevector(x, y, 0, 1, 4, 5), a[i + 2] = __builtin_shufflevector(x, y, 2, 3, 6, 7);
    }
    for (int i = 0; i < 4; i += 2) {
        const V x = a[i], y = a[i + 1];
        a[i] = __builtin_shufflevector(x, y, 0, 4, 2, 6), a[i + 1] = __builtin_shufflevector(x, y, 1, 5, 3, 7);
    }
#else
    const V x = a[0], y = a[1];
    a[0] = (V){x[0], y[0]}, a[1] = (V){x[1], y[1]};
#endif
}

/* The symmetric part of tensors of nine numbers per point. */
inlined void load(const double *from, const Block *b, V a[T]) {
    V nine[9];
    for (int k = 0; k < 8; k += L) {
        for (int l = 0; l < L; l++) nine[k + l] = *(const Row *)(from + 9 * b->at[l] + k);
        transpose(nine + k);
    }
    for (int l = 0; l < L; l++) nine[8][l] = from[9 * b->at[l] + 8];
    for (int i = 0; i < T; i++) a[i] = i < 3 ? nine[ROW[i]] : 0.5 * (nine[ROW[i]] + nine[MIRROR[i]]);
}
inlined V deviate(V a[T]) {
    const V trace = a[0] + a[1] + a[2];
    for (int i = 0; i < 3; i++) a[i] -= trace / 3.0;
    return trace;
}
inlined void store(double *out, const Block *b, const V a[T]) {
    for (int k = 0; k < 8; k += L) {
        V rows[L];
        for (int i = 0; i < L; i++) rows[i] = a[PLACE[k + i]];
        transpose(rows);
        for (int l = 0; l < b->lanes; l++) *(Row *)(out + 9 * b->at[l] + k) = rows[l];
    }
    for (int l = 0; l < b->lanes; l++) out[9 * b->at[l] + 8] = a[PLACE[8]][l];
}

/* What the law is at one point: constants of the local problem, and what it is at the latest Δp. */
typedef struct {
    V mu, yield, slope, gain, rate, viscosity, power, logdt, modulus[SLOTS], recall[SLOTS];
    V trial[T], back[SLOTS][T], grown;
    V dp, theta[SLOTS], star[T], moved[T], J, left, resist, visc, sway;
    int voce;
} Local;

/* Both sides of J* - R = (3μ + Σ C θ) Δp + ΔR + K (Δp/dt)^(1/N) at v, and their slopes in Δp. */
inlined void sides(Local *p, V v) {
    p->dp = exponential(v);
    p->visc = p->viscosity * exponential((v - p->logdt) * p->power);
    V stiff = 3.0 * p->mu, slope = 3.0 * p->mu;
    for (int i = 0; i < T; i++) p->star[i] = p->trial[i], p->moved[i] = all(0.0);
    for (int k = 0; k < KIN; k++) {
        const V t = 1.0 / (1.0 + p->recall[k] * p->dp), c = p->modulus[k] * t;
        p->theta[k] = t, stiff += c, slope += c * t;
        const V pull = (2.0 / 3.0) * c, swing = pull * t * p->recall[k];
        for (int i = 0; i < T; i++) p->star[i] -= pull * p->back[k][i], p->moved[i] += swing * p->back[k][i];
    }
    p->left = (stiff + p->slope) * p->dp + p->visc;
    p->resist = slope + p->slope;
    if (p->voce) {
        /* R = R_n + H Δp + Q e^(-b p_n) (1 - e^(-b Δp)); for a small b Δp by its series */
        const V y = p->rate * p->dp, fade = exponential(-y);
        const V rise = pick(y < 1e-3, y * (1.0 - y * (0.5 - y * (1.0 / 6.0 - y * (1.0 / 24.0)))), 1.0 - fade);
        p->left += p->gain * p->grown * rise;
        p->resist += p->gain * p->grown * p->rate * fade;
    }
    p->J = mises(p->star);
    /* n:A with the direction n = (3/2) s* over J* and A = ds* over dΔp */
    p->sway = 1.5 * dot(p->star, p->moved) / larger(p->J, all(1e-300));
}

/* Solve for v where `plastic`, from J* without flow; return the lanes that did not come to an end. */
inlined I solve(Local *p, I plastic) {
    V stiff = 3.0 * p->mu, most = mises(p->trial), drop = 3.0 * p->mu;
    for (int k = 0; k < KIN; k++) {
        /* J₂ of X, which passes C/D where data that change with the temperature let it, and bounds the slope of J* */
        const V pull = (2.0 / 3.0) * p->modulus[k] * mises(p->back[k]);
        stiff += p->modulus[k], drop += p->modulus[k] + p->recall[k] * pull, most += pull;
    }
    /* the growth of R is steepest at one end: Voce's part decays */
    const V voce = p->gain * p->grown * p->rate, zero = all(0.0);
    const V up = larger(p->slope + larger(voce, zero), zero), down = smaller(p->slope + smaller(voce, zero), zero);
    const V over = pick(plastic, p->J - p->yield, all(1.0));
    const I viscous = p->viscosity > 0.0;
    const V n = pick(viscous, 1.0 / larger(p->power, all(1e-300)), zero);
    /* the root of either part of the resistance alone, whichever is nearer */
    const V slow = pick(viscous, p->logdt + n * logarithm(over / pick(viscous, p->viscosity, all(1.0))), all(709.0));
    V v = smaller(slow, logarithm(over / (stiff + up)));
    /* both parts, and the loss of J*, are below half of what drives; J* stays below the sum of its parts */
    V low = smaller(slow - LN2 * n, logarithm(0.5 * over / (drop + up)));
    V high = logarithm(larger(most - p->yield, over) / (3.0 * p->mu + down)) + 1e-12;
    v = smaller(larger(v, low), high);
    for (int i = 0; i < ROUNDS; i++) {
        sides(p, v);
        const V right = p->J - p->yield, g = right - p->left;
        const V size = p->J + p->yield + p->left;
        plastic &= ~(larger(g, -g) <= ENOUGH * size);
        if (!any(plastic)) break;
        low = pick(g >= 0.0, v, low), high = pick(g <= 0.0, v, high);
        const I known = right > 0.0;
        const V h = logarithm(p->left / pick(known, right, all(1.0)));
        const V slope = (p->resist * p->dp + p->visc * p->power) / p->left - p->sway * p->dp / pick(known, right, all(1.0));
        const V step = v - h / slope;
        const I fits = known & (step > low) & (step < high);
        v = pick(plastic, pick(fits, step, 0.5 * (low + high)), v);
    }
    return plastic;
}

/* H = κ I⊗I + 2μ I_dev - (4μ²/h) n⊗n - (2μ Δp/J*) (2μ M + (2μ/h) (M:A)⊗n), M = 3/2 I_dev - n⊗n. */
inlined void tangent(const Local *p, V kappa, I plastic, V H[T][T]) {
    V n[T], turned[T];
    const V h = p->resist + p->visc * p->power / p->dp - p->sway, J = larger(p->J, all(1e-300));
    const V share = pick(plastic, 2.0 * p->mu * p->dp / J, all(0.0)), inverse = pick(plastic, 2.0 * p->mu / h, all(0.0));
    for (int i = 0; i < T; i++) n[i] = pick(plastic, 1.5 * p->star[i] / J, all(0.0));
    const V along = dot(n, p->moved);
    for (int i = 0; i < T; i++) turned[i] = 1.5 * p->moved[i] - n[i] * along;
    const V two = 2.0 * p->mu, direct = two * (1.0 - 1.5 * share);
    for (int i = 0; i < T; i++)
        for (int j = 0; j < T; j++)
            H[i][j] = (share * two - two * inverse) * n[i] * n[j] - share * inverse * turned[i] * n[j];
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) H[i][j] += kappa - direct / 3.0;
        H[i][i] += direct, H[i + 3][i + 3] += 0.5 * direct;
    }
}

/* What the law answers: stress, 3/2 Δp/J* of the flow (0 where there is none), NaN where there is no answer and 0
 * elsewhere, and where it flows. */
typedef struct {
    V stress[T], flow, bad;
    I plastic;
} Answer;

/* Take the strain e without the thermal one as if nothing flowed, from the plastic strain ep and p at the start of the
 * step; moduli, data and back strains are in `p`. Return where it flows; a step of length 0 looks at the state as it is. */
inlined I attempt(Local *p, double dt, const V e[T], const V ep[T], V before) {
    p->voce = any((p->gain != 0.0) & (p->rate != 0.0));
    p->grown = p->voce ? exponential(-p->rate * before) : all(1.0);
    p->yield += p->slope * before + p->gain * (1.0 - p->grown);
    for (int i = 0; i < T; i++) p->trial[i] = 2.0 * p->mu * (e[i] - ep[i]);
    deviate(p->trial);
    for (int i = 0; i < T; i++) {
        p->star[i] = p->trial[i];
        for (int k = 0; k < KIN; k++) p->star[i] -= (2.0 / 3.0) * p->modulus[k] * p->back[k][i];
    }
    p->J = mises(p->star);
    return dt > 0 ? (p->J - p->J == 0.0) & (p->J > p->yield) : (I){0};
}

/* Answer the strain e after `attempt`, with a flow where `plastic`. */
inlined void answer(Local *p, V kappa, const V e[T], I plastic, Answer *a) {
    const V volume = e[0] + e[1] + e[2];
    const I sound = p->J - p->J == 0.0;
    a->plastic = plastic;
    const I open = any(plastic) ? solve(p, plastic) : (I){0};
    a->bad = pick(sound & ~open, all(0.0), all(__builtin_nan("")));
    a->flow = pick(plastic, 1.5 * p->dp / larger(p->J, all(1e-300)), all(0.0));
    for (int i = 0; i < T; i++)
        a->stress[i] = p->trial[i] - 2.0 * p->mu * a->flow * p->star[i] + a->bad + (i < 3 ? kappa * volume : all(0.0));
}

/* The memory at the end of the step, where the plastic strain was ep and p was `before`. */
inlined void remember(const Local *p, const Answer *a, const V ep[T], V before, const Block *b, double *plastic,
                      double *const *backs, double *grown) {
    V rows[T];
    for (int i = 0; i < T; i++) rows[i] = ep[i] + a->flow * p->star[i] + a->bad;
    store(plastic, b, rows);
    for (int k = 0; k < KIN; k++) {
        const V t = pick(a->plastic, p->theta[k], all(1.0));
        for (int i = 0; i < T; i++) rows[i] = t * (p->back[k][i] + a->flow * p->star[i]) + a->bad;
        store(backs[k], b, rows);
    }
    const V p1 = before + pick(a->plastic, p->dp, all(0.0)) + a->bad;
    for (int l = 0; l < b->lanes; l++) grown[b->at[l]] = p1[l];
}
