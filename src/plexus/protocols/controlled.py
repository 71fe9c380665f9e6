"""Controls as a deck states them, and systems whose expressions read them by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from plexus.protocols.fields import Values

if TYPE_CHECKING:
    import numpy as np


class Stated(Protocol):
    """A member of kind ``control``: what the deck says of one (in a run: `plexus.protocols.controls`)."""

    location: ClassVar[Literal["own", "node", "cell", "given"]]
    """What its values stand for: numbers of its own, values at nodes or cells of the mesh, none that move."""
    at_nodes: ClassVar[bool]
    """Whether it has a value at nodes, so that prescribed and initial values may read it."""
    constant: ClassVar[bool]
    """Whether it is one number everywhere and at all times, which plain numbers of a deck may read."""
    params: Any
    """Its block: ``unit``, ``start``, ``low``, ``high``, ``regularisation``."""

    @property
    def ports(self) -> Mapping[str, tuple[float, float]]:
        """Fields that it reads, with the ranges that it is made for."""

    @property
    def kinks(self) -> Sequence[float]:
        """Times [s] at which it has a kink."""

    @property
    def sizes(self) -> Sequence[float] | None:
        """Size of each number where they are of different kinds, such as a value and a time."""

    def place(self, ground: Any) -> Any:
        """Return the `Control` on a `Ground`, both of `plexus.protocols.controls`. Collective."""

    def begin(self, ground: Any) -> np.ndarray:
        """Return its own values on this rank at the start."""

    def grams(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the matrices of ∫ m m and ∫ m' m' of numbers of its own, (n, n)."""


@runtime_checkable
class Course(Protocol):
    """A control that is a function of inputs: fits tell its values beside its numbers."""

    def courses(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """Return for each input where to look: all inputs at k points, (k,) each, in their units."""

    def value(self, theta: Any, names: Any) -> Any:
        """Return the values at points, given its numbers (tensors too) and its inputs by name."""


class Measured(Protocol):
    """A member of kind ``measurement``."""

    @property
    def light(self) -> bool:
        """Whether a check of the deck can read its file without libraries."""

    def read(self, deck: Any, unit: str) -> Any:
        """Return the `plexus.measurements.base.Readings`, in the unit of what was measured.

        Raises
        ------
        plexus.errors.InputError
            With file and line, if they cannot be read or do not fit the run.
        """


@runtime_checkable
class Controlled(Protocol):
    """A system whose expressions read controls by name, and whose runs can be differentiated in them."""

    controls: Any
    """Controls and their present values (`plexus.spaces.controls.Controls`)."""

    def start(self) -> Values:
        """Return the values with which a run begins, for the present values of controls. Collective."""

    def traced(self, own: Mapping[str, Any]) -> Any:
        """Return the system on tensors, which has `start` and what steppers ask of it. Collective.

        ``own`` are own values of controls by name, tensors; what is left out keeps its present values.

        Raises
        ------
        plexus.errors.InputError
            If no gradient leads through the model.
        """

    def reader(self, of: str, x: np.ndarray) -> Any:
        """Return the `plexus.coupling.readers.Reader` of an unknown or component at places (k, d).

        Collective.

        Raises
        ------
        plexus.errors.InputError
            If a place lies outside.
        """
