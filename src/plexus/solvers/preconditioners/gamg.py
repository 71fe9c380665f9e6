"""Smoothed-aggregation algebraic multigrid of PETSc (PCGAMG).

For elliptic problems on any mesh; with the rigid-body modes as near null space, which Plexus always
passes, it is the method of choice for elasticity. Needs no external package. P. Vaněk, J. Mandel,
M. Brezina, Computing 56 (1996) 179, doi:10.1007/BF02238511.
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Field, Params
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

SMALL = 1000
"""Unknowns up to which a hierarchy of one level is solved exactly; PETSc makes one below some 50 unknowns."""
ALONE: dict[str, OptionValue] = {
    "mg_levels_0_ksp_type": "preonly",
    "mg_levels_0_pc_type": "redundant",
    "mg_levels_0_redundant_pc_factor_shift_type": "inblocks",
}
"""A level 0 of this name is the only one. Chebyshev's estimate there starts from noise, which rows of a stiff
material do not feel beside those of prescribed values; a floating body has pivots that vanish."""
FREE: dict[str, OptionValue] = {
    "mg_coarse_pc_type": "redundant",
    "mg_coarse_redundant_pc_type": "svd",
    "mg_levels_0_redundant_pc_type": "svd",
}
"""What nothing holds costs the coarsest level no energy but rounding, which has either sign: singular values
tell it apart, pivots do not."""
EXAMPLE: dict[str, Any] = {"type": "gamg", "threshold": 0.01}


class GamgParams(Params):
    """Parameters of PCGAMG; more through ``options``."""

    threshold: float = Field(
        0.0, ge=-1.0, lt=1.0, description="strength below which couplings are dropped (-1 keeps zeros too)"
    )
    smoothing_steps: int = Field(2, ge=1, le=20, description="Chebyshev iterations per level and sweep")
    estimate_steps: int = Field(
        10, ge=1, le=1000, description="Krylov steps that estimate the largest eigenvalue; jumps need some 30"
    )
    reuse_interpolation: bool = Field(
        True, description="keep the coarse spaces of the first matrix and only recompute coarse operators"
    )


@register("preconditioner", "gamg", GamgParams)
class Gamg(PreconditionerBase):
    """PCGAMG with a Chebyshev smoother."""

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        p = self.params
        given: dict[str, OptionValue] = {
            "pc_type": "gamg",
            "pc_gamg_threshold": p.threshold,
            "pc_gamg_reuse_interpolation": p.reuse_interpolation,
            "mg_levels_ksp_type": "chebyshev",
            "mg_levels_ksp_max_it": p.smoothing_steps,
            "pc_gamg_esteig_ksp_max_it": p.estimate_steps,
            "mg_levels_pc_type": "jacobi",  # bears the empty coarse rows of prescribed nodes, SOR does not
        }
        return given | (ALONE if target.size <= SMALL else {}) | (FREE if target.singular else {})
