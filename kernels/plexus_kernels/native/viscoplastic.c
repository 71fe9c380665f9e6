/* A Mises law at the points of cells: stress, tangent and memory at the end of a step (mises.h). */
#include "search.h"

/* What is given and what is wanted. */
typedef struct {
    const Data *data;
    const double *const *memory;
    double dt, logdt, *stress, *tangents, *plastic, *ends[SLOTS], *grown;
    int64_t points, lost;
    int varied;
} Job;

/* Read the data of the law at a block; data that are the same everywhere are read once. */
static void inform(const Job *job, const Block *b, Local *p) {
    const Data *d = job->data;
#define READ(to, from) p->to = datum(d->from, b, job->points)
    READ(kappa, bulk), READ(mu, shear), READ(limit, yield), READ(slope, slope), READ(gain, gain), READ(rate, rate);
    READ(viscosity, viscosity), READ(power, power);
    for (int k = 0; k < KIN; k++) READ(modulus[k], modulus[k]), READ(recall[k], recall[k]);
    p->logdt = all(job->logdt), p->voce = grows(p);
}

/* Look at a block. */
static void begin(const Job *job, const Block *b, Local *p) {
    V e[T];
    p->at = *b;
    load(job->memory[0], b, e), load(job->memory[1], b, p->plastic);
    for (int k = 0; k < KIN; k++) load(job->memory[3 + k], b, p->back[k]);
    if (job->varied) inform(job, b, p);
    p->before = take(job->memory[2], b);
    attempt(p, job->dt, e);
}

/* Write the answer of a block. */
static void finish(Job *job, const Local *p, const Slope *H) {
    V s[T];
    if (any(p->bad != p->bad))
        for (int l = 0; l < p->at.lanes; l++) job->lost += p->bad[l] != p->bad[l];
    stress(p, s), store(job->stress, &p->at, s);
    if (job->tangents) store_slope(job->tangents, &p->at, H);
    if (job->grown) remember(p, job->plastic, job->ends, job->grown);
}

/* Blocks whose points flow wait for each other, and points that flow among others for a block of their own. */
typedef struct {
    Local blocks[TOGETHER];
    Slope slopes[TOGETHER];
    int count, due, waiting, calm;
    int64_t queue[2 * L], next;
} Room;

static void flush(Job *job, Room *room) {
    Next next = {{job->memory[0] + 9 * room->next, job->memory[1] + 9 * room->next}};
    for (int k = 0; k < KIN; k++) next.at[2 + k] = job->memory[3 + k] + 9 * room->next;
    flow(room->blocks, room->count, &next);
    for (int j = 0; job->tangents && j < room->count; j++) tangent(room->blocks + j, room->slopes + j);
    room->due |= (1 << room->count) - 1, room->count = 0;
}

/* Write the answer that a place still holds, while what comes next is looked at. */
static Local *vacate(Job *job, Room *room, int j) {
    if (room->due >> j & 1) finish(job, room->blocks + j, room->slopes + j);
    room->due &= ~(1 << j);
    return room->blocks + j;
}

/* The first points of the queue become a block. */
static void gather(Job *job, Room *room) {
    Block b = {.lanes = room->waiting < L ? room->waiting : L};
    for (int l = 0; l < L; l++) b.at[l] = room->queue[l < b.lanes ? l : b.lanes - 1];
    for (int i = L; i < room->waiting; i++) room->queue[i - L] = room->queue[i];
    room->waiting -= b.lanes;
    begin(job, &b, vacate(job, room, room->count++));
    if (room->count == TOGETHER) flush(job, room);
}

static void answer(Job *job, Room *room, Block b) {
    Local *p = vacate(job, room, room->count);
    Slope H;
    room->next = b.at[0] + L;
    if (!room->calm) b.ahead = 0;
    begin(job, &b, p);
    room->calm = any(~p->flows);
    if (!room->calm) {
        if (++room->count == TOGETHER) flush(job, room);
        return;
    }
    if (any(p->flows))
        for (int l = 0; l < b.lanes; l++)
            if (p->flows[l]) room->queue[room->waiting++] = b.at[l];
    p->flows = (I){0}, elastic(p, &H);
    finish(job, p, &H);
    if (room->waiting >= L) gather(job, room);
}

/* Rows (1 | 2 + KIN, C, Q, 9): stress, and if `grown` (C, Q) has room for p at the end of the step, plastic strain and back
 * strains there; the tangent (C, Q, 81) where there is room for it. Memory at its start: strain without the thermal one,
 * plastic strain, p, back strains. Returns how many points found no answer; their numbers are not finite. */
int64_t respond(int64_t cells, int64_t points, double dt, const Data *data, const double *const *memory, double *rows,
                double *tangents, double *grown) {
    const int64_t count = cells * points;
    Job job = {data, memory, dt, dt > 0 ? __builtin_log(dt) : 0.0, rows, tangents, rows + 9 * count, {0}, grown, points, 0, 0};
    Room room;
    room.count = room.due = room.waiting = room.next = 0, room.calm = 1;
    const Field *fields = (const Field *)data;
    for (int i = 0; i < 8 + 2 * KIN; i++) job.varied |= fields[i].cell || fields[i].point;
    const Block start = block(0, count);
    for (int j = 0; count && j < TOGETHER; j++) inform(&job, &start, room.blocks + j);
    for (int k = 0; k < KIN; k++) job.ends[k] = rows + 9 * (2 + k) * count;
    for (int64_t first = 0; first < count; first += L) answer(&job, &room, block(first, count));
    if (room.waiting) gather(&job, &room);
    flush(&job, &room);
    for (int j = 0; j < TOGETHER; j++) vacate(&job, &room, j);
    return job.lost;
}
