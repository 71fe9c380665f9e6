/* A Mises law at the points of cells: stress, tangent and memory at the end of a step (mises.h). */
#include "mises.h"

/* Six times six numbers H_IJ of ∂σ_I/∂ε_J as a tensor of rank four, 81 numbers. */
inlined void store_tangent(double *out, const Block *b, V H[T][T]) {
    /* number by number: rows of 81 never begin where a line of the cache does, and wide stores would straddle two */
    for (int l = 0; l < b->lanes; l++) {
        double *at = out + b->at[l] * 81;
        for (int i = 0; i < 9; i++)
            for (int j = 0; j < 9; j++) at[9 * i + j] = H[PLACE[i]][PLACE[j]][l];
    }
}

/* What is given and what is wanted. */
typedef struct {
    const Data *data;
    const double *const *memory;
    double dt, logdt, *stress, *tangents, *plastic, *ends[SLOTS], *grown;
    int64_t lost;
} Job;

/* Answer the points of a block. Where only some of them flow these are put off: their numbers go to the end of `queue`,
 * which has `waiting` of them, to fill a block of their own. */
static int points_of(Job *job, const Block *b, int64_t *queue, int waiting) {
    Local p = {0};
    Answer a;
    V e[T], ep[T], before;
    load(job->memory[0], b, e), load(job->memory[1], b, ep);
    for (int l = 0; l < L; l++) before[l] = job->memory[2][b->at[l]];
    const Data *d = job->data;
    const V kappa = datum(d->bulk, b);
    p.mu = datum(d->shear, b), p.yield = datum(d->yield, b), p.slope = datum(d->slope, b);
    p.gain = datum(d->gain, b), p.rate = datum(d->rate, b), p.viscosity = datum(d->viscosity, b);
    p.power = datum(d->power, b), p.logdt = all(job->logdt);
    for (int k = 0; k < KIN; k++) {
        p.modulus[k] = datum(d->modulus[k], b), p.recall[k] = datum(d->recall[k], b);
        load(job->memory[3 + k], b, p.back[k]), deviate(p.back[k]);
    }
    I plastic = attempt(&p, job->dt, e, ep, before);
    int flowing = 0;
    for (int l = 0; l < b->lanes; l++) flowing += plastic[l] != 0;
    if (queue && flowing && flowing < b->lanes) {
        for (int l = 0; l < b->lanes; l++)
            if (plastic[l]) queue[waiting++] = b->at[l];
        plastic = (I){0};
    }
    answer(&p, kappa, e, plastic, &a);
    for (int l = 0; l < b->lanes; l++) job->lost += a.bad[l] != a.bad[l];
    store(job->stress, b, a.stress);
    if (job->tangents) {
        V H[T][T];
        tangent(&p, kappa, a.plastic, H);
        store_tangent(job->tangents, b, H);
    }
    if (job->plastic) remember(&p, &a, ep, before, b, job->plastic, job->ends, job->grown);
    return waiting;
}

/* Answer the first points of a queue as a block. */
static void flush(Job *job, const int64_t *queue, int waiting, int64_t points) {
    Block b = {.lanes = waiting < L ? waiting : L};
    for (int l = 0; l < L; l++) {
        b.at[l] = queue[l < b.lanes ? l : b.lanes - 1];
        b.cell[l] = b.at[l] / points, b.point[l] = b.at[l] % points;
    }
    points_of(job, &b, 0, 0);
}

/* Stress (C, Q, 9), and where there is room for them the tangent (C, Q, 81) and the memory at the end of the step:
 * plastic strain, back strains one after the other, p. Memory at its start: strain without the thermal one, plastic
 * strain, p, back strains. Returns how many points found no answer; their numbers are not finite. */
int64_t respond(int64_t cells, int64_t points, double dt, const Data *data, const double *const *memory, double *stress,
                double *tangents, double *out, double *backs, double *grown) {
    const int64_t count = cells * points;
    Job job = {data, memory, dt, dt > 0 ? __builtin_log(dt) : 0.0, stress, tangents, out, {0}, grown, 0};
    for (int k = 0; backs && k < KIN; k++) job.ends[k] = backs + k * count * 9;
    int64_t queue[2 * L];
    int waiting = 0;
    for (int64_t first = 0; first < count; first += L) {
        const Block b = block(first, count, points);
        waiting = points_of(&job, &b, queue, waiting);
        if (waiting < L) continue;
        flush(&job, queue, L, points);
        for (int i = L; i < waiting; i++) queue[i - L] = queue[i];
        waiting -= L;
    }
    if (waiting) flush(&job, queue, waiting, points);
    return job.lost;
}
