"""Slabs of layers over the ranks, cut where blocks of 2^k layers end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.errors import InputError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

UNEVEN = 1.25
"""Layers of the largest slab relative to even ones, for which cuts give way to larger blocks."""


def cuts(n: int, ranks: int) -> list[int]:
    """Return the first layer of every slab and the one behind the last, (ranks + 1).

    Cuts are multiples of the largest power of two for which no slab is much larger than the others.
    """
    unit = 1
    for trial in (2**k for k in range(1, n.bit_length())):
        blocks = -(-n // trial)
        if blocks >= ranks and -(-blocks // ranks) * trial <= UNEVEN * n / ranks:
            unit = trial
    blocks = -(-n // unit)
    return [min(n, unit * -(-blocks * r // ranks)) for r in range(ranks + 1)]


def own_layers(n: int, comm: Comm) -> tuple[int, int]:
    """Return the first own layer and the one behind the last.

    Raises
    ------
    InputError
        If there are more ranks than layers.
    """
    if n < comm.size:
        raise InputError(
            f"physics.problem: {n} layers on {comm.size} ranks; each rank needs one, so start fewer"
        )
    found = cuts(n, comm.size)
    return found[comm.rank], found[comm.rank + 1]
