"""The solvers of every table: ours, PETSc's GAMG, hypre's BoomerAMG, an incomplete factorisation.

Passes over the entries of a level in one application are those of its smoother, before and after: symmetric
SOR on the points and Jacobi 5, l1-Jacobi 2, two Chebyshev steps with Jacobi 4, an incomplete factorisation 1.
The multigrid on aggregates tells its own, with all visits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.blocks import SolverBlock
from plexus.solvers import shipped
from plexus.solvers.defaults import preset
from plexus.solvers.multigrid.context import positions
from plexus.solvers.packages import available
from plexus.solvers.target import Target

if TYPE_CHECKING:
    from petsc4py import PETSc

    from plexus.protocols import OptionValue

OURS = ("two_step", "v", "k")
LIBRARY = ("GAMG", "GAMG 0.02", "GAMG ours", "BoomerAMG", "BoomerAMG GPU", "BoomerAMG ours")
BOOMER: dict[str, OptionValue] = {"pc_type": "hypre", "pc_hypre_type": "boomeramg"}
AMG = "pc_hypre_boomeramg_"
LIKE_GPU: dict[str, OptionValue] = BOOMER | {
    AMG + "strong_threshold": 0.5,
    AMG + "coarsen_type": "PMIS",
    AMG + "interp_type": "ext+i",
    AMG + "P_max": 4,
    AMG + "agg_nl": 1,
    AMG + "relax_type_all": "l1scaled-Jacobi",
}
"""What hypre does on graphics processors, where nothing may wait for a neighbour."""


@dataclass(frozen=True)
class Method:
    """A row of the tables.

    Attributes
    ----------
    name : of the row.
    options : PETSc's, without prefix.
    passes : over the entries of each level in one application; None where the hierarchy tells.
    """

    name: str
    options: Mapping[str, OptionValue]
    passes: float | None = None


def methods(mat: PETSc.Mat, more: Mapping[str, Mapping[str, Any]] | None = None) -> list[Method]:
    """Return the rows for a matrix; ``more`` are further blocks ``aggregation`` by name. Collective."""
    target, of = _target(mat), "aggregation"
    found = [_deck(cycle, target, of, cycle=cycle) for cycle in OURS]
    found += [_deck(name, target, of, **block) for name, block in (more or {}).items()]
    # shipped bundles are of one unknown per cell of a grid
    if positions(mat) is not None and mat.getBlockSize() == 1:
        of = "learned_multigrid"
        found += [_deck(f"learned {n}", target, of, bundle=n) for n in shipped.names(of)]
    found += [
        Method("GAMG", {"pc_type": "gamg"}, 4),
        Method("GAMG 0.02", {"pc_type": "gamg", "pc_gamg_threshold": 0.02}, 4),
        _deck("GAMG ours", target, "gamg", 4),
    ]
    if "hypre" in target.packages:
        found += [
            Method("BoomerAMG", BOOMER, 5),
            Method("BoomerAMG GPU", LIKE_GPU, 2),
            _deck("BoomerAMG ours", target, "hypre", 5),
        ]
    return [*found, _deck("ICC", target, "icc", 1)]


def _deck(name: str, target: Target, member: str, passes: float | None = None, **params: Any) -> Method:
    """Return the row of what a deck's block becomes."""
    block = SolverBlock.model_validate({"preconditioner": {"type": member, **params}})
    chosen = registry.build("preconditioner", block.preconditioner)
    options = {k: v for k, v in preset(block, target).items() if k.startswith(("pc_", "sub_", "mg_"))}
    if options["pc_type"] == "python":
        options["pc_python_type"] = "plexus.solvers.learned.Multigrid"
    if chosen.varies:
        options |= {"ksp_type": "fcg", "ksp_fcg_mmax": 1}
    return Method(name, options, passes)


def _target(mat: PETSc.Mat) -> Target:
    """Return what defaults depend on. Collective."""
    block = mat.getBlockSize()
    return Target("u", mat.getSize()[0], 3, block, mat.comm.size, block > 1, True, False, available())
