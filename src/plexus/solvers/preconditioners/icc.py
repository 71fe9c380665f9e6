"""Incomplete Cholesky factorisation ICC(k) of each rank's block (block Jacobi between ranks).

The symmetric counterpart of `ilu`; fits CG on symmetric positive definite systems. One that is not symmetric,
as that of `cahn_hilliard` or with a velocity, is refused.
"""

from __future__ import annotations

from typing import Any

from plexus.registry import register
from plexus.solvers.preconditioners.ilu import Ilu, IluParams

EXAMPLE: dict[str, Any] = {"type": "icc", "levels": 1}


class IccParams(IluParams):
    """Parameters of ICC(k)."""


@register("preconditioner", "icc", IccParams)
class Icc(Ilu):
    """PCICC inside PCBJACOBI."""

    factorisation = "icc"
