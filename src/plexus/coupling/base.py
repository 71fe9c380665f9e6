"""What the time loop, outputs and quantities ask of a discretised model, on elements or in Fourier space.

The values of a state are arrays of the system's own kind; whoever wants numbers at places asks the system for
fields by name (`BaseSystem.evaluation`), and what is stored goes through `pack` and `unpack`.

Learned parts are known by their deck paths. Each counts, trips and falls back on its own.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import GuardError
from plexus.fields.keys import Key

if TYPE_CHECKING:
    from plexus.coupling.readers import Reader
    from plexus.fields.state import State
    from plexus.protocols import Closure, Evaluation, FieldSpec, Guarded
    from plexus.spaces.controls import Controls

Packed = dict[Key, tuple[Any, np.ndarray]]
"""Key -> (space, rows (n_local, m) of its nodes)."""


class BaseSystem(ABC):
    """A model on one rank.

    Attributes
    ----------
    spaces : unknown -> nodes with their numbers of components.
    solvers : unknown -> solver, where there is one.
    starting : unknowns that begin at a plain value where the deck gives none.
    controls : what expressions read beside fields.
    looks : steps between two looks of guards at what must be computed on the whole body.
    pushes : whether tangents of marches lead through all that is transformed and exchanged.
    closures : deck path -> what stands for a part of the model, classical or learned.
    parts : deck path -> what watches a learned part, whatever it stands for; empty for most systems.
    """

    spaces: Mapping[str, Any]
    solvers: Mapping[str, Any]
    starting: Sequence[FieldSpec]
    controls: Controls
    looks: int = 10
    pushes: bool = True
    closures: Mapping[str, Closure] = {}
    parts: Mapping[str, Guarded] = {}

    @abstractmethod
    def start(self) -> dict[str, Any]:
        """Return the values with which a run begins, for the present values of controls. Collective."""

    @abstractmethod
    def traced(self, own: Mapping[str, Any]) -> Any:
        """Return the system on tensors, with own values of controls. Collective.

        What it has beside that for steppers is in `plexus.protocols.Controlled`.
        """

    @abstractmethod
    def reader(self, of: str, x: np.ndarray) -> Reader:
        """Return what reads an unknown or component at places (k, d). Collective.

        Raises
        ------
        InputError
            If a place lies outside.
        """

    @property
    def body(self) -> Any:
        """The system whose fields outputs show: of a reduced one the full one."""
        return self

    def affords(self, quantity: str, evaluate: Callable[[], object]) -> bool:
        """Return whether a quantity costs little in every step. Collective at first.

        Parameters
        ----------
        quantity : str
            Its name in the deck.
        evaluate : callable
            Evaluates it.
        """
        return True

    @property
    def unknowns(self) -> int:
        """Number of unknowns of all equations on all ranks."""
        return sum(s.n_global * s.components for s in self.spaces.values())

    @abstractmethod
    def evaluation(self, constants: Mapping[str, float]) -> Evaluation:
        """Return what evaluates fields by name; ``constants`` are the deck's parameters."""

    @abstractmethod
    def finite(self, values: Mapping[str, Any]) -> bool:
        """Return whether all values on this rank are finite."""

    @abstractmethod
    def blame(self, state: State) -> list[str | None]:
        """Return sentences on where values are not finite. Collective."""

    @abstractmethod
    def layout(self, state: State) -> dict[Key, Any]:
        """Return the rows that `pack` makes of a state: key -> space with its number of components."""

    def begin(self) -> Mapping[str, Any]:
        """Return the internal variables at the start, by name; none for most models."""
        return {}

    @abstractmethod
    def pack(self, arrays: Mapping[Key, Any]) -> Packed:
        """Return arrays, whose fields are unknowns or internal variables, as rows of points. Collective."""

    @abstractmethod
    def unpack(self, rows: Mapping[Key, np.ndarray]) -> dict[Key, Any]:
        """Return the arrays of `pack`, read back on any number of ranks. Collective."""

    def longest(self, values: Mapping[str, Any], t: float) -> float:
        """Return the longest step [s] of explicit methods at Courant number one; infinity for others."""
        return math.inf

    def memory(self) -> Packed:
        """Return what a model remembers besides state and stepper, e.g. the start of an iteration."""
        return {}

    def recall(self, rows: Mapping[Key, np.ndarray]) -> None:
        """Take over what `memory` returned; what is missing is forgotten."""
        return

    def histories(self, state: State) -> dict[str, dict[str, float]]:
        """Return what the model tells of itself for the histories: table -> column -> value. Collective."""
        rows = {path: dict(closure.report()) for path, closure in self.closures.items()}
        rows |= {path: dict(part.report()) for path, part in self.parts.items() if path not in rows}
        return {table: row for table, row in rows.items() if row}

    def counts(self) -> dict[str, Any]:
        """Return further entries of the summary; none by default."""
        return {}

    def totals(self) -> dict[str, Any]:
        """Return what the solvers have counted so far, plain data for a checkpoint."""
        return {"solver": {name: asdict(solver.tally) for name, solver in self.solvers.items()}}

    def add_up(self, totals: Mapping[str, Any]) -> None:
        """Go on counting from what `totals` returned; a solver that it does not know begins at zero."""
        for name, told in totals.get("solver", {}).items():
            if name in self.solvers:
                self.solvers[name].tally = type(self.solvers[name].tally)(**told)

    # learned parts

    def include(self, closures: Mapping[str, Closure], parts: Mapping[str, Guarded]) -> None:
        """Take over closures, prepared, and what watches other learned parts, by their deck paths."""
        guarded = {path: closure.guard for path, closure in closures.items()}
        self.closures = closures
        self.parts = {path: part for path, part in (guarded | dict(parts)).items() if part is not None}

    def facts(self) -> dict[str, Any]:
        """Return the plain data of a checkpoint: type and counts of each learned part. Collective."""
        return {path: {"type": part.name, "guard": part.state()} for path, part in self.parts.items()}

    def expect(self, facts: Mapping[str, Any]) -> None:
        """Make room for the state of a checkpoint with these facts; most models never grow. Collective."""
        return

    def adopt(self, facts: Mapping[str, Any]) -> None:
        """Continue from what `facts` returned, where a part is still of the same type."""
        for path, part in self.parts.items():
            told, gone = facts.get(path, {}), part.using_fallback
            if told.get("type") != part.name:
                continue
            part.restore(told["guard"])
            # a checkpoint from before the part gave way does not bring it back
            if gone:
                part.use_fallback()

    def watch(self, step: int) -> list[str]:
        """Let each learned part's guard judge a step; return what has happened, for the log. Collective.

        Raises
        ------
        GuardError
            On all ranks, if a guard trips and shall stop the run.
        """
        happened = []
        for path, part in self.parts.items():
            if part.using_fallback:
                continue
            part.tick()
            why = part.look(step)
            if why and part.stops:
                raise GuardError(f"{path}: {why}; guard.outside is stop")
            if why:
                happened.append(_replaced(path, part, why))
        return happened

    def give_way(self, why: str) -> list[str]:
        """Replace the learned parts that may have spoiled a state; return a sentence for each. Collective.

        Those go whose guards found too much outside their range just now; where no guard did, all go, for
        any of them may be the one. Nothing is replaced where a suspect is one that shall stop the run, and
        where all have gone already.
        """
        active = {path: part for path, part in self.parts.items() if not part.using_fallback}
        # every rank asks every part: the answer is collective
        seen = {path: part.suspect for path, part in active.items()}
        suspects = {path: part for path, part in active.items() if seen[path]}
        if any(part.stops for part in suspects.values()):
            return []
        chosen = suspects or {path: part for path, part in active.items() if not part.stops}
        return [_replaced(path, part, why) for path, part in chosen.items()]

    def guards(self) -> dict[str, Any]:
        """Return what the guards of learned parts have counted, for the summary. Collective."""
        return {path: part.summary() for path, part in self.parts.items()}


def _replaced(path: str, part: Guarded, why: str) -> str:
    """Replace a part by its fallback and say so."""
    part.use_fallback()
    return f"the learned {path} gave way to its fallback: {why}"
