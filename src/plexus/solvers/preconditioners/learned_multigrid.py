"""The multigrid on aggregates with coarse couplings and intervals that a network sets, by local features.

The network looks at each coarse coupling: its size beside the diagonals, the finer ones it was merged from,
what ties its ends together. It multiplies the coupling by a factor above zero, which keeps the preconditioner
symmetric positive definite for any weights; the set-up of a new matrix is one local pass, no training.
Aggregates are those of `aggregation`, which answers instead where an application gives no descent.
A. Katrutsa, T. Daulbaev, I. Oseledets, J. Comput. Appl. Math. 368 (2020) 112524,
doi:10.1016/j.cam.2019.112524; couplings by local features are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from plexus.deck.params import Field
from plexus.protocols import Found, OptionValue, Setting
from plexus.registry import register
from plexus.solvers.multigrid.trainable import Trainable
from plexus.solvers.preconditioners._bundled import Bundled
from plexus.solvers.preconditioners.aggregation import Aggregation, AggregationParams

if TYPE_CHECKING:
    from plexus.solvers.multigrid.context import Multigrid
    from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "learned_multigrid", "bundle": "grids_k"}


class LearnedMultigridParams(Bundled, AggregationParams):
    """Parameters of hierarchy and cycle, and the bundle that holds the networks."""

    shelf: ClassVar[str] = "learned_multigrid"

    cycle: Literal["two_step", "v", "k"] | None = Field(  # type: ignore[assignment]
        None, description="as for `aggregation`; none: that of the bundle's training, two_step without one"
    )


@register("preconditioner", "learned_multigrid", LearnedMultigridParams)
class LearnedMultigrid(Trainable, Aggregation):
    """`Aggregation` with networks."""

    @property
    def varies(self) -> bool:  # type: ignore[override]
        """Return whether the cycle is no linear operator."""
        return self.settings().cycle == "k"

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the options that the context reads."""
        named = {} if self.params.bundle is None else {"pc_plexus_bundle": self.params.bundle}
        return super().options(target) | {"pc_plexus_cycle": self.settings().cycle} | named

    def context(self, target: Target) -> Multigrid:
        """Return the multigrid, which is watched."""
        from plexus.solvers.multigrid.guarded import Watch
        from plexus.solvers.multigrid.watched import Watched

        return Watched(Watch(), self.params.sha256)

    @staticmethod
    def unsound(params: LearnedMultigridParams, setting: Setting, at: tuple[str, ...]) -> Iterator[Found]:
        """Yield what is wrong with the bundle, before a run."""
        from plexus.solvers.multigrid import bundle

        yield from params.unsound(bundle.load, at)
