"""Orders that keep neighbours near each other in memory.

Cells are sorted along Hilbert's space-filling curve through their centres; the integer algorithm is
J. Skilling's, AIP Conf. Proc. 707, 381 (2004), doi:10.1063/1.1751381.
"""

from __future__ import annotations

import numpy as np

_BITS = 20


def hilbert_keys(x: np.ndarray) -> np.ndarray:
    """Return the position along the Hilbert curve through the bounding box of x (n, d), (n,) uint64."""
    if len(x) == 0:
        return np.empty(0, dtype=np.uint64)
    # one scale for all axes keeps the curve from preferring one of them
    extent = max(float((x.max(axis=0) - x.min(axis=0)).max()), 1e-300)
    grid = ((x - x.min(axis=0)) * ((2**_BITS - 1) / extent)).astype(np.uint64)
    axes = [np.ascontiguousarray(column) for column in grid.T]
    # along one axis the curve is the axis itself
    if len(axes) == 1:
        return axes[0]
    return _interleave(_transpose_form(axes))


def _transpose_form(axes: list[np.ndarray]) -> list[np.ndarray]:
    """Turn coordinates into the curve index whose bits are dealt out over the axes (Skilling)."""
    one, d = np.uint64(1), len(axes)
    for bit in range(_BITS - 1, 0, -1):
        q = np.uint64(1 << bit)
        p = q - one
        for i in range(d):
            high = (axes[i] & q) != 0
            swap = np.where(high, np.uint64(0), (axes[0] ^ axes[i]) & p)
            axes[0] = np.where(high, axes[0] ^ p, axes[0] ^ swap)
            axes[i] = axes[i] ^ swap if i else axes[0]
    # Gray encoding: each axis takes over the bits of the one before
    for i in range(1, d):
        axes[i] = axes[i] ^ axes[i - 1]
    flip = np.zeros_like(axes[0])
    for bit in range(_BITS - 1, 0, -1):
        q = np.uint64(1 << bit)
        flip = np.where((axes[d - 1] & q) != 0, flip ^ (q - one), flip)
    return [a ^ flip for a in axes]


def _interleave(axes: list[np.ndarray]) -> np.ndarray:
    key = np.zeros_like(axes[0])
    for bit in range(_BITS - 1, -1, -1):
        # bit b of all axes, axis 0 first, becomes d neighbouring bits of the key
        for a in axes:
            key = (key << np.uint64(1)) | ((a >> np.uint64(bit)) & np.uint64(1))
    return key


def first_use(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ids in the order in which rows of ``cells`` (c, n) first name them, and the rows renumbered.

    Shapes are (k,) and (c, n); the new rows are int32.
    """
    flat = cells.ravel()
    bound = int(flat.max(initial=-1)) + 1
    # ids far apart: squeeze them first, tables of size bound would be mostly empty
    if bound > 8 * len(flat):
        known, flat = np.unique(flat, return_inverse=True)
        ids, renumbered = first_use(flat.reshape(cells.shape))
        return known[ids], renumbered
    first = np.full(bound, -1)
    # of several assignments to one place the last one stays, so in reversed order the first
    first[flat[::-1]] = np.arange(len(flat))[::-1]
    used = np.flatnonzero(first >= 0)
    ids = used[np.argsort(first[used])]
    number = np.empty(bound, dtype=np.int32)
    number[ids] = np.arange(len(ids), dtype=np.int32)
    return ids, number[cells]
