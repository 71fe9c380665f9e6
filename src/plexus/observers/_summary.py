"""What is told of a cycle: its fields, and one row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from plexus.spaces.quadrature_space import QuadratureSpace

Array = np.ndarray
MADE = {
    "strain_range": ("strain_range", "1", "equivalent range of the strain without the thermal one"),
    "stress_range": ("stress_range", "Pa", "equivalent range of the stress"),
    "plastic_range": ("plastic_range", "1", "equivalent range of the plastic strain"),
    "peak_stress": ("peak_stress", "Pa", "largest stress normal to the plane of the strain range"),
    "mean_stress": ("mean_stress", "Pa", "middle of the stresses normal to that plane"),
    "mean_strain": ("mean_strain", "1", "middle of the total strains normal to that plane"),
    "peak_mises": ("peak_mises", "Pa", "largest equivalent stress"),
    "p_growth": ("growth", "1", "growth of the cumulated plastic strain"),
    "dissipated": ("dissipated", "J/m^3", "plastic work"),
}
"""Field -> attribute of a cycle, unit, meaning."""
LIVES = {
    "damage": ("1", "share of the life that the cycle takes"),
    "life": ("1", "cycles to failure, infinite where the cycle does no harm"),
    "log_life": ("1", "decimal logarithm of the cycles to failure, at most 9"),
}
JUDGED = ["strain_range", "dissipated"]
"""Fields that tell whether cycles are stable."""


def judged(made: Mapping[str, Array]) -> Array:
    """Return the fields that tell whether cycles are stable, (n, 2)."""
    return np.stack([made[name] for name in JUDGED], axis=1)


def summary(
    points: QuadratureSpace, made: Mapping[str, Array], latest: Array, before: Array | None, tolerance: float
) -> dict[str, float]:
    """Return the largest value of each field, and the change since the cycle before. Collective.

    Parameters
    ----------
    points : QuadratureSpace
        Where the fields (n_local,) are.
    made : mapping
        Fields by name.
    latest, before : array (n_local, 2)
        What is compared; without ``before`` the change is infinite.
    tolerance : float
        Change, relative to the largest value, up to which cycles are stable.
    """
    from mpi4py import MPI

    n = points.n_owned
    moved = np.abs(latest if before is None else latest - before)[:n].max(axis=0, initial=0.0)
    size = np.abs(latest[:n]).max(axis=0, initial=0.0)
    mine = np.array([*(a[:n].max(initial=-np.inf) for a in made.values()), *size, *moved])
    found = np.empty_like(mine)
    points.comm.Allreduce(mine, found, MPI.MAX)
    size, moved = found[-4:-2], found[-2:]
    share = float(np.where(size > 0, moved / np.where(size > 0, size, 1.0), 0.0).max())
    change = float("inf") if before is None else share
    return {"change": change, "stable": float(change <= tolerance)} | dict(
        zip(made, found.tolist(), strict=False)
    )
