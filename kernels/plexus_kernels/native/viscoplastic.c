/* A Mises law at the points of cells: stress, tangent and memory at the end of a step (mises.h). */
#include "mises.h"

/* Six times six numbers H_IJ of ∂σ_I/∂ε_J as a tensor of rank four, 81 numbers. */
inlined void store_tangent(double *out, const Block *b, V H[T][T]) {
    for (int l = 0; l < b->lanes; l++) {
        double *at = out + b->at[l] * 81;
        for (int i = 0; i < 9; i++)
            for (int j = 0; j < 9; j++) at[9 * i + j] = H[PLACE[i]][PLACE[j]][l];
    }
}

/* Stress (C, Q, 9), and where there is room for them the tangent (C, Q, 81) and the memory at the end of the step:
 * plastic strain, back strains one after the other, p. Memory at its start: strain without the thermal one, plastic
 * strain, p, back strains. Returns how many points found no answer; their numbers are not finite. */
int64_t respond(int64_t cells, int64_t points, double dt, const Data *data, const double *const *memory, double *stress,
                double *tangents, double *out, double *backs, double *grown) {
    const int64_t count = cells * points;
    const V logdt = all(dt > 0 ? __builtin_log(dt) : 0.0);
    double *ends[SLOTS] = {0};
    for (int k = 0; backs && k < KIN; k++) ends[k] = backs + k * count * 9;
    int64_t lost = 0;
    for (int64_t first = 0; first < count; first += L) {
        const Block b = block(first, count, points);
        Local p = {0};
        Answer a;
        V e[T], ep[T], before;
        load(memory[0], &b, e), load(memory[1], &b, ep);
        for (int l = 0; l < L; l++) before[l] = memory[2][b.at[l]];
        const V kappa = datum(data->bulk, &b);
        p.mu = datum(data->shear, &b), p.yield = datum(data->yield, &b), p.slope = datum(data->slope, &b);
        p.gain = datum(data->gain, &b), p.rate = datum(data->rate, &b), p.viscosity = datum(data->viscosity, &b);
        p.power = datum(data->power, &b), p.logdt = logdt;
        for (int k = 0; k < KIN; k++) {
            p.modulus[k] = datum(data->modulus[k], &b), p.recall[k] = datum(data->recall[k], &b);
            load(memory[3 + k], &b, p.back[k]), deviate(p.back[k]);
        }
        answer(&p, kappa, dt, e, ep, before, &a);
        for (int l = 0; l < b.lanes; l++) lost += a.bad[l] != a.bad[l];
        store(stress, &b, a.stress);
        if (tangents) {
            V H[T][T];
            tangent(&p, kappa, a.plastic, H);
            store_tangent(tangents, &b, H);
        }
        if (out) remember(&p, &a, ep, before, &b, out, ends, grown);
    }
    return lost;
}
