"""What the time loop asks of a method that advances a state, and of the choice of its step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from plexus.protocols.fields import Array, Plain, Values

if TYPE_CHECKING:
    from plexus.deck.time import Time
    from plexus.errors import PlexusError
    from plexus.fields.keys import Key
    from plexus.fields.state import State
    from plexus.stepping.clock import Clock


@dataclass
class StepResult:
    """What a stepper hands back: new values by field name, its error estimate, solver iterations, memory.

    ``error`` is the weighted norm of the local error (accept when <= 1) or None if the stepper has none.
    ``internal`` are the internal variables at the end of the step, which the loop puts into the next state.
    """

    values: Values
    error: float | None = None
    iterations: dict[str, int] = field(default_factory=dict)
    internal: Values = field(default_factory=dict)


class Stepper(Protocol):
    """A method of time integration, made from its parameters and the tolerance of adaptive steps."""

    needs: ClassVar[type]
    """What it asks of a system: `Implicit`, `Split` or `Explicit`."""
    marches: bool
    """False: the run is one step at the start time."""
    order: int

    def step(self, system: Any, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt``; the state stays untouched. Collective.

        ``system`` offers what the stepper needs.
        """

    def history(self) -> tuple[dict[str, Any], dict[Key, Array]]:
        """Return plain data and arrays of earlier states, group ``history``, which a restart needs."""

    def restore(self, meta: Plain, arrays: Mapping[Key, Array]) -> None:
        """Continue from what `history` returned."""


@runtime_checkable
class Repeats(Protocol):
    """A stepper that can go over the equations of a step several times, until their unknowns agree."""

    repeats: bool


@runtime_checkable
class Remembers(Protocol):
    """A stepper that advances internal variables."""

    memory: Literal["any", "smooth"]
    """``smooth``: evolving equations may have only internal variables that follow rate equations."""


@runtime_checkable
class Forgets(Protocol):
    """A stepper that can lose its memory: what was smooth before a jump of a load is not so across it."""

    def forget(self) -> None:
        """Begin anew, as with the first step of a march."""


@runtime_checkable
class Choosy(Protocol):
    """A stepper that does not take every model, or no adaptive steps."""

    def refusal(self, systems: Sequence[Sequence[str]]) -> str | None:
        """Return why not; ``systems`` evolve, each the unknowns that are solved together."""


class Controller(Protocol):
    """The choice of the time step, made from its parameters, the deck's step and the length of the march.

    All numbers are global, so that every rank decides alike.
    """

    rejected: int
    """Number of steps that were repeated."""
    tolerance: float | None
    """Relative local error per step that steppers measure theirs by; None without an estimate."""
    limits: Mapping[str, float]
    """Most that unknowns and internal variables may change in a step, by name."""
    fixed: bool
    """Whether steps have the length of the deck, but for those that hit prescribed times."""

    @staticmethod
    def longest(params: Any, time: Time) -> float:
        """Return the longest step [s] that a march through the deck's block ``time`` may take."""

    def propose(self, clock: Clock, target: float | None, limit: Callable[[], float]) -> float:
        """Return the step [s] to try from the clock's time, not passing ``target``.

        ``limit`` returns the longest stable step of explicit methods [s], infinity for others. Collective.
        """

    def accept(self, dt: float, error: float | None, order: int) -> bool:
        """Judge a step and choose the next one.

        Raises
        ------
        SolveError
            If the error is too large at the smallest step.
        """

    def failed(self, dt: float, failure: PlexusError) -> None:
        """Shorten the step after a solve that did not converge; raise where there is no shorter one."""

    def begin_anew(self) -> None:
        """Go back to a step no longer than that of the deck: a load has jumped."""

    def state(self) -> dict[str, float]:
        """Return what a restart needs."""

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue from what `state` returned."""
