"""What the time loop, outputs and quantities ask of a discretised model, on elements or in Fourier space.

The values of a state are arrays of the system's own kind; whoever wants numbers at places asks the system for
fields by name (`BaseSystem.named`), and what is stored goes through `pack` and `unpack`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.fields.keys import Key

if TYPE_CHECKING:
    from plexus.coupling.named import NamedFields
    from plexus.fields.state import State
    from plexus.protocols import FieldSpec

Packed = dict[Key, tuple[Any, np.ndarray]]
"""Key -> (space, rows (n_local, m) of its nodes)."""


class BaseSystem(ABC):
    """A model on one rank.

    Attributes
    ----------
    spaces : unknown -> nodes with their numbers of components.
    solvers : unknown -> solver, where there is one.
    starting : unknowns that begin at a plain value where the deck gives none.
    learned : whether a part of the model can give way to a fallback.
    """

    spaces: Mapping[str, Any]
    solvers: Mapping[str, Any]
    starting: Sequence[FieldSpec]
    learned: bool = False

    @property
    def unknowns(self) -> int:
        """Number of unknowns of all equations on all ranks."""
        return sum(s.n_global * s.components for s in self.spaces.values())

    @abstractmethod
    def named(self, constants: Mapping[str, float]) -> NamedFields:
        """Return the evaluation of fields by name; ``constants`` are the deck's parameters."""

    @abstractmethod
    def sampler(self, run: Any) -> Any:
        """Return what quantities integrate and search with (`plexus.formulation.sampler`)."""

    @abstractmethod
    def places(self, xs: np.ndarray) -> Any:
        """Find positions (k, d); the result has ``evaluate(space, array) -> (k, m)``. Collective."""

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

    def has_thickness(self) -> bool:
        """Return whether integrals count with another length, 2πr or a thickness."""
        return False

    def memory(self) -> Packed:
        """Return what a model remembers besides state and stepper, e.g. the start of an iteration."""
        return {}

    def recall(self, rows: Mapping[Key, np.ndarray]) -> None:
        """Take over what `memory` returned; what is missing is forgotten."""
        return

    def facts(self) -> dict[str, Any]:
        """Return the plain data of a checkpoint that belong to the model."""
        return {}

    def adopt(self, facts: Mapping[str, Any]) -> None:
        """Take over what `facts` returned."""
        return

    def histories(self, state: State) -> dict[str, dict[str, float]]:
        """Return what the model tells of itself for the histories: table -> column -> value. Collective."""
        return {}

    def watch(self, step: int) -> str | None:
        """Let guards inside the model judge a step; return what has happened, for the log. Collective.

        Raises
        ------
        GuardError
            On all ranks, if a guard shall stop the run.
        """
        return None

    def give_way(self, why: str) -> str | None:
        """Replace a learned part by its fallback; return a sentence, None if there is nothing to replace."""
        return None

    def guards(self) -> dict[str, Any]:
        """Return what guards have counted, for the summary. Collective."""
        return {}
