"""Solver settings where the deck names none, by equation and size.

Small systems are factorised: faster below these sizes, and exact. Larger ones take a Krylov method with
algebraic multigrid: ours on aggregates where a matrix is symmetric positive definite for sure (a quarter of
the time of the best library on grids, `plexus bench linear`), smoothed aggregation (GAMG) with rigid-body
modes for displacements, BoomerAMG for scalars where PETSc has hypre. CG needs a symmetric matrix, which only
the assembled tangent can tell, so the method is chosen at the first assembly; non-symmetric systems take
GMRES. Where a default fails, others follow (`further`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from plexus import registry
from plexus.protocols import OptionValue, Preconditioner
from plexus.solvers.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexus.deck.schema import SolverBlock

DIRECT_LIMIT = {1: 50_000, 2: 20_000, 3: 5_000}
"""Unknowns up to which a direct solve is the default, by space dimension."""
FALLBACK_LIMIT = {1: 10_000_000, 2: 2_000_000, 3: 200_000}
"""Unknowns up to which a factorisation is tried where the default has failed, by space dimension."""

OURS = "conjugate_directions"
"""The Krylov method that is none of PETSc's (`plexus.solvers.directions.krylov`)."""
NORM_METHODS = frozenset({"cg", "fcg", "pipecg", "groppcg", "richardson", OURS})
"""Methods with left preconditioning that can measure the true residual."""
RIGHT_METHODS = frozenset({"gmres", "lgmres", "pgmres", "bcgs", "cgs", "tfqmr"})
"""Methods that measure the true residual with right preconditioning."""

TOLERANT = frozenset({"cg", "fcg", "groppcg", "fgmres", "gcr", "richardson", "preonly", OURS})
"""Methods that move along each answer of a preconditioner; others combine several of them."""
BITS = "pc_plexus_bits"
"""End of the option of a multigrid that says in which precision it computes."""

LINEAR_RTOL, NEWTON_LINEAR_RTOL = 1e-8, 1e-6
"""Reduction of the Krylov residual where one solve is the answer, and inside Newton's method."""


def direct(target: Target) -> bool:
    """Return whether a factorisation is the default."""
    # PETSc's own LU works on one rank only
    parallel = target.ranks == 1 or bool({"mumps", "superlu_dist"} & target.packages)
    return target.size <= DIRECT_LIMIT[target.dim] and parallel and not target.singular


def preconditioner(target: Target) -> str:
    """Return the default member of kind ``preconditioner``."""
    if direct(target):
        return "lu"
    # multigrid asks for one elliptic unknown; what suits a block of fields only its deck can tell
    if target.parts:
        return "asm"
    if target.definite:
        return "aggregation"
    return "gamg" if target.rigid or "hypre" not in target.packages else "hypre"


def further(block: SolverBlock, target: Target) -> list[SolverBlock]:
    """Return what is tried when a default fails: multigrid with better estimates, then a factorisation.

    There is nothing where the deck chooses a preconditioner, a Krylov method, a limit or what to do.
    """
    if block.model_fields_set & {"preconditioner", "ksp", "max_iterations", "on_failure"} or direct(target):
        return []
    found = []
    if preconditioner(target) == "gamg":
        # Chebyshev's method diverges above its estimate of the largest eigenvalue, which jumps make too low
        found.append(_with(block, "gamg", estimate_steps=30))
    if "mumps" in target.packages and target.size <= FALLBACK_LIMIT[target.dim]:
        # pivots that vanish belong to motions that nothing holds
        found.append(_with(block, "mumps", null_pivots=True))
    return found


def _with(block: SolverBlock, name: str, **parameters: Any) -> SolverBlock:
    """Return a block with another preconditioner, without the options that were meant for the first."""
    chosen = registry.component("preconditioner", name).params(**parameters)
    chosen._type = name
    return block.model_copy(update={"preconditioner": chosen, "options": {}})


def words(block: SolverBlock) -> str:
    """Return the preconditioner that a block of `further` names, in words."""
    assert block.preconditioner is not None
    name = block.preconditioner.type
    return f"a factorisation by {name}" if name == "mumps" else f"{name} with better estimates"


def preset(block: SolverBlock, target: Target) -> dict[str, OptionValue]:
    """Return the PETSc options of a deck block, with defaults filled in (all without prefix)."""
    chosen = dict(member(block, target).options(target))
    # behind a factorisation one application is the solution; a Krylov method would only test it
    factorised = chosen["pc_type"] in ("lu", "cholesky")
    tight = LINEAR_RTOL if target.linear else NEWTON_LINEAR_RTOL
    given: dict[str, Any] = {
        "snes_type": block.snes or ("ksponly" if target.linear else "newtonls"),
        "snes_rtol": block.snes_rtol,
        "snes_atol": block.snes_atol,
        "snes_max_it": block.snes_max_iterations,
        "ksp_type": block.ksp or ("preonly" if factorised else None),
        "ksp_rtol": block.rtol if block.rtol is not None else tight,
        "ksp_atol": block.atol,
        "ksp_max_it": block.max_iterations,
    }
    # what stays None is left to PETSc, or (ksp_type) to the first matrix
    ksp = given["ksp_type"]
    given |= true_residual(ksp)
    exact = {} if ksp is None else precise(ksp, chosen)
    if ksp == OURS:
        given["ksp_type"] = "python"
    return {name: value for name, value in given.items() if value is not None} | chosen | exact


def precise(ksp: str, options: Iterable[str]) -> dict[str, OptionValue]:
    """Return options by which multigrids are linear to the last digits, if a Krylov method relies on it."""
    return {} if ksp in TOLERANT else {name: 64 for name in options if name.endswith(BITS)}


def true_residual(ksp: str | None) -> dict[str, OptionValue]:
    """Return the options by which tolerances mean the residual b - A x, not the preconditioned one."""
    if ksp in NORM_METHODS:
        return {"ksp_norm_type": "unpreconditioned"}
    return {"ksp_pc_side": "right"} if ksp in RIGHT_METHODS else {}


def member(block: SolverBlock, target: Target) -> Preconditioner:
    """Return the preconditioner that the deck names, or the default one with its default parameters."""
    if block.preconditioner is not None:
        return cast("Preconditioner", registry.build("preconditioner", block.preconditioner))
    default = registry.component("preconditioner", preconditioner(target))
    return cast("Preconditioner", default.cls(default.params()))
