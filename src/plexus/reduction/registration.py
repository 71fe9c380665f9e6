"""Registration: a grid that moves so that data on it have low rank.

    x_i(t_j) = ξ_i + Σ_k U_ik V_jk,    G_ij = M(x_i(t_j), t_j),    min over U, V of |G - [G]_r|²

M are fields along a line (and on other lines beside it, moved alike) on the unit interval, [G]_r the nearest
matrix of rank r, so that the residual is (1 - WWᵀ) G (1 - ZZᵀ) with the leading singular vectors. U is
continuous and linear between control points and zero at both ends, V a natural cubic spline. As the distance
of neighbours is then constant between control points, folding is excluded by finitely many bounds: a step
that passes one is not taken. Small rows ∝ log of what is left of these distances keep the grid smooth.
Levenberg and Marquardt's method minimises, with

    ∂residual/∂θ ≈ (1 - WWᵀ) (M_x ∘ ∂x/∂θ) (1 - ZZᵀ)

(variable projection, L. Kaufman, BIT 15 (1975) 49, doi:10.1007/BF01932995), first for blurred data. Source:
R. Mojgani, M. Balajewicz, arXiv:2006.15655 (2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
BLURS = (0.12, 0.04, 0.015, 0.005, 0.0)
"""Widths of the blurs of the data, relative to the length of the line."""
SMOOTH = (1e-2, 3e-3, 1e-3, 1e-3, 1e-3)
"""Weights, one for each blur, of the rows that keep distances alike and above the bound."""
POINTS, SNAPSHOTS = 400, 40
"""Sizes to which data are coarsened where the grid is sought."""
STEPS = 40
"""Most steps per blur."""
ENOUGH = 1e-3
"""Relative decrease of the square below which the steps end."""


def hats(s: Array, m: int) -> Array:
    """Return the values at ``s`` in [0, 1] of functions linear between m control points, (len, m)."""
    q = np.clip(s, 0, 1) * (m - 1)
    i = np.minimum(q.astype(int), m - 2)
    found, row = np.zeros((len(s), m)), np.arange(len(s))
    found[row, i], found[row, i + 1] = i + 1 - q, q - i
    return found


def splines(s: Array, m: int) -> Array:
    """Return the values of natural cubic splines through m > 2 control points, (len, m).

    They go on as straight lines beyond [0, 1].
    """
    h, inside = 1 / (m - 1), np.clip(s, 0, 1)
    second = _second(m)
    q = inside * (m - 1)
    i, row = np.minimum(q.astype(int), m - 2), np.arange(len(s))
    b = q - i
    a = 1 - b
    curve = np.zeros((len(s), m))
    curve[row, i], curve[row, i + 1] = (a**3 - a) * h**2 / 6, (b**3 - b) * h**2 / 6
    slope = np.zeros((2, m))
    slope[0, :2], slope[1, -2:] = np.array([-1, 1]) / h, np.array([-1, 1]) / h
    # second derivatives vanish at the ends, those of the neighbours count a sixth
    slope[0] -= h / 6 * second[1]
    slope[1] += h / 6 * second[-2]
    beyond = np.outer(np.minimum(s, 0), slope[0]) + np.outer(np.maximum(s - 1, 0), slope[1])
    return np.asarray(hats(s, m) + curve @ second + beyond)


def _second(m: int) -> Array:
    """Return the second derivatives at control points of natural splines through unit values, (m, m)."""
    left, right = np.eye(m), np.zeros((m, m))
    for i in range(1, m - 1):
        left[i, i - 1 : i + 2] = np.array([1, 4, 1]) / 6
        right[i, i - 1 : i + 2] = np.array([1, -2, 1]) * (m - 1) ** 2
    return np.linalg.solve(left, right)


@dataclass(frozen=True, eq=False)
class Motion:
    """A moving grid.

    Attributes
    ----------
    shapes : array (a, k)
        U at the control points of the line, zero in the first and last.
    courses : array (b, k)
        V at the control points of time.
    """

    shapes: Array
    courses: Array

    def at(self, xi: Array, s: Array) -> Array:
        """Return the positions of points (n,) at times (k,), in units of line and training, (n, k)."""
        u = hats(xi, len(self.shapes)) @ self.shapes
        found: Array = xi[:, None] + u @ self.courses_at(s).T
        return found

    def courses_at(self, s: Array) -> Array:
        """Return V at times (k,), (k, modes)."""
        return splines(s, len(self.courses)) @ self.courses

    def spacing(self, s: Array) -> Array:
        """Return the distances of neighbours at times (k,), relative to those at rest, (a - 1, k)."""
        slope = np.diff(self.shapes, axis=0) * (len(self.shapes) - 1)
        found: Array = 1 + slope @ self.courses_at(s).T
        return found


@dataclass(frozen=True)
class Settings:
    """What is sought: ranks of grid and data, control points of line and time, least spacing."""

    moves: int
    rank: int
    controls: tuple[int, int]
    spacing: float


def mapped(data: Array, positions: Array) -> tuple[Array, Array]:
    """Return data (n, m, k) and their slopes at positions (n, k), linear between middles of cells."""
    n = len(data)
    q = np.clip(positions * n - 0.5, 0, n - 1)
    i = np.minimum(q.astype(int), n - 2)
    j = np.arange(data.shape[2])[None]
    # indices beside a slice come first: (n, k, m)
    low, high = data[i, :, j], data[i + 1, :, j]
    part = (q - i)[..., None]
    value, slope = low + (high - low) * part, (high - low) * n
    return value.transpose(0, 2, 1), slope.transpose(0, 2, 1)


def unmapped(values: Array, positions: Array, xi: Array) -> Array:
    """Return values (n, m, k) that stand at positions (n, k) at fixed points (l,), (l, m, k)."""
    found = np.empty((len(xi), *values.shape[1:]))
    for j in range(values.shape[2]):
        for line in range(values.shape[1]):
            found[:, line, j] = np.interp(xi, positions[:, j], values[:, line, j])
    return found


def middles(n: int) -> Array:
    """Return the middles of n cells of the unit interval."""
    return np.asarray((np.arange(n) + 0.5) / n)


def leading(g: Array, rank: int) -> tuple[Array, Array]:
    """Return left (rows, r) and right (columns, r) singular vectors, those of zero values left out."""
    values, vectors = np.linalg.eigh(g.T @ g)
    right = vectors[:, ::-1][:, :rank]
    left, _ = np.linalg.qr(g @ right[:, values[::-1][:rank] > 0])
    return left, right


class _Problem:
    """Residual and Jacobian for given data (n, m, k) at times s (k,)."""

    def __init__(self, data: Array, s: Array, settings: Settings, smooth: float):
        self.data, self.s, self.settings, self.smooth = data, s, settings, smooth
        self.size = float(np.linalg.norm(data))
        self.xi = middles(len(data))
        a, b = settings.controls
        self.across, self.along = hats(self.xi, a)[:, 1:-1], splines(s, b)
        # between snapshots the grid must not fold either
        self.watched = splines(np.linspace(s[0], s[-1], 4 * b + len(s)), b)
        self.slopes = np.diff(np.eye(a), axis=0)[:, 1:-1] * (a - 1)

    def motion(self, p: Array) -> Motion:
        """Return the grid of parameters ((a - 2 + b) k,)."""
        k, (a, b) = self.settings.moves, self.settings.controls
        u, v = p[: (a - 2) * k].reshape(k, -1).T, p[(a - 2) * k :].reshape(k, b).T
        return Motion(np.pad(u, ((1, 1), (0, 0))), v)

    def distances(self, p: Array) -> Array:
        """Return the distances of neighbours between control points at watched times."""
        motion = self.motion(p)
        found: Array = 1 + self.slopes @ motion.shapes[1:-1] @ (self.watched @ motion.courses).T
        return found

    def rows(self, p: Array, slopes: bool) -> tuple[Array, Array]:
        """Return the residual, and with ``slopes`` its Jacobian, one row per parameter."""
        motion = self.motion(p)
        u, v = self.across @ motion.shapes[1:-1], self.along @ motion.courses
        value, slope = mapped(self.data, self.xi[:, None] + u @ v.T)
        g, k = value.reshape(-1, value.shape[2]), self.settings.moves
        left, right = leading(g, self.settings.rank)
        rest = (g - (g @ right) @ right.T) / self.size
        distances, watched = self.distances(p), self.watched @ motion.courses
        free, weight = distances - self.settings.spacing, self.smooth / np.sqrt(distances.size)
        log = np.log(free / (1 - self.settings.spacing))
        residual = np.concatenate([rest.ravel(), weight * log.ravel()])
        if not slopes:
            return residual, np.empty(0)
        slope = slope / self.size
        turned = self.slopes @ motion.shapes[1:-1]
        moves = [(col, v[:, j], row, watched[:, j]) for j in range(k)
                 for col, row in zip(self.across.T, self.slopes.T, strict=True)]  # fmt: skip
        moves += [(u[:, j], col, turned[:, j], row) for j in range(k)
                  for col, row in zip(self.along.T, self.watched.T, strict=True)]  # fmt: skip
        found = np.empty((len(moves), len(residual)))
        for line, (x, t, dx, dt) in zip(found, moves, strict=True):
            change = (slope * (x[:, None] * t)[:, None]).reshape(g.shape)
            change -= left @ (left.T @ change)
            change -= (change @ right) @ right.T
            line[: rest.size] = change.ravel()
            line[rest.size :] = (weight * (dx[:, None] * dt) / free).ravel()
        return residual, found

    def solved(self, p: Array) -> Array:
        """Return better parameters."""
        damping = 1e-2
        residual, slopes = self.rows(p, True)
        square = float(residual @ residual)
        for _ in range(STEPS):
            step, damping = self._step(p, residual, slopes, square, damping)
            if step is None:
                break
            p = p + step
            residual, slopes = self.rows(p, True)
            before, square = square, float(residual @ residual)
            if before - square < ENOUGH * before:
                break
        return p

    def _step(
        self, p: Array, residual: Array, slopes: Array, square: float, damping: float
    ) -> tuple[Array | None, float]:
        """Return a step that lowers the square without folding, None where there is none; and the damping."""
        normal, gradient = slopes @ slopes.T, slopes @ residual
        scale = np.diag(normal) + 1e-9 * np.trace(normal)
        for _ in range(12):
            step = -np.linalg.solve(normal + damping * np.diag(scale), gradient)
            if self.distances(p + step).min() > self.settings.spacing:
                found = self.rows(p + step, False)[0]
                if found @ found < square:
                    return step, max(damping / 6, 1e-8)
            damping *= 4
        return None, damping


def registered(data: Array, s: Array, settings: Settings, seed: int) -> Motion:
    """Return the grid on which data (n, m, k) at times s (k,) in [0, 1] have the lowest error of a rank.

    It begins with a motion of all the line, of a random length up to a third of it, and small random others.
    """
    random, (a, b) = np.random.default_rng(seed), settings.controls
    inner = np.linspace(0, 1, a)[1:-1]
    shapes = [random.uniform(-0.15, 0.15) * np.sin(np.pi * inner)]
    shapes += [0.02 * np.sin((j + 1) * np.pi * inner) for j in range(1, settings.moves)]
    courses = [np.linspace(0, 1, b) + 0.02 * random.standard_normal(b) for _ in shapes]
    p = np.concatenate([*shapes, *courses])
    for width, smooth in zip(BLURS, SMOOTH, strict=True):
        problem = _Problem(blurred(data, width), s, settings, smooth)
        while problem.distances(p).min() <= settings.spacing:
            p[: (a - 2) * settings.moves] /= 2
        p = problem.solved(p)
    return problem.motion(p)


def blurred(data: Array, width: float) -> Array:
    """Return data (n, …) smoothed along the line by a Gaussian of a standard deviation in units of it."""
    n = len(data)
    if width * n < 0.5:
        return data
    k = np.arange(-int(3 * width * n) - 1, int(3 * width * n) + 2)
    weights = np.exp(-0.5 * (k / (width * n)) ** 2)
    # values at the ends go on beyond
    index = np.clip(np.arange(n)[:, None] + k, 0, n - 1)
    matrix = np.zeros((n, n))
    np.add.at(matrix, (np.arange(n)[:, None], index), weights / weights.sum())
    found: Array = np.tensordot(matrix, data, axes=1)
    return found


def coarsened(data: Array, points: int = POINTS, snapshots: int = SNAPSHOTS) -> tuple[Array, Array]:
    """Return data (n, m, k) in larger cells and at fewer times, and these times in [0, 1]."""
    n, k = len(data), data.shape[2]
    # groups of cells are equal
    group = next(g for g in range(max(1, n // points), 0, -1) if n % g == 0)
    # the last snapshot always counts
    times = np.unique(np.append(np.arange(0, k, max(1, (k - 1) // snapshots)), k - 1))
    small = data[:, :, times].reshape(n // group, group, data.shape[1], len(times)).mean(1)
    return small, times / (k - 1)


def error(found: Array, data: Array) -> float:
    """Return |found - data|/|data|."""
    return float(np.linalg.norm(found - data) / np.linalg.norm(data))


def fixed_errors(data: Array, most: int) -> list[float]:
    """Return the errors of the best bases of 1 … most modes on the fixed grid."""
    values = np.linalg.eigvalsh(_gram(data))[::-1].clip(min=0)
    left = values.sum() - np.cumsum(values)
    return [float(x) for x in np.sqrt(left[:most].clip(min=0) / values.sum())]


def _gram(data: Array) -> Array:
    g = data.reshape(-1, data.shape[2])
    return np.asarray(g.T @ g)


def needed(errors: Sequence[float], wanted: float) -> int | None:
    """Return how many modes bring the error below a bound, None where none of those tried does."""
    return next((k for k, e in enumerate(errors, 1) if e <= wanted), None)
