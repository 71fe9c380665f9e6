"""How many threads torch may use on this rank: the cores that it is bound to, shared with its neighbours.

MPI start-up and launchers may leave torch with one thread or with all cores of the machine, and torch is
imported late and only where something needs it. So the number is worked out once after MPI has started
(`plan`) and given to torch by whoever imports it (`settle`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

FREE = "PLEXUS_THREADS"
"""Environment variable that is ``auto`` where our launcher, not the user, has set OMP_NUM_THREADS."""

_planned: list[int] = []


def cores() -> tuple[int, ...]:
    """Return the numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def plan(
    mine: Sequence[int],
    host: Sequence[Sequence[int]],
    environment: Mapping[str, str],
    most: int | None = None,
) -> int:
    """Return the threads of a rank, at least one, and remember them for `settle`.

    Parameters
    ----------
    mine
        Cores of this rank.
    host
        Cores of every rank on the host, this one included; ranks with the same cores share them.
    environment
        A user's OMP_NUM_THREADS is taken as it is.
    most
        More threads than these are of no use.
    """
    asked = environment.get("OMP_NUM_THREADS", "").split(",")[0]
    sharing = sum(set(other) == set(mine) for other in host)
    count = max(1, len(mine) // max(1, sharing))
    count = count if most is None else min(count, most)
    # the launcher's own value keeps BLAS inside PETSc to one thread and says nothing about torch
    if asked.isdigit() and int(asked) > 0 and environment.get(FREE) != "auto":
        count = int(asked)
    _planned[:] = [count]
    settle()
    return count


def settle() -> None:
    """Give torch the planned number of threads, once, if torch is imported and a number is planned."""
    torch = sys.modules.get("torch")
    # torch is in this table already while its import is under way
    if _planned and hasattr(torch, "set_num_threads"):
        torch.set_num_threads(_planned.pop())  # type: ignore[union-attr]
