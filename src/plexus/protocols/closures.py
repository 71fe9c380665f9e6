"""What stands for the part of a model that the model does not carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from plexus.protocols.fields import Array
from plexus.protocols.learned import Guarded, Port, Setting


class Closure(Protocol):
    """What stands for the part of a model that the model does not carry, classical or learned.

    Fields and results are torch tensors in physical space, by name, with any leading batch axes.
    """

    guard: Guarded | None
    """What watches a learned closure; classical closures hold everywhere and have none."""

    @property
    def inputs(self) -> Sequence[Port]:
        """What it takes."""

    @property
    def outputs(self) -> Sequence[Port]:
        """What it gives: one of the alternatives of the model's `Gap.missing`."""

    def prepare(self, setting: Setting) -> None:
        """Get ready for one model and grid. Collective.

        Raises
        ------
        InputError
            If it does not give what the model leaves open.
        """

    def evaluate(self, fields: Mapping[str, Array]) -> dict[str, Array]:
        """Return the closure fields; pure, batched, differentiable by torch."""

    def project(
        self, fields: Mapping[str, Array], out: Mapping[str, Array]
    ) -> tuple[dict[str, Array], Array]:
        """Return the nearest admissible closure fields and the fraction of points that moved; idempotent."""

    def report(self) -> Mapping[str, float]:
        """Return scalars for the histories. Collective."""
