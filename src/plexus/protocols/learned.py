"""Learned parts: what a model leaves open, what fills it, and what watches it in a run.

A model tells the ports that it does not carry (`Gap`); a part tells the ports that it takes and gives
(`Learned`). They meet by these names, so neither knows the other's kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from plexus.protocols.fields import Array, Plain, Shape

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


@dataclass(frozen=True)
class Port:
    """A field that a part takes or gives."""

    name: str
    unit: str
    """As pint text."""
    shape: Shape = "scalar"
    location: str = "point"
    """Where its values are: ``point``, ``mode``, ``entry`` of a matrix, ..."""
    scale: float = 1.0
    """A typical size in this unit."""

    @property
    def complex(self) -> bool:
        """Whether its values are complex numbers."""
        return False

    def __str__(self) -> str:
        """Return name and unit as a message has them."""
        return f"{self.name} [{self.unit}{', complex' if self.complex else ''}]"


Ports = tuple[Port, ...]


@dataclass(frozen=True)
class Setting:
    """What a part is prepared for, once per run.

    ``constants`` are the physical constants of the model by name, ``missing`` the ports that it leaves open
    (see `Gap`), ``space`` the grid on which fields live (None for loose points), ``comm`` the ranks that
    share it, ``dt`` and ``integrator`` the time step and stepper, for parts that were trained inside a
    solver.
    """

    constants: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[Ports, ...] = ()
    space: Any = None
    device: str = "cpu"
    comm: Comm | None = None
    dt: float | None = None
    integrator: str = ""


class Examples(Protocol):
    """Generator of states on which a part can be tried."""

    def __call__(self, shape: tuple[int, ...], seed: int = 0, reach: float = 0.98) -> dict[str, Array]:
        """Return every port of `Gap.seen` by name, tensors of this shape.

        ``reach`` < 1 is how near the states come to the edge of what the model allows.
        """


@dataclass(frozen=True)
class Gap:
    """What a model leaves open.

    ``missing`` lists alternatives: any one of these groups of ports fills the gap. ``seen`` are the ports
    that a part may look at, ``constants`` the model's numbers by name, ``states`` makes examples of ``seen``.
    """

    missing: tuple[Ports, ...]
    seen: Ports
    constants: Mapping[str, float]
    states: Examples

    def setting(self, **more: Any) -> Setting:
        """Return what a part of this gap is prepared for; ``more`` are other fields of the setting."""
        return Setting(self.constants, self.missing, **more)


class Guarded(Protocol):
    """What watches one learned part of a run and can replace it by its fallback."""

    name: str
    """Class of the part, by which checkpoints know it."""
    beyond: Sequence[str]
    """What of the model lies outside the part's training, in words."""
    using_fallback: bool

    @property
    def stops(self) -> bool:
        """Return whether a trip ends the run instead of bringing in the fallback."""

    @property
    def suspect(self) -> bool:
        """Whether the latest counts, those of an unfinished step included, speak against it. Collective."""

    def tick(self) -> None:
        """End a step. Neither collective nor waiting for a device."""

    def look(self, step: int) -> str | None:
        """Return why the part must not go on, None while all is well or no look is due. Collective."""

    def use_fallback(self) -> None:
        """From now on only the fallback is evaluated."""

    def report(self) -> Mapping[str, float]:
        """Return scalars for the histories. Collective."""

    def summary(self) -> dict[str, Any]:
        """Return the entry of ``summary.json``. Collective.

        At least: ``steps`` that were watched, ``outside`` and ``mean_outside`` (latest and mean fraction
        outside the range), ``fallback``, ``max_fraction``, ``holds`` (the mean fraction was tolerable),
        ``beyond_training``.
        """

    def state(self) -> dict[str, Any]:
        """Return what a restart needs, plain data. Collective."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned, on any number of ranks."""


class Learned(Protocol):
    """A trained part: from inputs to outputs by name, with a range in which it may be trusted."""

    kind: str
    guard: Guarded | None
    """What watches it; None before `prepare`."""

    @property
    def name(self) -> str:
        """The component's name."""

    @property
    def inputs(self) -> Sequence[Port]:
        """What it takes."""

    @property
    def outputs(self) -> Sequence[Port]:
        """What it gives."""

    def prepare(self, setting: Setting) -> None:
        """Load or make the network, and set up the guard. Collective.

        Raises
        ------
        InputError
            If the bundle is unsound or belongs to another part, or the setting does not fit.
        """

    def features(self, fields: Mapping[str, Array]) -> Array:
        """Return what the range is about, (features, ...)."""

    def raw(self, fields: Mapping[str, Array]) -> dict[str, Array]:
        """Return the network's outputs as they are, for training."""

    def range_of(self, fields: Mapping[str, Array], widen: float = 0.0) -> dict[str, Any]:
        """Return the box of training data by feature."""

    def use_range(self, box: Mapping[str, Any]) -> None:
        """Guard with a box that `range_of` returned."""

    def describe(self, box: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the fields of a bundle's metadata that the part knows itself."""

    def take(self, metadata: Plain) -> None:
        """Check that the metadata describe this part, and take hyper-parameters and scales over.

        Raises
        ------
        InputError
            Naming the field that does not fit.
        """

    @classmethod
    def problems(
        cls, params: Any, setting: Setting, at: tuple[str, ...]
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield place in the deck and text for what does not fit, before a run; needs no torch.

        ``at`` is the part's deck path.
        """
