/* The search for the Δp of points that flow (mises.h), by Halley's method within a bracket.
 *
 * On arrays (plexus.laws._flow) all points wait for the slowest one. Here a block waits for eight, so that a better guess and
 * the bending of both sides pay: three looks mostly, where arrays take four or five. */
#include "mises.h"

#ifndef ROUNDS
#define ROUNDS 100
#endif
/* Blocks that are solved side by side, few enough for the first cache. */
#define TOGETHER 4
#define ENOUGH 1e-12
/* Exponents for which the short `growth` does. */
#define NEAR 0x1p-6
/* No v is sought beyond these. */
#define FURTHER 1e6
#define FURTHEST 600.0

/* v at which viscosity alone resists as much as drives. */
inlined V slow(const Local *p) {
    const I viscous = p->viscosity > 0.0;
    const V K = pick(viscous, p->viscosity, all(1.0)), N = 1.0 / larger(p->power, all(TINY));
    return pick(viscous, p->logdt + N * log_ratio(p->over, K), all(709.0));
}
/* How steep and how flat R may grow, as Voce's part decays. */
inlined V steepest(const Local *p) {
    return larger(p->slope + larger(p->gain * p->grown * p->rate, all(0.0)), all(0.0));
}
inlined V flattest(const Local *p) {
    return smaller(p->slope + smaller(p->gain * p->grown * p->rate, all(0.0)), all(0.0));
}

/* Bring the bounds of v near the root. It is seldom asked for, as few steps leave them. */
static void bracket(Local *p) {
    V drop = 3.0 * p->mu + steepest(p), most = p->over;
    for (int k = 0; k < KIN; k++) {
        /* J₂ of X, which passes C/D where data that change with the temperature let it, and bounds the slope of J* */
        const V pull = root(p->G[k][k]);
        drop += p->modulus[k] + p->recall[k] * pull, most += pull;
    }
    /* both parts, and the loss of J*, are below half of what drives; J* stays below the sum of its parts */
    const V late = slow(p) - LN2 / larger(p->power, all(TINY));
    p->low = larger(p->low, smaller(late, log_ratio(0.5 * p->over, drop)));
    p->high = smaller(p->high, log_ratio(most, 3.0 * p->mu + flattest(p)) + 1e-8);
}

/* Δp and the viscous resistance at v. */
inlined V viscous(const Local *p) { return p->viscosity * exponential((p->v - p->logdt) * p->power); }
inlined V increment(const Local *p) { return exponential(larger(p->v, all(-FAR))); }

/* Prepare the search for v where it flows: the tensors as numbers, what drives if nothing flows, and where
 * 3μ + Σ C and the growth of R alone resist as much. */
inlined void start(Local *p) {
    V stiff = 3.0 * p->mu + steepest(p);
    for (int k = 0; k < KIN; k++) {
        const V ck = (2.0 / 3.0) * p->modulus[k];
        p->b[k] = 1.5 * ck * dot(p->star, p->back[k]), stiff += p->modulus[k];
        for (int l = 0; l <= k; l++)
            p->G[k][l] = p->G[l][k] = ck * p->modulus[l] * dot(p->back[k], p->back[l]);
    }
    p->firm = 3.0 * p->mu + p->slope, p->low = all(-FURTHER), p->high = all(FURTHEST), p->open = p->flows;
    p->over = pick(p->flows, p->J - p->yield, all(1.0)), p->v = log_ratio(p->over, stiff), p->dp = p->over / stiff;
}

/* A guess: z of the Δp of `start`, at which viscosity resists y of what drives, by one step of Newton's method
 * from z = 1 for z + y z^(1/N) = 1; or the Δp that viscosity alone leaves. */
inlined void guess(Local *p) {
    const V resists = viscous(p), whole = p->over + p->power * resists, rest = whole - resists;
    const I fast = rest > 0.05 * whole;
    const V part = pick(fast, rest, whole);
    p->v += log_ratio(part, whole), p->dp *= part / whole;
    if (any(~fast)) p->v = pick(fast, p->v, smaller(p->v, slow(p))), p->dp = pick(fast, p->dp, increment(p));
}

/* Both sides of J* - R = (3μ + Σ C θ) Δp + ΔR + K (Δp/dt)^(1/N) at v, with their derivatives in v. */
inlined void sides(Local *p) {
    const V dp = p->dp, slow = p->visc * p->power;
    V stiff = p->firm, slope = p->firm, curve = all(0.0), J2 = p->still, turn = curve, bow = curve, moved[SLOTS];
    for (int k = 0; k < KIN; k++) {
        const V r = p->recall[k] * dp, t = 1.0 / (1.0 + r), c = p->modulus[k] * t;
        p->theta[k] = t, p->u[k] = r * t, moved[k] = r * t * t;
        stiff += c, slope += c * t, curve += c * moved[k];
    }
    for (int k = 0; k < KIN; k++) {
        V w = p->b[k], on = all(0.0);
        for (int l = 0; l < KIN; l++) w += p->G[k][l] * p->u[l], on += p->G[k][l] * moved[l];
        J2 += p->u[k] * (p->b[k] + w), turn += moved[k] * w, bow += moved[k] * (on - 2.0 * p->u[k] * w);
    }
    p->left = stiff * dp + p->visc, p->rise = slope * dp + slow;
    p->bend = (slope - 2.0 * curve) * dp + slow * p->power;
    if (p->voce) {
        /* R = R_n + H Δp + Q e^(-b p_n) (1 - e^(-b Δp)); for a small b Δp by its series */
        const V y = p->rate * dp, fade = exponential(larger(-y, all(-FAR))), gain = p->gain * p->grown;
        const V series = y * (1.0 - y * (0.5 - y * (1.0 / 6.0 - y * (1.0 / 24.0))));
        const V grown = pick(y < 1e-3, series, 1.0 - fade);
        p->left += gain * grown, p->rise += gain * y * fade, p->bend += gain * y * fade * (1.0 - y);
    }
    p->J = root(J2);
    const V inverse = p->size = 1.0 / p->J;
    p->turn = turn * inverse, p->bow = p->turn + (bow - p->turn * p->turn) * inverse;
}

