"""The march of a run once more, on tensors: every number that it ends in can be differentiated in its
controls.

Stepper, controller and events begin anew, from the initial values that the controls give. Lengths of steps
count as given. Nothing is observed, and the run itself stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from plexus import registry
from plexus.coupling.traced import Traced
from plexus.errors import InputError
from plexus.fields.state import State
from plexus.stepping.clock import Clock
from plexus.stepping.march import March

if TYPE_CHECKING:
    import torch

    from plexus.protocols import Controller
    from plexus.run.run import Run


def replay(run: Run, own: Mapping[str, torch.Tensor]) -> Iterator[tuple[Traced, State]]:
    """Yield the traced system with the state at the start, if the run marches, and after each step.
    Collective.

    Parameters
    ----------
    run
        A run on elements.
    own
        Own values of controls by name; those that are left out keep their present ones.

    Raises
    ------
    InputError
        If its model or stepper has no gradient.
    """
    from plexus.run.run import stepper_of

    if run.first is None:
        raise InputError("physics: gradients are those of models on elements")
    controller = _controller(run)
    stepper = stepper_of(run.deck, controller.tolerance)
    if run.deck.time is not None and not getattr(stepper, "repeats", False):
        raise InputError(
            f"time.stepper: {run.deck.time.stepper.type} has no gradient; use theta, bdf2 or quasistatic"
        )
    traced = Traced(run.system, own)  # type: ignore[arg-type]  # only systems on elements have `first`
    start = run.deck.time.start if run.deck.time else 0.0
    clock = Clock(start, run.clock.end)
    march = March(traced, State(run.first(traced), start), clock, stepper, controller, events=run.events)
    if stepper.marches:
        yield traced, march.state
    while not clock.done:
        march.advance(run.events.next_time(clock.t))
        yield traced, march.state


def _controller(run: Run) -> Controller:
    """Return the run's choice of steps, as at its beginning."""
    time, made = run.deck.time, registry.component("controller", "fixed")
    if time is None or not run.stepper.marches:
        fixed: Controller = made.cls(made.params(), 0.0, 0.0)
        return fixed
    chosen: Controller = registry.build("controller", time.control, time.step, time.end - time.start)
    return chosen
