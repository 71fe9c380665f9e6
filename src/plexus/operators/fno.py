"""A Fourier neural operator: fields at the start of a step to those at its end, on a grid over any ranks.

    v_0 = P(u, x),   v_(l+1) = a(K_l v_l + W_l v_l + b_l),   result Q(v_L)

K_l mixes the channels of each of the lowest modes, so that a point feels all others; W_l acts at each point
(`plexus.nets.fourier`). The weights know no grid: what was trained on one answers on finer ones, and on
coarser ones as far as these hold the modes. On several ranks only the kept modes are added up, and the answer
is that of one rank (1e-12). Without coordinates the operator commutes with shifts, as do equations with
constant coefficients in a periodic box.

Trust it within the range of its training only, and where a solver would take many steps: a map of one step
replaces all of them at once. Fronts that are thinner than the kept modes are smeared.

Source: Z. Li et al., Fourier neural operator for parametric partial differential equations, 2021,
doi:10.48550/arXiv.2010.08895; N. Kovachki et al., doi:10.48550/arXiv.2108.08481.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from plexus.deck.params import Field
from plexus.operators.base import OperatorParams, OperatorPart
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.mesh.grid import Grid

EXAMPLE: dict[str, Any] = {"type": "fno", "modes": [4], "width": 8}


class FnoParams(OperatorParams):
    """Parameters of the operator; a checkpoint brings its own architecture."""

    modes: tuple[Annotated[int, Field(ge=1, le=512)], ...] = Field(
        (16,), min_length=1, max_length=3, description="modes kept per direction and sign, one for each axis"
    )
    width: int = Field(32, ge=1, le=512, description="channels between the layers")
    depth: int = Field(4, ge=1, le=16, description="Fourier layers")
    projection: int = Field(128, ge=1, le=1024, description="hidden channels of the projection")
    activation: Literal["gelu", "tanh", "sine", "silu"] = Field("gelu", description="between the layers")
    coordinates: bool = Field(False, description="places are inputs too; for boxes with sides")
    padding: float = Field(
        0.0, ge=0, le=2, description="zeros behind the end of bounded axes, as a share of their lengths"
    )


@register("operator", "fno", FnoParams)
class Fno(OperatorPart):
    """A Fourier neural operator."""

    params: FnoParams

    def chosen(self) -> dict[str, Any]:
        """Return the architecture."""
        p = self.params
        return {
            "modes": list(p.modes), "width": p.width, "depth": p.depth, "projection": p.projection,
            "activation": p.activation, "coordinates": p.coordinates, "padding": p.padding,
        }  # fmt: skip

    def make(self) -> torch.nn.Module:
        """Return a fresh operator."""
        from plexus.nets.fourier import FourierOperator

        h, n = self.hyper, len(self.ports)
        return FourierOperator(
            n, n, h["modes"], h["width"], h["depth"], h["projection"], h["activation"], h["coordinates"],
            self.params.seed,
        )  # fmt: skip

    def unfit(self, grid: Grid) -> str | None:
        """Return that it has other axes than a grid, or that an untrained one has modes above half of it."""
        modes = self.hyper["modes"]
        if len(modes) != grid.dim:
            return f"fno has modes along {len(modes)} axes, the mesh has {grid.dim}"
        for axis, (m, n) in enumerate(zip(modes, grid.cells, strict=True)):
            if 2 * m > n:
                return (
                    f"{m} modes along {'xyz'[axis]} need {2 * m} cells, the mesh has {n}; give fewer "
                    "modes or more cells"
                )
        return None

    def bind(self) -> None:
        """Bind the network to the setting's grid; bounded axes may have zeros behind their ends."""
        from plexus.nets.modes import Axis
        from plexus.spaces.shared import total_over

        space = self.setting.space
        grid = space.mesh
        own = [space.rows, *((0, n) for n in grid.cells[1:])]
        zeros = [self.hyper["padding"] * grid.ends(a) for a in range(grid.dim)]
        axes = [Axis(n, r, padding=z) for n, r, z in zip(grid.cells, own, zeros, strict=True)]
        self.network.bind(axes, total_over(self.setting.comm))

    def respond(self, u: torch.Tensor) -> torch.Tensor:
        """Return the network's answer. Collective."""
        found: torch.Tensor = self.network(u)
        return found
