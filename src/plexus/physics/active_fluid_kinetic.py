"""Active suspension of rods in a fluid film: the kinetic theory, on a grid of positions and angles, periodic.

    ∂Ψ/∂t + ∇·(u Ψ) + ∂_θ(ω Ψ) = d_T ∇²Ψ + d_R ∂²Ψ/∂θ²
    -∇²u + ∇P = ∇·Σ,   ∇·u = 0,   Σ = α (D - c I/2) + β S:E - 2ζβ (D·D - S:D)

====== =================================================================
symbol meaning, in the units of the theory
====== =================================================================
Ψ      density of rods at position x and angle θ
ω      W - Im(g exp(2iθ)), the rate at which a rod turns
g      E_11 - i E_12 + ζ f_1, f_1 = ∫ exp(-2iθ) Ψ dθ
E, W   strain rate, half the vorticity
D, S   second and fourth moment of the direction of rods
α      dipole strength, negative for pushers (extensile)
β      constraint stress of rigid rods
ζ      steric alignment
====== =================================================================

This is the theory in its published form; `active_fluid` without closure and with order angles/6 gives the
same numbers from a sixth of the work. Source: S. Maddu, S. Weady, M. Shelley, J. Comput. Phys. 504
(2024) 112869, doi:10.1016/j.jcp.2024.112869; D. Saintillan, M. Shelley, C. R. Physique 14 (2013) 497-517,
doi:10.1016/j.crhy.2013.04.001. Valid for rods that do not swim, in a film that is dilute enough for
slender-body stresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field
from plexus.physics._suspension import SuspensionParams, SuspensionPhysics
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.models.suspension.kinetic import KineticModel
    from plexus.spaces.fourier import Fourier

EXAMPLE: dict[str, Any] = {"angles": 64, "alpha": -3}


class ActiveFluidKineticParams(SuspensionParams):
    """Parameters of `ActiveFluidKinetic`."""

    angles: int = Field(64, ge=16, description="grid angles on the circle; a third of them are harmonics")


@register("physics", "active_fluid_kinetic", ActiveFluidKineticParams)
class ActiveFluidKinetic(SuspensionPhysics):
    """The kinetic theory of an active suspension."""

    def __init__(self, params: ActiveFluidKineticParams):
        self.params = params

    @staticmethod
    def unknowns(params: ActiveFluidKineticParams, dim: int) -> dict[str, int]:
        """Return the real numbers per grid point of the unknown: the harmonics that dealiasing keeps."""
        return {"distribution": 2 * (params.angles // 3) + 1}

    def model(
        self,
        space: Fourier,
        seed: int = 0,
        initial: Mapping[str, Any] | None = None,
    ) -> KineticModel:
        """Return the model on a complex space; ``initial`` as in `plexus.models.suspension.waves.initial`."""
        from plexus.models.suspension.kinetic import KineticModel

        return KineticModel(space, *self.parts(self.params, space, seed, initial), self.params.angles)