/* Tell whether some points of a block have to go on. */
inlined int pending(Local *p) {
    const V g = p->J - p->yield - p->left, size = p->J + p->yield + p->left;
    p->open &= ~(size_of(g) <= ENOUGH * size);
    return any(p->open);
}

/* Halley's step on ln(left/right), in v. */
inlined V logarithmic(const Local *p, V right) {
    const V left = p->left, m = left * right, s = p->rise * right - p->turn * left;
    const V up = p->bend * left - p->rise * p->rise, down = p->bow * right - p->turn * p->turn;
    const V c = up * right * right - down * left * left;
    const V h = log_ratio(left, right);
    return -h * m * s / (s * s - 0.5 * h * c);
}

/* Halley's step on left - right in Δp where the viscous part rises slower than the other ones, on ln(left/right) in v
 * elsewhere, or one of bisection. */
inlined void step(Local *p) {
    const V right = p->J - p->yield, g = p->left - right, s = p->rise - p->turn;
    const V whole = s * s - 0.5 * g * (p->bend - p->bow - s), rest = whole - g * s;
    const I stiff = (p->rise > 2.0 * p->visc * p->power) & (whole > 0.0) & (rest > 0.1 * whole);
    const V part = pick(stiff, rest, whole);
    V by = log_ratio(part, whole), ratio = part / whole;
    I known = stiff, far = (I){0};
    if (any(p->open & ~stiff)) {
        by = pick(stiff, by, logarithmic(p, right)), ratio = pick(stiff, ratio, growth(by));
        known |= right > 0.0, far = ~stiff & (size_of(by) > NEAR);
    }
    p->low = pick(g < 0.0, p->v, p->low), p->high = pick(g < 0.0, p->high, p->v);
    V next = p->v + by;
    const I fits = known & (next > p->low) & (next < p->high);
    if (any(p->open & ~fits)) bracket(p), next = pick(fits, next, 0.5 * (p->low + p->high)), far |= ~fits;
    p->ratio = pick(p->open, ratio, all(1.0)), p->by = pick(p->open, by, all(0.0)), p->v = pick(p->open, next, p->v);
    p->far = any(p->open & (far | (size_of(by * p->power) > NEAR)));
}

/* Δp and the viscous resistance after a step. */
inlined void move(Local *p) {
    if (p->far)
        p->dp = increment(p), p->visc = viscous(p);
    else
        p->dp *= p->ratio, p->visc *= growth(p->by * p->power);
}

/* Rows that come next, asked for line by line while a search goes on, so that the next one finds them in the cache. */
typedef struct {
    const double *at[2 + SLOTS];
    int line;
} Next;

#define LINES (TOGETHER * L * 9 / 8)
inlined void ask(Next *next) {
    if (!next || next->line == LINES) return;
    for (int k = 0; k < 2 + KIN; k++) __builtin_prefetch(next->at[k] + 8 * next->line);
    next->line++;
}

/* Let the points of some blocks flow. The operations of one wait for each other, so that blocks go on side by side. */
static void flow(Local *p, int count, Next *next) {
    Local *open[TOGETHER];
    for (int j = 0; j < count; j++) start(p + j), open[j] = p + j;
    for (int j = 0; j < count; j++) guess(p + j), ask(next);
    for (int j = 0; j < count; j++) p[j].visc = viscous(p + j), ask(next);
    for (int i = 0, left = count; i < ROUNDS && left; i++) {
        for (int j = 0; j < left; j++) sides(open[j]), ask(next);
        int still = 0;
        for (int j = 0; j < left; j++)
            if (pending(open[j])) open[still++] = open[j];
        for (int j = 0; j < still; j++) step(open[j]), ask(next);
        for (int j = 0; j < still; j++) move(open[j]), ask(next);
        left = still;
    }
    for (int j = 0; j < count; j++, p++) {
        for (int k = 0; k < KIN; k++) {
            p->u[k] = pick(p->flows, p->u[k], all(0.0));
            for (int i = 0; i < T; i++) p->star[i] += p->u[k] * (2.0 / 3.0) * p->modulus[k] * p->back[k][i];
        }
        p->size = pick(p->flows, 1.5 * p->size, all(0.0));
        p->bad = pick(p->open, all(__builtin_nan("")), p->bad);
        p->flow = pick(p->flows, p->size * p->dp, all(0.0)) + p->bad;
    }
}
