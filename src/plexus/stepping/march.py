"""The march through time: propose a step, take it, accept it or repeat it with another length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any

from plexus.errors import GuardError, SolveError, UntrustedError
from plexus.fields.state import State
from plexus.protocols import Controller, Forgets, Split, Stepper, StepResult
from plexus.stepping.clock import Clock
from plexus.stepping.controllers.fixed import Fixed, FixedParams
from plexus.stepping.events import Events

if TYPE_CHECKING:
    import torch


@dataclass(eq=False)
class March:
    """A system on its way through time.

    Attributes
    ----------
    system : what the stepper needs (`plexus.protocols.Implicit`, `Split` or `Explicit`).
    state : values of all unknowns at the clock's time.
    clock, stepper, controller : time, the method that advances it, the choice of the step.
    events : times at which loads jump, and those that must be hit.
    """

    system: Any
    state: State
    clock: Clock
    stepper: Stepper
    controller: Controller
    events: Events = field(default_factory=Events, kw_only=True)

    def advance(self, target: float | None = None) -> StepResult:
        """Take one step, not past ``target`` [s]; rejected attempts are repeated. Collective.

        Raises
        ------
        SolveError, GuardError
            If the controller has no shorter step to try.
        """
        if self.events.anew(self.clock.t):
            self.begin_anew()
        while True:
            dt = self.controller.propose(self.clock, target, self.limit)
            try:
                result = self.attempt(*self.events.inside(self.clock.t, dt))
            # the outcome of a solve is known to all ranks alike, so all of them repeat the step
            except UntrustedError:
                raise
            except (SolveError, GuardError) as failure:
                self.repeat(dt, failure)
                continue
            if self.controller.accept(dt, *self.judged(result)):
                break
        self.clock.tick(dt, target)
        self.state = State(result.values, self.clock.t, self.clock.step, result.internal)
        return result

    def limit(self) -> float:
        """Return the longest stable step of explicit methods [s]; infinity for others."""
        return math.inf

    def begin_anew(self) -> None:
        """Let stepper and controller forget what was smooth before a load has changed."""
        if isinstance(self.stepper, Forgets):
            self.stepper.forget()
        self.controller.begin_anew()

    def attempt(self, t: float, dt: float) -> StepResult:
        """Return what one step of length ``dt`` from ``t`` leads to. Collective."""
        return self.stepper.step(self.system, self.state, t, dt)

    def judged(self, result: StepResult) -> tuple[float | None, int]:
        """Return the stepper's error and order, or what a field has changed beside its limit. Collective.

        An increment is proportional to the step, as the error of a method of order 0 is.
        """
        limits, error = self.controller.limits, result.error
        if not limits:
            return error, self.stepper.order
        new, old = {**result.values, **result.internal}, {**self.state.values, **self.state.internal}
        worst = max(self.system.largest(n, new[n] - old[n]) / most for n, most in limits.items())
        return (worst, 0) if error is None or not worst <= error else (error, self.stepper.order)

    def repeat(self, dt: float, failure: SolveError | GuardError) -> None:
        """Let the controller choose a shorter step."""
        self.controller.failed(dt, failure)


def march(
    model: Split, stepper: Stepper, hat: torch.Tensor, dt: float, steps: int | None = None
) -> Iterator[State]:
    """Yield the state with the modes ``hat`` at t = 0, then that after each step of ``dt``. Collective.

    For trainings and studies of a split model without a deck. The stepper has taken no step yet. Without
    ``steps`` there is no end.
    """
    control = Fixed(FixedParams(), dt, math.inf)
    under_way = March(model, State({model.unknown: hat}), Clock(0.0, math.inf), stepper, control)
    yield under_way.state
    for _ in repeat(None) if steps is None else repeat(None, steps):
        under_way.advance()
        yield under_way.state
