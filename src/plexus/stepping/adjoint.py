"""Gradients through a march: its steps as a chain in torch's graph, with all states or every k-th kept.

    u_(n+1) = step(u_n),   λ_n = (∂u_(n+1)/∂u_n)ᵀ λ_(n+1)

The steps are taken with the lengths that they had, by the stepper that takes them in runs; the choice of
lengths is not differentiated. A segment of k steps keeps its first state only, with what stepper and model
remember, and computes the others again when the gradient comes by: memory for n/k + k states, at the cost of
one more march, without the last segment, where the gradient begins (A. Griewank, A. Walther, Evaluating
Derivatives, 2008, doi:10.1137/1.9780898717761, ch. 12).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast, runtime_checkable

import torch
from torch.utils.checkpoint import checkpoint

from plexus.fields.state import State
from plexus.protocols import Forgets

if TYPE_CHECKING:
    from plexus.fields.keys import Key
    from plexus.protocols import Stepper, StepResult
    from plexus.stepping.march import March

Tensor = torch.Tensor
Tensors = Mapping[str, Tensor]


@runtime_checkable
class Remembering(Protocol):
    """A system whose model begins its iterations from what it found before."""

    def remembered(self) -> Tensors:
        """Return what the model remembers."""

    def remind(self, memory: Tensors) -> None:
        """Give it back."""


class Step(NamedTuple):
    """A step of a march: its begin and length [s], and whether the past says nothing of it."""

    t: float
    dt: float
    anew: bool = False


class Kept(NamedTuple):
    """All that a march goes on from: values, and what stepper and model know of earlier states."""

    values: Tensors
    meta: Mapping[str, Any]
    history: Mapping[Key, Tensor]
    memory: Tensors


def equal_steps(dt: float, count: int, start: float = 0.0) -> list[Step]:
    """Return steps of one length."""
    return [Step(start + n * dt, dt) for n in range(count)]


def recorded(march: March) -> list[Step]:
    """Take a march to its end and return the steps that were accepted. Collective."""
    noting, steps = _Noting(march.stepper), []
    march.stepper = cast("Stepper", noting)
    with torch.no_grad():
        while not march.clock.done:
            anew = march.events.anew(march.clock.t)
            march.advance()
            steps.append(Step(*noting.last, anew))
    march.stepper = noting.stepper
    return steps


class _Noting:
    """A stepper that knows which step it has taken last."""

    def __init__(self, stepper: Stepper):
        self.stepper, self.last = stepper, (0.0, 0.0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stepper, name)

    def step(self, system: Any, state: State, t: float, dt: float) -> StepResult:
        self.last = t, dt
        return self.stepper.step(system, state, t, dt)


class Again:
    """A system whose steps have been taken before: how long they may be is known."""

    def __init__(self, system: Any):
        self._system = system

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def longest(self, values: Tensors, t: float) -> float:
        """Return no limit."""
        return math.inf


@dataclass(frozen=True)
class Chain:
    """A march of known steps that gradients flow back through.

    Attributes
    ----------
    system : what the stepper needs, on tensors and without cutting their graph.
    stepper : returns a stepper that has taken no step yet.
    steps : the steps.
    every : steps of a segment of which only the first state is kept; None keeps all.
    """

    system: Any
    stepper: Callable[[], Stepper]
    steps: Sequence[Step]
    every: int | None = None

    def states(self, start: Tensors, at: Collection[int] = ()) -> list[Tensors]:
        """Return the values after each number of steps in ``at``, by default after all. Collective.

        Backward passes are collective too: all ranks ask for the same gradients, in the same order.
        """
        wanted = sorted(at) or [len(self.steps)]
        memory = self.system.remembered() if isinstance(self.system, Remembering) else {}
        now, found = Kept(start, {}, {}, memory), {0: start}
        for first, last in pairwise(self._cuts(wanted)):
            # where the gradient begins, nothing is gained by computing again
            kept = self.every is None or last == wanted[-1] or not torch.is_grad_enabled()
            now = self._march(now, first, last, self.system) if kept else self._segment(now, first, last)
            found[last] = now.values
        return [found[n] for n in wanted]

    def _cuts(self, wanted: Sequence[int]) -> list[int]:
        """Return the numbers of steps at which segments begin and end."""
        end = wanted[-1]
        return sorted({0, *range(0, end, self.every or end or 1), *wanted})

    def _segment(self, kept: Kept, first: int, last: int) -> Kept:
        """Return what steps ``first`` to ``last`` - 1 lead to; torch keeps ``kept`` only. Collective."""
        systems = iter((self.system, Again(self.system)))

        def march(kept: Kept) -> Kept:
            return self._march(kept, first, last, next(systems))

        made: Kept = checkpoint(march, kept, use_reentrant=False, preserve_rng_state=False)
        return made

    def _march(self, kept: Kept, first: int, last: int, system: Any) -> Kept:
        stepper, values = self.stepper(), dict(kept.values)
        if kept.meta or kept.history:
            stepper.restore(kept.meta, kept.history)
        if isinstance(system, Remembering):
            system.remind(kept.memory)
        for n in range(first, last):
            t, dt, anew = self.steps[n]
            if anew and isinstance(stepper, Forgets):
                stepper.forget()
            values = stepper.step(system, State(values, t, n), t, dt).values
        memory = system.remembered() if isinstance(system, Remembering) else {}
        return Kept(values, *stepper.history(), memory)
