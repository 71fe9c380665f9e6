"""What a training is made of: data, losses, optimisers, schedules of rates, stages, and the part itself.

A training knows no physics. Data give named samples, a loss compares answers with them, an optimiser moves
the variables, a stage says which loss is made small over which variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from plexus.protocols.fields import Array
from plexus.protocols.learned import Port, Setting

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.batch import Batch
    from plexus.learning.objective import Objective
    from plexus.learning.samples import Samples
    from plexus.learning.session import Session
    from plexus.learning.team import Team
    from plexus.runtime.context import Context

Wrong = Iterator[tuple[tuple[str, ...], str]]
"""Place in the deck, from the member's own block on, and what is wrong there."""


class Trainable(Protocol):
    """A learned part as a training sees it.

    What fills a gap of a model is a `plexus.protocols.Learned`, too; what serves a solver fills none.
    """

    judged_by: ClassVar[str]
    """What of `Data.offers` a validation must have: ``targets``, else what its own ``judged`` looks at."""
    network: Any
    """The torch module whose weights are fitted, after `prepare`."""
    scales: dict[str, float]
    """Normalisation constants by name."""
    metadata: dict[str, Any]
    """What its bundle says; empty for a part without one."""

    @property
    def inputs(self) -> Sequence[Port]:
        """What it takes."""

    @property
    def outputs(self) -> Sequence[Port]:
        """What it gives."""

    @property
    def loose(self) -> bool:
        """Whether it may be trained on loose points of samples."""

    def prepare(self, setting: Setting) -> None:
        """Load or make the network. Collective.

        Raises
        ------
        InputError
            If the bundle is unsound or belongs to another part.
        """

    def raw(self, fields: Mapping[str, Array]) -> dict[str, Array]:
        """Return the network's outputs as they are, with gradients."""

    def range_of(self, fields: Mapping[str, Array], widen: float = 0.0) -> dict[str, Any]:
        """Return the box of training data by feature, widened by a share of it."""

    def use_range(self, box: Mapping[str, Any]) -> None:
        """Guard with a box that `range_of` returned."""

    def describe(self, box: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a bundle's metadata that the part knows itself."""

    def golden(self, fields: Mapping[str, Array]) -> Any:
        """Return a few inputs and the network's answers, to be stored with the weights."""

    def calibrate(self, inputs: Mapping[str, Array], targets: Mapping[str, Array]) -> None:
        """Set the normalisation constants from all samples; without answers ``targets`` are empty."""

    def rivals(self) -> Mapping[str, Any]:
        """Return the classical parts that it must beat, by name, each with `evaluate`; none for most."""

    def compared(
        self, inputs: Mapping[str, Array], given: Mapping[str, Array], targets: Mapping[str, Array]
    ) -> Mapping[str, Sequence[tuple[Array, Array]]]:
        """Return metric -> pairs (found, true); the mean of their relative square errors."""


class Residual(Protocol):
    """A physics that knows equations between what a part of its gap sees and what it answers."""

    @staticmethod
    def residual(params: Any, inputs: Mapping[str, Array], given: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return what the answers leave over, by equation; empty where there is none for these ports."""


class Data(Protocol):
    """What a training learns from."""

    offers: ClassVar[frozenset[str]]
    """What its samples have beside inputs: ``targets``, ``grid`` (whole fields), ``flow`` (moments later),
    ``later`` (inputs at later times), ``runs`` (whole runs, with which those of the deck can be compared),
    ``systems`` (linear systems by number), ``operator`` (one matrix of all samples)."""

    @staticmethod
    def problems(params: Any, deck: Deck) -> Wrong:
        """Yield what does not go with the rest of a valid deck; needs no torch."""

    @staticmethod
    def room(params: Any, unknowns: int) -> float:
        """Return the bytes that its samples take on all ranks together."""

    def words(self) -> str:
        """Return what it is, in a few words for the log."""

    def space(self, deck: Deck, ctx: Context) -> Any:
        """Return the grid on which samples live, None for loose points."""

    def samples(self, session: Session, leads: Sequence[int]) -> Samples:
        """Return this rank's samples, with the truth after each of ``leads`` steps. Collective."""

    def case(self, group: int) -> dict[str, Any]:
        """Return what tells the group of a sample from the others, plain data for tables."""

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return what a bundle says of the data: the fields ``domain`` and ``training``."""


class Loss(Protocol):
    """How far answers are from what they should be."""

    needs: ClassVar[frozenset[str]]
    """What of `Data.offers` it needs."""
    fields: ClassVar[bool]
    """Whether it looks at whole fields, so that loose points of them will not do."""
    exact: bool
    """Whether the gradient is that of the loss, as line searches and least squares take for granted."""

    @staticmethod
    def leads(params: Any) -> tuple[int, ...]:
        """Return after how many steps it looks at the truth again."""

    def start(self, session: Session, chosen: Any) -> None:
        """Set the sizes by which errors are divided, over the chosen samples of all ranks. Collective."""

    def part(self, batch: Batch) -> Any:
        """Return this rank's part of the loss of a batch, 0-d."""

    def rows(self, batch: Batch) -> Any:
        """Return this rank's residuals (n,), whose squares add up to `part`; for methods of least squares."""


class Schedule(Protocol):
    """How a learning rate goes from its first to its last value."""

    def rate(self, share: float, first: float, last: float) -> float:
        """Return the rate at a share of the steps, from 0 to 1."""


class Optimizer(Protocol):
    """What moves variables so that a loss becomes small."""

    needs: ClassVar[frozenset[str]]
    """``rows`` for methods of least squares, else empty."""
    whole: ClassVar[bool]
    """Whether it wants all samples in every step unless the deck says otherwise."""
    rate: float
    """Learning rate or length of the latest step."""
    gradient: float
    """Norm of the latest gradient."""
    settled: bool
    """Whether the latest step has found nothing more to do."""

    def start(self, variables: Mapping[str, Any], team: Team) -> None:
        """Take the tensors that are changed in place, by name."""

    def step(self, objective: Objective, step: int, steps: int) -> float:
        """Take one step of ``steps`` and return the loss summed over ranks. Collective."""

    def memory(self) -> dict[str, Any]:
        """Return what it remembers, tensors by name."""

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Continue from what `memory` returned."""


class Stage(Protocol):
    """One part of a training."""

    trains: ClassVar[bool]
    """Whether it changes the weights, so that there is a bundle to write."""

    @staticmethod
    def needs(params: Any, loss: Any) -> frozenset[str]:
        """Return what of `Data.offers` it needs; ``loss`` is the training's."""

    @staticmethod
    def problems(params: Any, deck: Deck) -> Wrong:
        """Yield what does not go with the rest of a valid deck; needs no torch."""

    @staticmethod
    def leads(params: Any, loss: Any) -> tuple[int, ...]:
        """Return after how many steps it looks at the truth again; ``loss`` is the training's."""

    def work(self, session: Session) -> float:
        """Do the stage from where the training stands and return its last loss. Collective."""

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return what a bundle says of the stage, by field; empty for most."""
