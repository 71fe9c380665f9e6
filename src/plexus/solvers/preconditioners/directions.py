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

from plexus.deck.params import Field
from plexus.protocols import Found, Outline, Setting
from plexus.registry import register
from plexus.solvers.directions.trainable import Trainable
from plexus.solvers.preconditioners._bundled import Bundled
from plexus.solvers.preconditioners.base import PreconditionerBase

if TYPE_CHECKING:
    from plexus.solvers.directions.context import Directions as Context
    from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "directions", "bundle": "lite_32"}


class DirectionsParams(Bundled):
    """Parameters of the network; a bundle brings its own."""

    shelf: ClassVar[str] = "directions"

    profile: Literal["64", "128"] = Field(
        "64", description="layers, as published for 64³ (reach 22 cells) or for 128³ (34 cells)"
    )
    channels: int = Field(16, ge=1, le=256, description="features per cell")
    form: Literal["published", "linear", "symmetric"] = Field(
        "published", description="without ReLU and biases: linear; followed by its transpose: symmetric"
    )
    levels: int = Field(2, ge=2, le=6, description="widths of cells, each twice the one before")


@register("preconditioner", "directions", DirectionsParams)
class Directions(Trainable, PreconditionerBase):
    """A network as a preconditioner."""

    varies = True

    def unfit(self, outline: Outline | None) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield that a matrix is none of the cells of a grid in space, one unknown each."""
        if outline is None or len(outline.cells) != 3 or outline.components > 1:
            yield ("type",), "directions is for matrices of the cells of a grid in space, one unknown each"

    def context(self, target: Target) -> Context:
        """Return what PETSc calls."""
        from plexus.solvers.directions.context import Directions as Context

        return Context(self.params.bundle or "", self.params.sha256, target.device)

    @staticmethod
    def unsound(params: DirectionsParams, setting: Setting, at: tuple[str, ...]) -> Iterator[Found]:
        """Yield what is wrong with the bundle, before a run."""
        from plexus.solvers.directions import bundle

        yield from params.unsound(bundle.load, at)
