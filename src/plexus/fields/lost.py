"""Where a field stops being finite, in words for the guard's message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Place = tuple[float, ...]


def first_lost(points: np.ndarray, values: np.ndarray) -> Place | None:
    """Return the position of the first node whose values are NaN or infinite; None if there is none.

    Parameters
    ----------
    points : (n, d)
        Positions of the nodes [m].
    values : (n, m)
        Values at the nodes.
    """
    if np.isfinite(np.sum(values)):  # one value that is not finite spoils the sum
        return None
    lost = np.flatnonzero(~np.isfinite(values).all(axis=1))
    return tuple(points[lost[0]].tolist()) if len(lost) else None


def sentence(comm: Comm, name: str, t: float, place: Place | None) -> str | None:
    """Return what is wrong with a field, from the first rank that knows a place. Collective."""
    found = next((p for p in comm.allgather(place) if p is not None), None)
    if found is None:
        return None
    where = ", ".join(f"{x:.4g}" for x in found)
    return (
        f"{name} at t = {t:.6g} s: not finite (NaN or infinite), first at ({where}); "
        "look at the expressions and data of the deck there"
    )
