"""Settings of a multigrid in PETSc's option database, under the prefix of its solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from petsc4py import PETSc

from plexus.errors import InputError
from plexus.solvers import shipped
from plexus.solvers.multigrid import bundle
from plexus.solvers.multigrid.hierarchy import LOW, Settings, usual_for

CHOICES: Mapping[str, Sequence[Any]] = {
    "cycle": ("two_step", "v", "k"), "degree": tuple(LOW), "bits": (16, 32, 64),
    "backend": ("compiled", "petsc"),
}  # fmt: skip
RANGES = {"theta": (0.0, 1.0), "share": (0.0, 1.0), "passes": (1, 10), "over_correction": (0.1, 10.0),
          "gathered": (0, 2**31 - 1)}  # fmt: skip
"""Values of options, and their ranges."""


def named(prefix: str) -> str | None:
    """Return the file of the bundle that PETSc's options name, None without one."""
    name = PETSc.Options(prefix + "pc_plexus_").getString("bundle", "")
    return str(shipped.found("learned_multigrid", name) or name) or None


def read(prefix: str, block: int, on_grid: bool) -> Settings:
    """Return the settings in PETSc's options; blocks of a grid are over-corrected more than pairs."""
    database = PETSc.Options(prefix + "pc_plexus_")
    backend = database.getString("backend", "compiled")
    bundled = named(prefix)
    trained = {} if bundled is None else bundle.trained_for(bundled)
    usual = usual_for(block, on_grid)
    settings = Settings(
        degree=database.getInt("degree", trained.get("degree", usual.degree)),
        cycle=database.getString("cycle", trained.get("cycle", usual.cycle)),
        theta=database.getReal("theta", usual.theta),
        share=database.getReal("share", usual.share),
        passes=database.getInt("passes", usual.passes),
        over_correction=database.getReal("over_correction", usual.over_correction),
        bits=database.getInt("bits", usual.bits),
        block=block,
        gathered=0 if backend == "petsc" else database.getInt("gathered", usual.gathered),
    )
    _look(prefix, {**vars(settings), "backend": backend})
    return settings


def _look(prefix: str, told: Mapping[str, Any]) -> None:
    """Refuse options out of range.

    Raises
    ------
    InputError
        With the option's name.
    """
    for name, choices in CHOICES.items():
        if told[name] not in choices:
            known = ", ".join(map(str, choices))
            raise InputError(f"-{prefix}pc_plexus_{name}: {told[name]} is none of {known}")
    for name, (low, high) in RANGES.items():
        if not low <= told[name] <= high:
            raise InputError(f"-{prefix}pc_plexus_{name}: {told[name]} is not within {low} and {high}")
