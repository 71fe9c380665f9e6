"""What models are made of: displacements, stresses and memory of steps, decomposed block by block.

Left out on the way is what is far below the tolerances of the deck, so that modes and points are those of all
steps at once, and memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.reduction.incremental import BLOCK, Incremental, at_nodes, at_points
from plexus.reduction.measures import weights_of
from plexus.reduction.pod import FINEST

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.deck.reduce import Reduce
    from plexus.spaces.assembly import Form
    from plexus.spaces.quadrature_space import QuadratureSpace

Array = np.ndarray
FINER = 0.01
"""Singular value, in tolerances of the deck, below which rows are left out on the way."""


class Snapshots:
    """Displacements, stresses and memory of a body, decomposed on the way. Construction is collective.

    Parameters
    ----------
    form, points : Form, QuadratureSpace
        The equation, and its quadrature points.
    memory : sequence of str
        Memory variables that are kept.
    block : Reduce, optional
        What the deck says of tolerances; without it all rows stay as they are.

    Attributes
    ----------
    fields, stresses : Incremental
        The unknown (n_local, m), zero where values are prescribed; stresses (own points, 9).
    memory : dict of Incremental
        Name -> rows (own points, c).
    count : int
        How many states there have been.
    largest : dict
        Largest root mean square of each memory variable.
    """

    def __init__(
        self, form: Form, points: QuadratureSpace, memory: Sequence[str], block: Reduce | None = None
    ):
        most, basis, works = (BLOCK, block.tolerance, block.cubature) if block else (None, 0.0, 0.0)
        self.fields = Incremental(at_nodes(form), FINER * basis, most)
        self.stresses = Incremental(at_points(points, weights_of(form)), max(FINER * works, FINEST), most)
        self.memory = {dual: Incremental(at_points(points), FINEST, most) for dual in memory}
        self.comm, self.count, self.largest = form.space.comm, 0, dict.fromkeys(memory, 0.0)

    def add(self, field: Array, stress: Array, memory: Mapping[str, Array]) -> None:
        """Keep a state, rows that are no one else's. Collective."""
        self.count += 1
        self.fields.add(field)
        self.stresses.add(stress)
        for name, rows in self.memory.items():
            rows.add(memory[name])
            self.largest[name] = max(self.largest[name], size_of(self.comm, memory[name]))

    @property
    def parts(self) -> dict[str, Incremental]:
        """All rows by the names that they have in checkpoints."""
        memory = {f"decomposed_{name}": rows for name, rows in self.memory.items()}
        return {"decomposed": self.fields, "decomposed_stress": self.stresses, **memory}

    def state(self) -> dict[str, Any]:
        """Return what a restart needs beside the rows."""
        rows = {name: part.state() for name, part in self.parts.items()}
        return {"count": self.count, "largest": self.largest, "rows": rows}

    def restore(self, state: Mapping[str, Any], rows: Mapping[str, Array]) -> None:
        """Go on from what `state` returned, and rows side by side."""
        self.count, self.largest = int(state["count"]), dict(state["largest"])
        for name, part in self.parts.items():
            part.restore(state["rows"][name], rows[name])


def size_of(comm: Comm, rows: Array) -> float:
    """Return the root mean square of rows (k, c). Collective."""
    squares, count = comm.allreduce(np.array([float((rows**2).sum()), rows.size]))
    return float((squares / count) ** 0.5)
