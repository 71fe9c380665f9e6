"""Steps that explicit methods cannot take: beyond a multiple of Courant number one they would blow up."""

from __future__ import annotations

from plexus.errors import SolveError
from plexus.protocols import Explicit, Values

ROUNDING = 1e-6
"""By how much a step may pass the limit: times that must be hit stretch steps a little."""


def require_stable(system: Explicit, values: Values, t: float, dt: float, reach: float = 1.0) -> None:
    """Refuse a step beyond ``reach`` times the system's longest one. Collective.

    Raises
    ------
    SolveError
        On all ranks; controllers that can, shorten the step.
    """
    limit = reach * system.longest(values, t)
    if dt > limit * (1 + ROUNDING):
        raise SolveError(
            f"time step {dt:.4g} s is beyond the stable limit of this explicit method, {limit:.4g} s at "
            f"t = {t:.6g} s; shorten time.step, or let `controller: courant` follow the limit"
        )
