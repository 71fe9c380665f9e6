"""Active suspension of rods in a fluid film: moments of orientation, closed or resolved, periodic.

    ∂f_m/∂t + ∇·(u f_m) = d_T ∇²f_m - 4m² d_R f_m - 2imW f_m + m (g f_(m-1) - g* f_(m+1)),   m = 0..K
    -∇²u + ∇P = ∇·Σ,   ∇·u = 0,   Σ = α (D - c I/2) + β S:E - 2ζβ (D·D - S:D)

====== ============================================================
symbol meaning, in the units of the theory
====== ============================================================
f_m    ∫ exp(-2imθ) Ψ dθ of the density Ψ of rods at angle θ; f_0 = c
e, W   E_11 - i E_12 of the strain rate, half the vorticity; g = e + ζ f_1
D, S   second and fourth moment of the direction of rods
α      dipole strength, negative for pushers (extensile)
β      constraint stress of rigid rods
ζ      steric alignment
====== ============================================================

Order 1 or 2 with a closure for the next moment is the coarse model; without a closure f_(K+1) = 0, which is
the truth for K = 16 to 24 at ζ <= 1. Explicit steps need dt K max|g| <= 0.4 (monitor ``rate``: K max|g|).
In developed flow (α = -3, 64² cells on a side of 10) ``dealias: smooth36`` is more than ten times as accurate
as the published rule, and next to no point is left with moments that no distribution has.
Source: S. Maddu, S. Weady, M. Shelley, J. Comput. Phys. 504 (2024) 112869, doi:10.1016/j.jcp.2024.112869;
D. Saintillan, M. Shelley, C. R. Physique 14 (2013) 497-517, doi:10.1016/j.crhy.2013.04.001. Valid for rods
that do not swim, in a film that is dilute enough for slender-body stresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field
from plexus.models.suspension.ports import gap
from plexus.physics._suspension import SuspensionParams, SuspensionPhysics
from plexus.protocols import Closure, Gap
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.models.suspension.hierarchy import SpinModel
    from plexus.spaces.fourier import Fourier

EXAMPLE: dict[str, Any] = {"order": 1, "alpha": -3}


class ActiveFluidParams(SuspensionParams):
    """Parameters of `ActiveFluid`."""

    order: int = Field(1, ge=1, description="number K of moments; 1 or 2 with a closure, 16 or more without")


@register("physics", "active_fluid", ActiveFluidParams)
class ActiveFluid(SuspensionPhysics):
    """The spin hierarchy of an active suspension."""

    def __init__(self, params: ActiveFluidParams):
        self.params = params

    @staticmethod
    def unknowns(params: ActiveFluidParams, dim: int) -> dict[str, int]:
        """Return the real numbers per grid point of the unknown: f_0 is real, the others are complex."""
        return {"moments": 2 * params.order + 1}

    @staticmethod
    def gap(params: ActiveFluidParams) -> Gap:
        """Return what a closure may fill: the next moment, or for order 1 the product S:T."""
        names = ("alpha", "beta", "zeta", "d_T", "d_R")
        return gap(params.order, {name: getattr(params, name) for name in names})

    @staticmethod
    def residual(
        params: ActiveFluidParams, inputs: Mapping[str, Any], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the trace of a given S:T less D:T, which it is for every distribution (|n| = 1)."""
        from plexus.models.suspension.stress import exact_trace

        if "trace" not in given:
            return {}
        zeta = inputs.get("zeta", params.zeta)
        return {"trace": given["trace"] - exact_trace(inputs, zeta)}

    def model(
        self,
        space: Fourier,
        closure: Closure | None = None,
        seed: int = 0,
        initial: Mapping[str, Any] | None = None,
    ) -> SpinModel:
        """Return the model on a complex space; ``initial`` as in `plexus.models.suspension.waves.initial`."""
        from plexus.models.suspension.hierarchy import SpinModel

        parts = self.parts(self.params, space, seed, initial)
        return SpinModel(space, *parts, self.params.order, closure)
