"""A run on tensors: the march of a deck again, as a graph through which gradients of its quantities run back.

    trace = Trace.of(run, {"k": k})             # own values of controls, tensors
    loss = trace.total(lambda trace: trace.quantity("outlet") if trace.last else None)
    slopes = gradient(loss, {"k": k}, run)      # the same on all ranks, of fields the own part

The steps are those of the run and count as given. A state that is kept costs a few fields; `Trace.total` can
keep one of every so many and compute those between again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from itertools import islice
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint, set_checkpoint_early_stop

from plexus.errors import GuardError, InputError, SolveError, at_path
from plexus.fields.state import State
from plexus.run.run import Run, marching, stepper_of
from plexus.stepping.adjoint import Again, Remembering
from plexus.stepping.march import March

Tensor = torch.Tensor
Look = Callable[["Trace"], Tensor | None]
"""What is added up along a march: a number at the present state, None at states that do not count."""


class Trace(Run):
    """A run whose system is on tensors; its observers only say which times are hit."""

    system: Any

    @classmethod
    def of(cls, run: Run, controls: Mapping[str, Tensor]) -> Trace:
        """Return a run at its beginning, for own values of controls as tensors. Collective.

        Raises
        ------
        InputError
            If no gradient leads through the stepper.
        """
        deck, (clock, controller) = run.deck, marching(run.deck)
        stepper = stepper_of(deck, controller.tolerance)
        why = getattr(stepper, "rough", "")
        if why:
            raise InputError(f"time.stepper: {why}")
        system = run.system.traced(controls)
        return cls(
            system,  # asked for what `March` and quantities need
            State(system.start(), clock.t, internal=system.begin()),
            clock, stepper, controller, events=run.events, deck=deck, ctx=run.ctx, mesh=run.mesh,
            lineage=run.lineage, quantities=run.quantities, observers=run.observers, places=run.places,
        )  # fmt: skip

    def march(self, until: float = math.inf) -> Iterator[State]:
        """Yield the state after each step, up to the time ``until`` [s] or the end. Collective."""
        while not self.last and self.clock.t < until:
            self.advance(self._target(until))
            yield self.state

    def repeat(self, dt: float, failure: SolveError | GuardError) -> None:
        """Let the controller choose a shorter step; where it cannot, the run itself tells more."""
        March.repeat(self, dt, failure)

    def quantity(self, name: str) -> Tensor:
        """Return a quantity of the deck in the present state, a tensor, equal on all ranks. Collective.

        Raises
        ------
        InputError
            If it has no gradient.
        """
        with at_path(f"quantities.{name}"):
            found: Any = self.quantities[name].evaluate(self)
            if not isinstance(found, torch.Tensor):
                raise InputError("no gradient leads through this quantity")
        return found

    def total(self, look: Look, every: int | None = None) -> Tensor:
        """March to the end and return the sum of what ``look`` sees after each step. Collective.

        With ``every``, only each so-manieth state is kept, and a gradient computes the steps between again:
        less memory, at the cost of one more march. Of the last segment, where the gradient begins, all is
        kept.
        """
        found = []
        while not self.last:
            if every is None or self._ends_within(every):
                found.append(self._steps(look, every))
            else:
                found.append(self._segment(look, every))
        return _sum(found)

    def _steps(self, look: Look, count: int | None) -> Tensor:
        """Take so many steps, all without a number; return what ``look`` has seen."""
        return _sum([look(self) for _ in islice(self.march(), count)])

    def _ends_within(self, steps: int) -> bool:
        """Return whether so many steps lead to the end, as far as their length is known."""
        dt = self.controller.propose(self.clock, None, self.limit) if self.controller.fixed else 0.0
        return self.clock.t + (steps + 0.5) * dt > self.clock.end

    def _segment(self, look: Look, steps: int) -> Tensor:
        """Take so many steps, of which torch keeps the beginning only; return what ``look`` has seen."""
        clock, controller, (memory, past) = (
            self.clock.state(),
            self.controller.state(),
            self.stepper.history(),
        )
        names, stored, ends = list(self.state.values), list(self.state.internal), list[Trace]()
        remembering = self.system if isinstance(self.system, Remembering) else None
        kept = remembering.remembered() if remembering else {}
        taken = iter((False, True))

        def run(*tensors: Tensor) -> tuple[Tensor, ...]:
            # each time by a march of its own: what is computed again leaves this one where it is
            own = self._twin()
            if next(taken) and own.controller.fixed:
                own.system = Again(self.system)
            if remembering:
                remembering.remind(kept)
            own.clock.restore(clock)
            own.controller.restore(controller)
            rest = iter(tensors)
            values, internal = ({name: next(rest) for name in group} for group in (names, stored))
            own.stepper.restore(memory, dict(zip(past, rest, strict=True)))
            own.state = State(values, own.clock.t, own.clock.step, internal)
            seen = own._steps(look, steps)
            ends.append(own)
            end = own.state
            return seen, *end.values.values(), *end.internal.values(), *own.stepper.history()[1].values()

        # a segment's last tensor on one rank may not be that of another: all compute all of it again
        with set_checkpoint_early_stop(False):
            begin = *self.state.values.values(), *self.state.internal.values(), *past.values()
            seen: Tensor = checkpoint(run, *begin, use_reentrant=False)[0]
        end = ends.pop()
        self.clock, self.controller, self.stepper, self.state = (
            end.clock,
            end.controller,
            end.stepper,
            end.state,
        )
        return seen

    def _twin(self) -> Trace:
        """Return another march of the same system, at its beginning."""
        twin = copy(self)
        twin.clock, twin.controller = marching(self.deck)
        twin.stepper = stepper_of(self.deck, twin.controller.tolerance)
        return twin


def gradient(value: Tensor, of: Mapping[str, Tensor], run: Run) -> dict[str, Tensor]:
    """Return the derivatives of a number that is equal on all ranks, by name. Collective.

    Those of values that all ranks share are added up over the ranks, in one reduction; those of fields are of
    the own nodes or cells.
    """
    comm = run.ctx.comm
    slopes = torch.autograd.grad(
        value, list(of.values()), torch.full_like(value, 1.0 / comm.size),
        allow_unused=True, materialize_grads=True,
    )  # fmt: skip
    found = dict(zip(of, slopes, strict=True))
    shared = [name for name in of if run.system.controls.members[name].replicated]
    if shared and comm.size > 1:
        whole = torch.cat([found[name].ravel() for name in shared])
        comm.Allreduce(whole.numpy().copy(), whole.numpy())
        parts = torch.split(whole, [found[name].numel() for name in shared])
        found |= {name: part.reshape(of[name].shape) for name, part in zip(shared, parts, strict=True)}
    return found


def _sum(parts: Sequence[Tensor | None]) -> Tensor:
    """Return the sum of those that are there, zero of none."""
    known = [part for part in parts if part is not None]
    return torch.stack(known).sum() if known else torch.zeros((), dtype=torch.float64)
