"""Incompressible Navier-Stokes equations in a periodic box, pseudo-spectral, in 2-D or 3-D.

    u_t + u·∇u = -∇p + ν ∇²u + f,   ∇·u = 0

====== ============================ =====
symbol meaning                      unit
====== ============================ =====
u      velocity                     m/s
p      pressure over density        m²/s²
ν      kinematic viscosity          m²/s
f      force per mass               m/s²
====== ============================ =====

The velocity is projected on fields without divergence in Fourier space and the products are dealiased. A run
resolves all scales: the largest wave number times (ν³/ε)^(1/4) should be 1 or more. Source: S. Orszag,
G. Patterson, Phys. Rev. Lett. 28 (1972) 76-79, doi:10.1103/PhysRevLett.28.76; the start ``taylor_green``
from G. Taylor, A. Green, Proc. R. Soc. A 158 (1937) 499-521, doi:10.1098/rspa.1937.0036.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import ValidationInfo, model_validator

from plexus.deck.context import known
from plexus.deck.params import Field, Movable, Params, Property, Unit
from plexus.deck.values import refuse
from plexus.formulation.entries import PerAxis
from plexus.protocols import FieldSpec
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.protocols import SpectralModel
    from plexus.spaces.fourier import Fourier

VELOCITY = FieldSpec("velocity", "m/s", "vector", "velocity")
DERIVED = (
    FieldSpec("vorticity", "1/s", "scalar", "rotation of the velocity; in 3-D its magnitude"),
    FieldSpec("pressure", "m^2/s^2", "scalar", "pressure over density, mean zero"),
    FieldSpec("dissipation", "m^2/s^3", "scalar", "2ν S:S, S the strain rate"),
    FieldSpec("swirl", "1/s^2", "scalar", "second invariant Q of ∇u, positive where rotation exceeds strain"),
    FieldSpec("kinetic_energy", "m^2/s^2", "scalar", "|u|²/2"),
)


class NavierStokesParams(Params):
    """Parameters of `NavierStokes`."""

    viscosity: Annotated[float, Movable(), Unit("m^2/s")] = Field(gt=0, description="kinematic viscosity ν")
    force: Annotated[tuple[Annotated[Property, Unit("m/s^2")], ...], PerAxis] | None = Field(
        None,
        min_length=2,
        max_length=3,
        description="force per mass f, one entry per axis; expressions may read the velocity, too",
    )
    start: Literal["taylor_green", "random"] = Field(
        "taylor_green", description="flow at the start, unless the block `initial` gives one"
    )
    speed: Annotated[float, Movable(), Unit("m/s")] = Field(
        1.0, gt=0, description="largest speed of taylor_green, rms speed of random"
    )
    peak: float = Field(4.0, gt=0, description="wave number of the random flow, in waves per longest side")
    dealias: Literal["two_thirds", "smooth36"] = Field(
        "two_thirds", description="modes that are kept of products: a sharp or a smooth cut"
    )

    @model_validator(mode="after")
    def _in_space(self, info: ValidationInfo) -> NavierStokesParams:
        if known(info).dim == 1:
            raise refuse("an incompressible flow along a line is uniform: the grid needs 2 or 3 axes")
        return self


@register("physics", "navier_stokes", NavierStokesParams)
class NavierStokes:
    """One velocity in Fourier space."""

    discretisation: ClassVar[str] = "spectral"
    starts_without: ClassVar[tuple[str, ...]] = ("divergence", "short_waves")

    def __init__(self, params: NavierStokesParams):
        self.params = params

    @staticmethod
    def fields(params: NavierStokesParams) -> Sequence[FieldSpec]:
        """Return the velocity."""
        return (VELOCITY,)

    @staticmethod
    def unknowns(params: NavierStokesParams, dim: int) -> dict[str, int]:
        """Return the real numbers per grid point of the unknown."""
        return {"velocity": dim}

    def derived_specs(self) -> Sequence[FieldSpec]:
        """Return what is computed of it."""
        return DERIVED

    def model(
        self,
        space: Fourier,
        seed: int = 0,
        initial: Mapping[str, torch.Tensor] | None = None,
    ) -> SpectralModel:
        """Return the equations on a grid; ``initial`` may hold the velocity (d, *shape)."""
        from plexus.models.incompressible import IncompressibleModel, random_flow, taylor_green

        p, real = self.params, space.sibling(real=True)
        if initial and "velocity" in initial:
            given = initial["velocity"]
            return IncompressibleModel(real, p.viscosity, lambda: given, p.force or ())
        start = partial(taylor_green, real, p.speed)
        if p.start == "random":
            start = partial(random_flow, real, p.speed, p.peak, seed)
        return IncompressibleModel(real, p.viscosity, start, p.force or ())


EXAMPLE: dict[str, Any] = {"viscosity": 0.01}
