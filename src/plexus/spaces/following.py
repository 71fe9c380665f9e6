"""What an equation remembers along displacements that are known: its points march on their own.

No point asks another one, so the cells need not wait for each other: one batch goes through all steps before
the next one begins. Its geometry, and what else no time changes, is then evaluated once, and its memory stays
in the cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from plexus.fields.arrays import copied
from plexus.protocols import Since
from plexus.spaces.points import PointBatch, Values

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form

Array = np.ndarray


class Reached(NamedTuple):
    """End of a step [s], its length [s], and the unknown there (n_local, m)."""

    t: float
    dt: float
    u: Array


def followed(form: Form, path: Iterable[Reached], memory: Mapping[str, Array]) -> dict[str, Array]:
    """Return the internal variables of one unknown at the end of steps, rows of all local cells.

    Parameters
    ----------
    form : Form
        An equation that reads no other unknown.
    path : iterable of Reached
        The steps, one after the other.
    memory : mapping
        Internal variables at the start of the first; they stay as they are.
    """
    bridge, own = form.bridge, form.own
    rows = {name: copied(bridge.array(a)) for name, a in memory.items()}
    steps = [Reached(t, dt, bridge.array(u)) for t, dt, u in path]
    given = form.known(form.controls.values) | {n: (form.spaces[n], a) for n, a in rows.items()}
    cells, rule, size = form.every_cell, form.rule, form.size
    for start in range(0, len(cells), size):
        part = slice(start, min(start + size, len(cells)))
        still = cells.still(part, rule, Values(given))
        for t, dt, u in steps:
            values = Values({**given, own: (form.space, u)}, own, None, Since(dt, rows))
            form.remember(rows, PointBatch(cells, part, rule, t, values, like=still))
    return {name: bridge.host(a) for name, a in rows.items()}
