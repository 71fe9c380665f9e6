"""PETSc options of one solver: set under its own prefix, and checked for use after the first solve.

PETSc marks every option that some object asks for. An option of the deck that nobody asked for has
had no effect, most often because of a typing error, so it is an error of the deck.
"""

from __future__ import annotations

import ctypes
import difflib
from collections.abc import Mapping

from petsc4py import PETSc

from plexus.errors import InputError
from plexus.protocols import OptionValue
from plexus.solvers.capi import library

_NAMES = """
ksp_type ksp_rtol ksp_atol ksp_divtol ksp_max_it ksp_gmres_restart ksp_gmres_modifiedgramschmidt ksp_pc_side
ksp_norm_type ksp_initial_guess_nonzero ksp_monitor ksp_monitor_true_residual ksp_converged_reason ksp_view
ksp_lag_norm ksp_cg_single_reduction ksp_check_norm_iteration ksp_reuse_preconditioner
snes_type snes_rtol snes_atol snes_stol snes_max_it snes_max_funcs snes_monitor snes_converged_reason
snes_linesearch_type snes_linesearch_order snes_linesearch_max_it snes_linesearch_damping snes_ksp_ew
snes_lag_jacobian snes_lag_preconditioner snes_mf snes_mf_operator snes_ngmres_m snes_test_jacobian
pc_type pc_factor_levels pc_factor_mat_solver_type pc_factor_mat_ordering_type pc_factor_shift_type
pc_factor_fill pc_asm_overlap pc_asm_type pc_sor_omega pc_sor_its sub_ksp_type sub_pc_type
sub_pc_factor_levels pc_mg_levels pc_mg_type pc_mg_cycle_type pc_mg_galerkin
pc_gamg_type pc_gamg_agg_nsmooths pc_gamg_threshold pc_gamg_threshold_scale pc_gamg_coarse_eq_limit
pc_gamg_square_graph pc_gamg_aggressive_coarsening pc_gamg_reuse_interpolation pc_gamg_repartition
pc_gamg_process_eq_limit pc_gamg_sym_graph mg_levels_ksp_type mg_levels_ksp_max_it mg_levels_pc_type
mg_levels_ksp_chebyshev_esteig mg_coarse_ksp_type mg_coarse_pc_type
pc_hypre_type pc_hypre_boomeramg_strong_threshold pc_hypre_boomeramg_coarsen_type
pc_hypre_boomeramg_interp_type pc_hypre_boomeramg_P_max pc_hypre_boomeramg_agg_nl
pc_hypre_boomeramg_agg_num_paths pc_hypre_boomeramg_max_iter pc_hypre_boomeramg_max_levels
pc_hypre_boomeramg_relax_type_all pc_hypre_boomeramg_relax_type_coarse pc_hypre_boomeramg_truncfactor
pc_hypre_boomeramg_grid_sweeps_all pc_hypre_boomeramg_cycle_type pc_hypre_boomeramg_nodal_coarsen
pc_hypre_boomeramg_vec_interp_variant mat_mumps_icntl_14 mat_mumps_icntl_22 mat_mumps_icntl_24
mat_mumps_icntl_35 mat_mumps_cntl_1 mat_mumps_cntl_7 ts_type ts_bdf_order ts_rosw_type ts_arkimex_type
"""
COMMON = _NAMES.split()
"""Frequent option names; only used to suggest what a misspelt one may have meant."""


class Options:
    """Options of one solver under its prefix.

    Parameters
    ----------
    prefix
        Text before each name, e.g. ``temperature_``.
    preset
        Options that Plexus chooses; they may stay unused (a problem with one level has no coarse grid).
    user
        Options of the deck; they come last, and each must be used.
    """

    def __init__(self, prefix: str, preset: Mapping[str, OptionValue], user: Mapping[str, OptionValue]):
        self.prefix = prefix
        self._user = [name.lstrip("-") for name in user]
        self._unchecked = bool(user)
        _hush()
        _clear(prefix)
        self._set({**preset, **{name.lstrip("-"): value for name, value in user.items()}})

    def add(self, preset: Mapping[str, OptionValue]) -> None:
        """Set further options of Plexus's choice; those of the deck stay."""
        self._set({name: value for name, value in preset.items() if name not in self._user})

    def _set(self, options: Mapping[str, OptionValue]) -> None:
        database = PETSc.Options()
        for name, value in options.items():
            database.setValue(self.prefix + name, _text(value))
            _ours.add(self.prefix + name)

    def value(self, name: str) -> str | None:
        """Return what PETSc will read for an option, None if it is not set."""
        database = PETSc.Options()
        return database.getString(self.prefix + name) if database.hasName(self.prefix + name) else None

    @property
    def lags(self) -> bool:
        """Whether the deck asks SNES to keep matrices or preconditioners for several steps."""
        return any(name.startswith("snes_lag") for name in self._user)

    def check(self, path: str) -> None:
        """Raise if PETSc has not used an option of the deck; later calls cost nothing.

        Raises
        ------
        InputError
            Names each unused option below the deck path ``path``, with the nearest known name.
        """
        # all objects below a solver exist after its first solve, and have asked by then
        if not self._unchecked:
            return
        self._unchecked = False
        unused = [name for name in self._user if not _used(self.prefix + name)]
        if unused:
            raise InputError("\n".join(f"{path}.{name}: {_complaint(name)}" for name in unused))


_ours: set[str] = set()
"""Full names of the options that Plexus has set in this process; those of the environment stay."""


def _hush() -> None:
    """Keep PETSc from listing unused options at its end: they are ours, those of the deck are checked."""
    database = PETSc.Options()
    if not database.hasName("options_left"):
        database.setValue("options_left", "no")


def _clear(prefix: str) -> None:
    """Remove what an earlier solver of this prefix has left in PETSc's database."""
    database = PETSc.Options()
    for name in [n for n in _ours if n.startswith(prefix)]:
        database.delValue(name)
        _ours.discard(name)


def _text(value: OptionValue) -> str | None:
    """Return an option's value as PETSc reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _complaint(name: str) -> str:
    """Return the message for an unused option."""
    # a correctly spelt name that was not used belongs to another method: no suggestion then
    near = difflib.get_close_matches(name, COMMON, n=1, cutoff=0.75)
    known = f"; did you mean {near[0]}?" if near and near[0] != name else ""
    return f"PETSc did not use this option{known or ' with the chosen solver and preconditioner'}"


def _used(name: str) -> bool:
    """Return whether any PETSc object asked for the option."""
    database = PETSc.Options()
    # newer versions of petsc4py wrap this call
    if hasattr(database, "used"):
        return bool(database.used(name))
    answer = ctypes.c_int(0)
    library().PetscOptionsUsed(None, name.encode(), ctypes.byref(answer))
    return bool(answer.value)
