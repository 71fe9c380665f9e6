/* A piecewise linear curve y(x), constant beyond its ends, at many x.
 *
 * Knots x_j in rising order, y_j there and the slope behind knot j, which is 0 behind the last. */
#include "elementary.h"

/* Curves of more knots are searched by halves, which look up numbers at every turn. */
#define FEW 24

/* Knot, value and slope of the interval in which x lies. */
typedef struct {
    V knot, value, slope;
} Piece;

inlined Piece walked(int64_t count, const double *knots, const double *values, const double *slopes, V x) {
    Piece p = {all(knots[0]), all(values[0]), all(slopes[0])};
    for (int64_t j = 1; j < count; j++) {
        const I past = x >= knots[j];
        p.knot = pick(past, all(knots[j]), p.knot), p.value = pick(past, all(values[j]), p.value);
        p.slope = pick(past, all(slopes[j]), p.slope);
    }
    return p;
}
inlined Piece halved(int64_t count, const double *knots, const double *values, const double *slopes, V x) {
    Piece p;
    for (int l = 0; l < L; l++) {
        int64_t low = 0, high = count;
        while (high - low > 1) {
            const int64_t middle = (low + high) / 2;
            if (x[l] >= knots[middle]) low = middle;
            else high = middle;
        }
        p.knot[l] = knots[low], p.value[l] = values[low], p.slope[l] = slopes[low];
    }
    return p;
}

/* Values at `points` numbers x; returns how many of these lie below `low` or above `high`. */
int64_t curve(int64_t points, const double *x, int64_t count, const double *knots, const double *values, const double *slopes,
              double low, double high, double *found) {
    int64_t beyond = 0;
    for (int64_t first = 0; first < points; first += L) {
        const int lanes = points - first < L ? (int)(points - first) : L;
        V at = all(knots[0]);
        if (lanes == L) at = *(const Row *)(x + first);
        else for (int l = 0; l < lanes; l++) at[l] = x[first + l];
        const I out = (at < low) | (at > high);
        if (any(out))
            for (int l = 0; l < L; l++) beyond -= out[l];
        at = pick(at < knots[0], all(knots[0]), at), at = pick(at > knots[count - 1], all(knots[count - 1]), at);
        const Piece p = count > FEW ? halved(count, knots, values, slopes, at) : walked(count, knots, values, slopes, at);
        const V y = p.value + p.slope * (at - p.knot);
        if (lanes == L) *(Row *)(found + first) = y;
        else for (int l = 0; l < lanes; l++) found[first + l] = y[l];
    }
    return beyond;
}
