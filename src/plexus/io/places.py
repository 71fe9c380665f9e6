"""What tells meshes apart, whatever partition their rows have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plexus.errors import InputError

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
SAME = 1e-9
"""Largest difference of sums over the nodes of one mesh, relative to the sum of all coordinates."""


def scattered(names: np.ndarray) -> np.ndarray:
    """Return a number in [0, 1) for each name, so that rows which swap names change weighted sums."""
    return np.asarray((names.astype(np.uint64) * GOLDEN >> np.uint64(11)) * 2.0**-53)


def summed(space: Any, rows: np.ndarray) -> np.ndarray:
    """Return Σ w(name) row over the rows (owned, k) of all ranks, (k,). Collective.

    Such sums do not depend on how rows are spread over the ranks, but for rounding; `scattered` makes w.
    """
    mine = scattered(space.names()[: space.n_owned]) @ rows
    total = np.empty_like(mine)
    space.comm.Allreduce(mine, total)
    return np.asarray(total)


def places(space: Any) -> list[float]:
    """Return the number of nodes, Σ|x|, and Σ w(name) x per direction. Collective."""
    x = space.points[: space.n_owned]
    total = space.comm.allreduce(np.array([len(x), np.abs(x).sum()], dtype=float))
    return [float(v) for v in (*total, *summed(space, x))]


def require_same_mesh(path: Path, stored: Mapping[str, Any], spaces: Mapping[str, Any]) -> None:
    """Refuse a file whose points are others than those of the run. Collective.

    Raises
    ------
    InputError
        On all ranks, if they are.
    """
    for key, space in spaces.items():
        here = places(space)
        there = stored.get(key, here)
        size = max(abs(here[1]), abs(there[1]))
        if here[0] != there[0]:
            told = f"{there[0]:.0f} points in the file, the run has {here[0]:.0f}"
        elif not np.allclose(here[1:], there[1:], rtol=0, atol=SAME * size):
            told = f"its {here[0]:.0f} points are in other places"
        else:
            continue
        raise InputError(f"{path}: the file belongs to another mesh ({told})")
