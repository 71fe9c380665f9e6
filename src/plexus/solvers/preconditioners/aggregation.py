"""Multigrid on aggregates: few and small coarse matrices, made fast; cycles that work harder on them.

Blocks of a grid are cut into strong components, rows elsewhere are paired two or three times, nodes with
several unknowns take the rigid motions along. Coarse problems are solved by two Chebyshev steps of the next
cycle, whose interval is found by Lanczos steps at set-up, so that the preconditioner stays linear, and
positive definite where the matrix is. Inside it computes in single precision. Y. Notay, Electron. Trans.
Numer. Anal. 37 (2010) 123; A. Napov, Y. Notay, SIAM J. Sci. Comput. 34 (2012) A1079, doi:10.1137/100818509.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field, Params
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.preconditioners.base import PreconditionerBase

if TYPE_CHECKING:
    from plexus.solvers.multigrid.context import Multigrid
    from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "aggregation", "degree": 2}


class AggregationParams(Params):
    """Parameters of the hierarchy and its cycle."""

    cycle: Literal["two_step", "v", "k"] = Field(
        "two_step",
        description="solution of coarse problems: two Chebyshev steps, one cycle, two of flexible CG",
    )
    degree: int = Field(3, ge=1, le=6, description="terms of the smoothing polynomial before and after")
    theta: float = Field(0.05, ge=0, lt=1, description="couplings up to θ √(a_ii a_jj) are weak on grids")
    reuse: bool = Field(True, description="keep the pairs of a matrix for the next one with the same pattern")
    backend: Literal["compiled", "petsc"] = Field(
        "compiled", description="cycles in compiled C, or of PETSc's own objects, which may live on a GPU"
    )
    precision: Literal["half", "single", "double"] = Field(
        "single", description="inside the cycle; half stores matrices in 16 bits, vectors in 32"
    )


@register("preconditioner", "aggregation", AggregationParams)
class Aggregation(PreconditionerBase):
    """The multigrid that other programs get by ``-pc_python_type plexus.solvers.learned.Multigrid``."""

    @property
    def varies(self) -> bool:  # type: ignore[override]
        """Return whether the cycle is no linear operator."""
        return bool(self.params.cycle == "k")

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the options that the context reads."""
        p, prefix = self.params, "pc_plexus_"
        return {
            "pc_type": "python",
            prefix + "cycle": p.cycle,
            prefix + "degree": p.degree,
            prefix + "theta": p.theta,
            prefix + "reuse": p.reuse,
            prefix + "backend": p.backend,
            prefix + "bits": {"half": 16, "single": 32, "double": 64}[p.precision],
        }

    def context(self, target: Target) -> Multigrid:
        """Return the multigrid."""
        from plexus.solvers.multigrid.context import Multigrid

        return Multigrid()
