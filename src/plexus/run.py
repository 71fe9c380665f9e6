"""A run: everything that was built from a deck, and the loop that marches it.

The time loop proposes a step, takes it, lets the controller accept or repeat it, shows the new state to
the observers that are due, and asks all ranks once per step whether to go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import SolveError
from plexus.fields.state import State
from plexus.stepping.schedules import Moment

if TYPE_CHECKING:
    from plexus.coupling.system import System
    from plexus.deck.schema import Deck
    from plexus.mesh.mesh import Mesh
    from plexus.runtime.context import Context
    from plexus.stepping.clock import Clock


@dataclass(eq=False)
class Run:
    """One run on one rank.

    Attributes
    ----------
    deck, ctx, mesh, system : what the run is made of.
    state : values of all unknowns at the clock's time.
    clock, stepper, controller : time, the method that advances it, the choice of the step.
    quantities : name -> member of kind ``quantity``.
    observers : members of kind ``output``.
    stop_reason : why the run stopped early, None while it goes on or when it is done.
    dry : True when at most two steps are taken and nothing is written.
    """

    deck: Deck
    ctx: Context
    mesh: Mesh
    system: System
    state: State
    clock: Clock
    stepper: Any
    controller: Any
    quantities: Mapping[str, Any] = field(default_factory=dict)
    observers: list[Any] = field(default_factory=list)
    stop_reason: str | None = None
    dry: bool = False
    wall: float = 0.0

    @property
    def steps(self) -> int:
        """Number of accepted steps since the start time."""
        return self.clock.step

    @property
    def moment(self) -> Moment:
        """The present instant, as schedules judge it."""
        return Moment(self.clock.step, self.clock.t, self.wall, self.last)

    @property
    def last(self) -> bool:
        """True when no further step follows."""
        return self.clock.done or self.stop_reason is not None

    def execute(self) -> None:
        """March to the end, or until a stop is requested. Collective."""
        self._observe("start", every=True)
        if self.stepper.marches:
            self._observe("observe")
        while not self.last:
            if self.dry and self.clock.step >= 2:
                break
            self._advance()
            with self.ctx.timers("agreement"):
                verdict = self.ctx.stop.agree(self._finite())
            self.wall, self.stop_reason = verdict.wall, None if self.clock.done else verdict.reason
            self._observe("observe")
        self._observe("finish", every=True)

    def _advance(self) -> None:
        """Take one step; rejected attempts are repeated with a shorter one."""
        while True:
            t, target = self.clock.t, self._target()
            dt = self.controller.propose(self.clock, target)
            try:
                with self.ctx.timers("solve"):
                    result = self.stepper.step(self.system, self.state, t, dt)
            except SolveError as failure:
                self.controller.failed(dt, failure)
                self.ctx.log.info(f"step of {dt:.4g} s repeated: {failure}")
                continue
            if self.controller.accept(dt, result.error, self.stepper.order):
                break
        self.clock.tick(dt, target)
        self.state = State(result.values, self.clock.t, self.clock.step)

    def _target(self) -> float | None:
        """Return the next time that an observer prescribes."""
        times = [o.schedule.next_time(self.clock.t) for o in self.observers if o.schedule is not None]
        return min((t for t in times if t is not None), default=None)

    def _finite(self) -> bool:
        """Return whether all values on this rank are finite; the sum of an array is not if one value is not."""
        if not self.deck.runtime.nan_guard:
            return True
        return all(np.isfinite(np.sum(a)) for a in self.state.values.values())

    def _observe(self, what: str, every: bool = False) -> None:
        """Call the observers: all of them, or those that are due."""
        if self.dry:
            return
        now = self.moment
        for observer in self.observers:
            if every or observer.schedule.due(now):
                with self.ctx.timers("output"):
                    getattr(observer, what)(self)
