"""A direction from a network that sees the residual on a grid: the published DCDM, beside which multigrid is.

The residual lies in the box of cells, zero where a cell has no unknown; convolutions map it to a direction.
It is neither linear nor symmetric, so that only flexible Krylov methods may use it: `conjugate_directions`
(the published iteration), `fcg`, `fgmres`. The network is trained for the operator of one problem, sees no
coefficients, and has a short reach. An answer that would gain less than the residual itself gives way to
it. On several ranks each of them has the whole box. A. Kaneda et al., ICML (2023),
doi:10.48550/arXiv.2205.10763.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator, model_validator

from plexus.deck.params import Field, InputFile, Params
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.protocols import Found, Setting
from plexus.registry import register
from plexus.solvers.directions.trainable import Trainable
from plexus.solvers.preconditioners.base import PreconditionerBase

if TYPE_CHECKING:
    from plexus.solvers.directions.context import Directions as Context
    from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "directions", "bundle": "lite_32"}


class DirectionsParams(Params):
    """Parameters of the network; a bundle brings its own."""

    learned: ClassVar[bool] = True
    weights_key: ClassVar[str] = "bundle"

    profile: Literal["64", "128"] = Field(
        "64", description="layers, as published for 64³ (reach 22 cells) or for 128³ (34 cells)"
    )
    channels: int = Field(16, ge=1, le=256, description="features per cell")
    form: Literal["published", "linear", "symmetric"] = Field(
        "published", description="without ReLU and biases: linear; followed by its transpose: symmetric"
    )
    levels: int = Field(2, ge=2, le=6, description="widths of cells, each twice the one before")
    bundle: InputFile | None = Field(
        None, description="bundle with the network (.safetensors), or the name of one that Plexus ships"
    )
    sha256: str | None = Field(
        None, pattern="^[0-9a-fA-F]{64}$", description="hash of the bundle; may be left out of a shipped one"
    )
    seed: int = Field(0, ge=0, description="seed of untrained weights")

    @field_validator("bundle", mode="before")
    @classmethod
    def _shipped(cls, name: Any) -> Any:
        from plexus.solvers.directions import shipped

        found = shipped.found(name) if isinstance(name, str) else None
        return name if found is None else str(found)

    @model_validator(mode="after")
    def _named(self) -> DirectionsParams:
        from plexus.solvers.directions import shipped

        if self.bundle is not None and self.sha256 is None and not shipped.ships(self.bundle):
            raise refuse("`sha256` is missing: a bundle goes with its hash (`sha256sum FILE`)")
        return self

    @property
    def checkpoint(self) -> str | None:
        """Return the bundle, by the name that it has for all learned parts."""
        return self.bundle


@register("preconditioner", "directions", DirectionsParams)
class Directions(Trainable, PreconditionerBase):
    """A network as a preconditioner."""

    varies = True

    def context(self, target: Target) -> Context:
        """Return what PETSc calls."""
        from plexus.solvers.directions.context import Directions as Context

        return Context(self.params.bundle or "", self.params.sha256, target.device)

    @staticmethod
    def unsound(params: DirectionsParams, setting: Setting, at: tuple[str, ...]) -> Iterator[Found]:
        """Yield what is wrong with the bundle, before a run."""
        from plexus.solvers.directions import bundle

        try:
            bundle.load(params.bundle or "", params.sha256)
        except InputError as error:
            yield (*at, "bundle"), str(error)
