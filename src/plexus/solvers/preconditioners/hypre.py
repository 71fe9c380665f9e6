"""BoomerAMG, the classical algebraic multigrid of hypre.

The default for scalar elliptic equations. The coarsening (HMIS), interpolation (extended+i with at most
four entries per row) and strength threshold are the values recommended for Poisson-like problems in
three dimensions. H. De Sterck, U. M. Yang, J. J. Heys, SIAM J. Matrix Anal. Appl. 27 (2006) 1019,
doi:10.1137/040615729.
"""

from __future__ import annotations

from typing import Any, Literal

from plexus.deck.params import Field, Params
from plexus.registry import register
from plexus.solvers.packages import require
from plexus.solvers.target import OptionValue, Target

EXAMPLE: dict[str, Any] = {"type": "hypre", "strong_threshold": 0.5}


class HypreParams(Params):
    """Parameters of BoomerAMG; more through ``options``."""

    strong_threshold: float | None = Field(
        None, gt=0, lt=1, description="couplings below this share of the strongest are weak; 2D 0.25, 3D 0.5"
    )
    coarsening: Literal["HMIS", "PMIS", "Falgout"] = Field("HMIS", description="how coarse points are chosen")
    interpolation: Literal["ext+i", "classical", "direct"] = Field(
        "ext+i", description="interpolation formula"
    )
    aggressive_levels: int = Field(0, ge=0, le=10, description="finest levels that coarsen aggressively")


@register("preconditioner", "hypre", HypreParams)
class Hypre:
    """BoomerAMG through PCHYPRE."""

    def __init__(self, params: HypreParams):
        self.params = params

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        require("hypre", target, "'gamg', which needs no package")
        p, prefix = self.params, "pc_hypre_boomeramg_"
        threshold = p.strong_threshold or (0.5 if target.dim == 3 else 0.25)
        return {
            "pc_type": "hypre",
            "pc_hypre_type": "boomeramg",
            prefix + "strong_threshold": threshold,
            prefix + "coarsen_type": p.coarsening,
            prefix + "interp_type": p.interpolation,
            prefix + "P_max": 4,
            prefix + "agg_nl": p.aggressive_levels,
        }
