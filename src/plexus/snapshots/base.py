"""Snapshots that another program has computed: its nodes found in the deck's mesh, its history replayed.

A file gives positions and displacements of nodes at some times. The nodes are those of the deck's mesh, in
another order and another unit of length. Stress and memory of the material are *replayed*: the deck's law is
marched at all quadrature points along the displacements, one step from snapshot to snapshot.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import field_validator

from plexus.deck.params import Field, InputFile, Params
from plexus.deck.reduce import Reduce
from plexus.deck.units import UnitError, to_unit
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.fields.state import State
from plexus.protocols import Since
from plexus.snapshots._matching import Matching
from plexus.snapshots._shared import Results, Shared

if TYPE_CHECKING:
    from plexus.run import Run

Array = np.ndarray


class FileParams(Params):
    """Parameters of all files of results."""

    file: InputFile = Field(description="results of another program at the nodes of the deck's mesh")
    unit: str = Field(description="unit of length of its positions and displacements, e.g. mm")

    @field_validator("unit")
    @classmethod
    def _length(cls, value: str) -> str:
        try:
            to_unit(1.0, value, "m")
        except UnitError as error:
            raise refuse(str(error)) from None
        return value


class FileSnapshots(ABC):
    """What readers of files share; a member opens one format."""

    def __init__(self, params: Any):
        self.params = params

    @abstractmethod
    def open(self, path: Path) -> Results:
        """Open the file.

        Raises
        ------
        InputError
            If it is damaged, of another format, or without displacements.
        """

    def march(self, run: Run, keep: Callable[[Run], None]) -> dict[str, Any]:
        """Replay the file's history on the run and let ``keep`` look at each step. Collective."""
        path, scale = Path(self.params.file), to_unit(1.0, self.params.unit, "m")
        results = Shared(run.ctx.comm, lambda: self.open(path))
        self._judge(run, path.name, results.times, results.digits)
        system: Any = run.system
        name = system.equations[0].field.name
        space = system.spaces[name]
        matching = Matching(space, results, path.name, scale)
        for k, t in enumerate(results.times):
            u = matching.taken(results.values(k)) * scale
            space.halo.forward(u)
            _advance(run, name, t, u)
            keep(run)
        return {"type": self.params.type, "file": path.name}

    def _judge(self, run: Run, name: str, times: Sequence[float], digits: int) -> None:
        """Refuse a file without a history, or with fewer digits than the basis needs."""
        if not times or any(b <= a for a, b in pairwise([run.clock.t, *times])):
            raise InputError(f"{name}: the times of its displacements do not rise from {run.clock.t:g} s on")
        assert isinstance(run.deck.reduce, Reduce)
        finest, asked = 10.0 ** (1 - digits), run.deck.reduce.tolerance
        if asked < finest:
            raise InputError(
                f"{name}: its numbers have {digits} digits, and a basis finer than {finest:g} is rounding; "
                f"reduce.tolerance is {asked:g}"
            )


def _advance(run: Run, name: str, t: float, u: Array) -> None:
    """Bring a run to a time [s] and displacement (n_local, m), its memory by the law. Collective."""
    system: Any = run.system
    dt, before = t - run.clock.t, run.state.internal
    memory = system.forms[name].advance(t, u, None, {name: u, **before}, Since(dt, before))
    run.clock.tick(dt, t)
    run.state = State({name: u}, t, run.clock.step, memory)
