"""The solves of one step: what they took, and the internal variables that their solutions lead to.

Every equation sees the memory z_n of the start of the step as `Point.before`; the fields of equations solved
before it, internal variables included, it sees as they are then. What comes out goes into the next state
only when the step is accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from plexus.fields.arrays import copied
from plexus.protocols import Implicit, Instant, Values

if TYPE_CHECKING:
    from plexus.fields.state import State


class Solves:
    """Solves the equations of a system in one step from a state, which stays untouched.

    Attributes
    ----------
    iterations : dict
        Unknown -> Krylov iterations of all passes.
    internal : dict
        Internal variables, as far as they are advanced.
    """

    def __init__(self, system: Implicit, state: State):
        self.system, self.before = system, state.internal
        self.internal: Values = dict(state.internal)
        self.iterations: dict[str, int] = {}

    def passes(self, start: Values) -> Iterator[Values]:
        """Yield the values with which each pass over all equations begins; the body puts in what it finds.

        One pass, or where the deck couples the equations as many as it takes until all unknowns agree. Arrays
        of earlier passes stay untouched. Collective.

        Raises
        ------
        SolveError
            If the unknowns do not agree in the last pass.
        """
        values, limits = dict(start), self.system.passes
        yield values
        number = 1
        while limits is not None:
            before, number = dict(values), number + 1
            yield values
            if limits.agreed(number, {name: self._change(name, before, values) for name in before}):
                return

    def _change(self, name: str, before: Values, after: Values) -> float:
        """Return how much an unknown has changed, relative to its magnitude. Collective."""
        size = self.system.rms(name, after[name] - before[name])
        return size / self.system.largest(name, after[name]) if size > 0 else 0.0

    def solve(self, name: str, values: Values, at: Instant, held: bool = False) -> None:
        """Solve the equation of one unknown in place, then advance its internal variables. Collective."""
        if not self.before:
            self._count(name, self.system.solve(name, values, at, held))
            return
        known, at = {**values, **self.internal}, replace(at, before=self.before)
        self._count(name, self.system.solve(name, known, at, held))
        # the solution is written into the arrays of ``values``, but for those that have grown
        values |= {unknown: known[unknown] for unknown in values}
        self.internal |= self.system.advance(name, known, at)

    def _count(self, name: str, iterations: int) -> None:
        self.iterations[name] = self.iterations.get(name, 0) + iterations

    def extrapolate(self, theta: float) -> None:
        """Go on from a stage at θ of the step to its end: z_n + (z_s - z_n)/θ, as for the unknowns."""
        if theta != 1.0:
            for name, start in self.before.items():
                self.internal[name] = start + (self.internal[name] - start) / theta

    def finish(self, t: float, dt: float, values: Values) -> None:
        """Solve the unknowns without time derivative at the new time, in place. Collective."""
        for name in self.system.instantaneous:
            # the array may belong to the state, which stays untouched in case the step is rejected
            for part in self.system.together.get(name, (name,)):
                values[part] = copied(values[part])
            self.solve(name, values, Instant(t, dt))
