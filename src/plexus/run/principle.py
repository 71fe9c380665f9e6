"""The maximum principle of heat conduction: without sources no value leaves the range of the data.

The data are the state at the start, prescribed values, and the ambient values of boundary terms. On elements
with their own (consistent) capacity the principle fails beside a jump where a step is shorter than about
h²/(6α), with the cell size h and the diffusivity α (V. Thomée, Galerkin Finite Element Methods for Parabolic
Problems, 2006, doi:10.1007/3-540-33122-0, chapter 15); what passes the range by
more than `ROOM` is told once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from plexus.coupling.system import System
from plexus.formulation.transport import Transport
from plexus.protocols.facets import across

if TYPE_CHECKING:
    from plexus.deck.params import Property
    from plexus.run.run import Run

ROOM = 0.01
"""Share of the range of the data by which values may leave it untold."""


@dataclass
class Principle:
    """One unknown that must stay within its data."""

    name: str
    unit: str
    ambients: list[Property]
    remedy: str
    low: float = np.inf
    high: float = -np.inf
    told: bool = False

    def begin(self, run: Run) -> None:
        """Take the range of all values at the start. Collective."""
        self._include(run, *_extremes(run, run.state.values[self.name])[0])

    def _include(self, run: Run, low: float, high: float) -> None:
        """Widen the range by data, and by the ambient values of the present time."""
        # ambients are known to depend on time at most
        known = [float(p.expression({"t": run.clock.t})) for p in self.ambients if p.expression]
        self.low, self.high = min(self.low, low, *known), max(self.high, high, *known)

    def look(self, run: Run) -> str | None:
        """Return what to tell of the present state. Collective."""
        if self.told:
            return None
        assert isinstance(run.system, System)
        values = run.state.values[self.name]
        prescribed, (low, high) = _extremes(run, values[run.system.prescribed[self.name].fixed], values)
        self._include(run, *prescribed)
        room = ROOM * (self.high - self.low)
        if low >= self.low - room and high <= self.high + room:
            return None
        self.told = True
        value = low if low < self.low - room else high
        what = f"{self.name} is {value:.6g} {self.unit} at t = {run.clock.t:.6g} s"
        data = f"outside all data ({self.low:.6g} to {self.high:.6g})"
        why = "the step is short for these cells beside a jump (below h^2/(6 alpha))"
        return f"{what}, {data}: {why}; {self.remedy}"


def _extremes(run: Run, *arrays: np.ndarray) -> list[tuple[float, float]]:
    """Return smallest and largest value of each array on all ranks. Collective."""
    ends = np.array([(-np.min(a, initial=np.inf), np.max(a, initial=-np.inf)) for a in arrays])
    run.ctx.comm.Allreduce(MPI.IN_PLACE, ends, MPI.MAX)
    return [(-float(low), float(high)) for low, high in ends]


def principles(run: Run) -> Iterator[Principle]:
    """Yield the unknowns of a march that have neither sources nor sinks."""
    if not isinstance(run.system, System) or not run.stepper.order:
        return
    for equation in run.system.equations:
        form = run.system.forms[equation.field.name]
        if type(equation) is not Transport or not equation.time_order:
            continue
        c = equation.coefficients
        # what crosses a contact goes from the higher value to the lower one
        ambients = [_ambient(term) for _, term in form.terms if not across(term)]
        free = c.source is None and c.reaction is None and not form.loads
        if free and all(a is not None for a in ambients):
            key = "mass" if hasattr(run.deck.physics, "mass") else "capacity"
            remedy = f"`physics.{key}: lumped` at degree 1 keeps the range"
            if equation.lumped:
                remedy = "longer steps, finer cells, degree 1, or cells without obtuse angles keep the range"
            known = [a for a in ambients if a is not None]
            yield Principle(equation.field.name, equation.field.unit, known, remedy)


def _ambient(term: Any) -> Property | None:
    """Return the ambient value of a boundary term that brings in nothing else, if it is known by the time."""
    ambient = getattr(term.params, "ambient", None)
    expression = getattr(ambient, "expression", None)
    return ambient if expression is not None and expression.names <= {"t"} else None
