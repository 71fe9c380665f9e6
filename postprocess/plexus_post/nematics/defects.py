r"""Half-integer defects of a director field: found by winding numbers, placed within their cell.

The nematic tensor is the complex field ``q = r exp(2 i theta)``, r the order and theta the director's angle.
Around a defect of charge s theta turns by 2 pi s, so q turns by 4 pi s: where the angle of q turns once
around a cell of four neighbours, charge ±1/2 sits in it, and there q vanishes.

======= ============================================ ====
symbol  meaning                                      unit
======= ============================================ ====
q       nematic tensor as a complex number           1
s       charge, +1/2 or -1/2                         1
psi     direction: tail of +1/2, one arm of -1/2     rad
======= ============================================ ====

Direction: A. J. Vromans, L. Giomi, Soft Matter 12 (2016) 6490, doi:10.1039/C6SM01146B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Defects:
    """The defects of one moment.

    Attributes
    ----------
    place : (n, 2) coordinates, counted from the corner of the box.
    charge : (n,) +0.5 or -0.5.
    angle : (n,) direction of the tail of +1/2 and of one of the three arms of -1/2.
    """

    place: np.ndarray
    charge: np.ndarray
    angle: np.ndarray

    def __len__(self) -> int:
        return len(self.charge)

    @property
    def counts(self) -> tuple[int, int]:
        """Number of defects of charge +1/2 and of charge -1/2."""
        return int((self.charge > 0).sum()), int((self.charge < 0).sum())


def winding(q: np.ndarray) -> np.ndarray:
    """Return for each cell (i, j) … (i+1, j+1) of a periodic q (nx, ny) how often q turns around it.

    Each edge's turn enters its two cells with opposite signs, so the sum over the box is exactly zero.
    """
    along = [np.angle(np.roll(q, -1, axis) * q.conj()) for axis in (0, 1)]
    # counter-clockwise: lower edge, right edge, back along the upper and the left one
    total = along[0] + np.roll(along[1], -1, 0) - np.roll(along[0], -1, 1) - along[1]
    return np.rint(total / (2 * np.pi)).astype(int)


def find(q: np.ndarray, lengths: np.ndarray) -> Defects:
    """Return the defects of a periodic field q (nx, ny), placed where q vanishes within its cell."""
    turns = winding(q)
    i, j = np.nonzero(turns)
    spacing = np.asarray(lengths) / q.shape
    # q = a + b s + c t + d s t on the cell, s and t from 0 to 1
    a, right = q[i, j], q[(i + 1) % q.shape[0], j]
    above, corner = q[i, (j + 1) % q.shape[1]], q[(i + 1) % q.shape[0], (j + 1) % q.shape[1]]
    b, c, d = right - a, above - a, a - right + corner - above
    s, t = _root(a, b, c, d)
    place = np.stack([i + s, j + t], axis=1) * spacing
    charge = 0.5 * turns[i, j]
    slopes = (b + d * t) / spacing[0], (c + d * s) / spacing[1]
    return Defects(place % np.asarray(lengths), charge, _direction(*slopes, charge))


def apart(a: np.ndarray, b: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the shortest ways (n, m, 2) from places a (n, 2) to places b (m, 2) in a periodic box."""
    way = b[None] - a[:, None]
    return way - lengths * np.rint(way / lengths)


def matched(distance: np.ndarray, reach: float) -> list[tuple[int, int]]:
    """Return pairs (row, column) within reach, the closest first, each row and column once."""
    near = np.argwhere(distance <= reach)
    rows, columns, found = set(), set(), []
    for i, j in near[np.argsort(distance[tuple(near.T)], kind="stable")].tolist():
        if i not in rows and j not in columns:
            rows.add(i)
            columns.add(j)
            found.append((i, j))
    return found


def resolved(defects: Defects, lengths: np.ndarray, least: float) -> Defects:
    """Return the defects without pairs of opposite charge closer than ``least``.

    Where the order nearly vanishes along a line, zeros of q come and go in pairs a cell apart; such a pair is
    no defect yet, or no longer one.
    """
    plus, minus = (np.flatnonzero(defects.charge * sign > 0) for sign in (1, -1))
    distance = np.linalg.norm(apart(defects.place[plus], defects.place[minus], lengths), axis=-1)
    keep = np.ones(len(defects), dtype=bool)
    for i, j in matched(distance, least):
        keep[[plus[i], minus[j]]] = False
    return Defects(defects.place[keep], defects.charge[keep], defects.angle[keep])


def _root(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return s, t in 0 … 1 with a + b s + c t + d s t = 0, for n cells at once.

    s = -(a + c t)/(b + d t) is real where Im (a + c t)(b + d t)* = 0, a quadratic equation for t.
    """
    square, slope, constant = ((u * v.conj()).imag for u, v in ((c, d), (a, d), (a, b)))
    slope = slope + (c * b.conj()).imag
    root = np.sqrt(np.maximum(slope**2 - 4 * square * constant, 0))
    # the two forms of the solution that do not subtract nearly equal numbers
    half = -0.5 * (slope + np.copysign(root, slope))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.stack([half / square, constant / half])
        across = b + d * t
        s = -((a + c * t) * across.conj()).real / np.abs(across) ** 2
    # of two solutions the one in the cell; in the middle where rounding leaves none
    outside = np.maximum(np.abs(s - 0.5), np.abs(t - 0.5))
    best = np.where(np.isfinite(outside), outside, np.inf).argmin(axis=0)
    s, t = (np.nan_to_num(v[best, np.arange(len(best))], nan=0.5, posinf=0.5, neginf=0.5) for v in (s, t))
    return np.clip(s, 0, 1), np.clip(t, 0, 1)


def _direction(qx: np.ndarray, qy: np.ndarray, charge: np.ndarray) -> np.ndarray:
    """Return the directions psi from the slopes of q in x and y.

    +1/2: the direction of div Q. -1/2: a third of the angle of its mirror image, with three-fold symmetry.
    """
    sign = np.sign(charge)
    y, x = sign * qx.imag - qy.real, qx.real + sign * qy.imag
    return np.arctan2(y, x) * np.where(charge > 0, 1.0, -1 / 3)
