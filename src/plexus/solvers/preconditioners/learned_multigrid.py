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

from pydantic import field_validator, model_validator

from plexus.deck.params import Field, InputFile
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.protocols import Found, OptionValue, Setting
from plexus.registry import register
from plexus.solvers.multigrid.trainable import Trainable
from plexus.solvers.preconditioners.aggregation import Aggregation, AggregationParams

if TYPE_CHECKING:
    from plexus.solvers.multigrid.context import Multigrid
    from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "learned_multigrid", "bundle": "grids_k"}


class LearnedMultigridParams(AggregationParams):
    """Parameters of hierarchy and cycle, and the bundle that holds the networks."""

    learned: ClassVar[bool] = True
    weights_key: ClassVar[str] = "bundle"

    cycle: Literal["two_step", "v", "k"] | None = Field(  # type: ignore[assignment]
        None, description="as for `aggregation`; none: that of the bundle's training, two_step without one"
    )
    bundle: InputFile | None = Field(
        None, description="bundle with the networks (.safetensors), or the name of one that Plexus ships"
    )
    sha256: str | None = Field(
        None, pattern="^[0-9a-fA-F]{64}$", description="hash of the bundle; may be left out of a shipped one"
    )
    seed: int = Field(0, ge=0, description="seed of untrained weights")

    @field_validator("bundle", mode="before")
    @classmethod
    def _shipped(cls, name: Any) -> Any:
        from plexus.solvers.multigrid import bundle

        found = bundle.found(name) if isinstance(name, str) else None
        return name if found is None else str(found)

    @model_validator(mode="after")
    def _named(self) -> LearnedMultigridParams:
        from plexus.solvers.multigrid import bundle

        if self.bundle is not None and self.sha256 is None and not bundle.ships(self.bundle):
            raise refuse("`sha256` is missing: a bundle goes with its hash (`sha256sum FILE`)")
        return self

    @property
    def checkpoint(self) -> str | None:
        """Return the bundle, by the name that it has for all learned parts."""
        return self.bundle


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

        try:
            bundle.load(params.bundle or "", params.sha256)
        except InputError as error:
            yield (*at, "bundle"), str(error)
