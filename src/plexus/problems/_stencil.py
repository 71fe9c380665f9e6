"""Couplings of cells through their faces, and the compressed rows that they make.

Faces of an axis are counted from the lower side of the first own cell to the upper side of the last one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Ends = Sequence[tuple[int, int]]
"""Axis and end (0 lower, 1 upper) of sides."""


def coupled(k: np.ndarray, fluid: np.ndarray, layers: tuple[int, int], held: Ends) -> list[np.ndarray]:
    """Return the couplings through the faces of the own cells, one array per axis, one longer along it.

    2ab/(a + b) between coefficients a and b of fluid cells; on sides 2a where u = 0 is held, half a cell
    away, else nothing.
    """
    found = []
    for axis, n in enumerate(k.shape):
        first, last = layers if axis == 0 else (0, n)
        # the cells of other ranks that share faces with own ones
        near = [slice(*layers), *[slice(None)] * (k.ndim - 1)]
        near[axis] = slice(max(first - 1, 0), min(last + 1, n))
        inside = np.where(fluid[tuple(near)], k[tuple(near)], 0.0)
        a, b = (np.delete(inside, end, axis) for end in (-1, 0))
        both = a * b
        faces = [2 * np.divide(both, a + b, out=np.zeros_like(both), where=both > 0)]
        for end, cell in enumerate((0, -1)):
            if (first, last)[end] == (0, n)[end]:
                side = np.take(inside, [cell], axis) * (2.0 if (axis, end) in held else 0.0)
                faces.insert(end * len(faces), side)
        found.append(np.concatenate(faces, axis))
    return found


def rows_of_faces(
    faces: Sequence[np.ndarray], unknown: np.ndarray, layers: tuple[int, int], idle: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pointer, global columns and values of the own rows.

    Parameters
    ----------
    faces
        Couplings of `coupled`; nonzero ones on sides hold u = 0 there.
    unknown
        Which of all cells have a row; they are numbered in C order.
    layers
        Own layers of the first axis.
    idle
        Cells (all of them) with a row that says u = 0.
    """
    number = np.cumsum(unknown, dtype=np.int64).reshape(unknown.shape) - 1
    own, dim = unknown[slice(*layers)], unknown.ndim
    at = np.stack(np.nonzero(own))
    shift = np.array([layers[0]] + [0] * (dim - 1))[:, None]
    ways = [(a, -1) for a in range(dim)] + [(a, 1) for a in reversed(range(dim))]
    columns = np.empty((at.shape[1], 2 * dim + 1), dtype=np.int64)
    values = np.zeros(columns.shape)
    for place, (axis, step) in zip([*range(dim), *range(dim + 1, 2 * dim + 1)], ways, strict=True):
        unit = np.eye(dim, dtype=int)[axis][:, None]
        values[:, place] = -faces[axis][tuple(at + unit * (step > 0))]
        other = at + shift + step * unit
        # beyond a side there is no column: the coupling stays on the diagonal
        there = (other[axis] >= 0) & (other[axis] < unknown.shape[axis])
        columns[:, place] = np.where(there, number[tuple(np.where(there, other, 0))], -1)
    columns[:, dim] = number[slice(*layers)][own]
    values[:, dim] = -values.sum(axis=1)
    if idle is not None:
        values[idle[slice(*layers)][own], dim] = 1.0
    kept = (values != 0) & (columns >= 0)
    pointer = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return pointer, columns[kept], values[kept]
