"""Options, failures, fallbacks, free bodies and preconditioners of one field's solver."""

import numpy as np
import pytest
from mpi4py import MPI

from plexus import registry
from plexus.errors import GuardError, InputError, SolveError
from plexus.solvers.packages import available
from plexus.solvers.target import Target

PEAK = 0.0727826  # of -Δu = 1 on this mesh of the unit square, from a direct solve

BOX = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [8, 8]}
physics: {type: diffusion, coefficient: 1, source: 1}
boundary: [{on: exterior, u: 0}]
"""

NEUMANN = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [8, 8]}
physics: {type: diffusion, coefficient: 1, source: "x - 0.5"}
initial: {u: 3}
"""

FREE_BODY = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [6, 6]}
physics: {type: elasticity, geometry: plane_strain, material: {young_modulus: 100, poisson_ratio: 0.3}}
boundary:
  - {on: left, traction: [-1, 0]}
  - {on: right, traction: [1, 0]}
"""

NONLINEAR = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [6, 6]}
physics: {type: diffusion, coefficient: "1 + u^2", source: 10}
boundary: [{on: exterior, u: 0}]
"""


def solve(run):
    """Run to the end and return the values of the only unknown."""
    run.execute()
    return next(iter(run.state.values.values()))


def test_small_problems_are_factorised(make_run):
    run = make_run(BOX)
    assert solve(run).max() == pytest.approx(PEAK, rel=1e-5)
    info = run.system.solvers["u"].records[0]
    assert (info.iterations, info.newton, info.fallback) == (1, 1, 0)


ELSEWHERE = {"fieldsplit", "directions"}
"""For fields that are solved for at once; for grids of the kind that a network was trained on."""
MORE = {"petsc": ", name: eisenstat", "learned_multigrid": ", bundle: grids_k"}


@pytest.mark.parametrize("name", sorted({*registry.names("preconditioner")} - ELSEWHERE))
def test_every_preconditioner_solves(make_run, name):
    if name in ("hypre", "mumps") and name not in available():
        pytest.skip(f"this PETSc has no {name}")
    run = make_run(BOX, f"solver.u.preconditioner={{type: {name}{MORE.get(name, '')}}}")
    assert solve(run).max() == pytest.approx(PEAK, rel=1e-5)


MOVING = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 4]}
physics: {type: advection_diffusion, diffusivity: 0.1, velocity: [1, 0.5]}
boundary: [{on: left, concentration: 1}]
"""


@pytest.mark.parametrize(
    "chosen",
    [
        "preconditioner: icc",
        "preconditioner: {type: asm, local: icc}",
        "preconditioner: jacobi, options: {pc_type: icc}",
    ],
)
def test_an_incomplete_cholesky_factorisation_of_no_symmetric_matrix_is_refused(make_run, chosen):
    """PETSc shifts its pivots until they are positive, and there may be no such shift."""
    run = make_run(MOVING, f"solver.concentration={{{chosen}}}")
    with pytest.raises(InputError, match=r"preconditioner: icc needs a symmetric matrix, .* concentration"):
        solve(run)
    assert len(solve(make_run(BOX, f"solver.u={{{chosen}}}")))


STIFF = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [2, 1]}
physics: {type: elasticity, geometry: plane_strain, material: {young_modulus: 210 GPa, poisson_ratio: 0.499}}
boundary:
  - {on: left, displacement: 0}
  - {on: top, traction: [1, 2]}
"""


@pytest.mark.mpi
def test_multigrid_of_one_level_is_a_factorisation(make_run):
    """Rows of prescribed values are 1, those of the material 1e11: one estimate for both would be wrong."""
    wanted = solve(make_run(STIFF, "solver.displacement.preconditioner=jacobi"))
    run = make_run(STIFF, "solver.displacement.preconditioner=gamg")
    assert solve(run) == pytest.approx(wanted, rel=1e-6)
    assert run.system.solvers["displacement"].records[0].iterations == 1
    free = solve(make_run(FREE_BODY, "mesh.cells=[2, 2]", "solver.displacement.preconditioner=gamg"))
    # a rank may have no node
    lowest = MPI.COMM_WORLD.allreduce(free[:, 0].min(initial=np.inf), MPI.MIN)
    highest = MPI.COMM_WORLD.allreduce(free[:, 0].max(initial=-np.inf), MPI.MAX)
    assert highest - lowest == pytest.approx(0.91 / 100, rel=1e-6)


def test_any_petsc_option_passes_through(make_run):
    options = "{ksp_type: gmres, ksp_gmres_restart: 5, pc_type: jacobi, ksp_rtol: 1e-10}"
    run = make_run(BOX, f"solver.u.options={options}")
    assert solve(run).max() == pytest.approx(PEAK, rel=1e-5)
    assert run.system.solvers["u"].attempts[0].snes.getKSP().getType() == "gmres"


def test_an_option_that_petsc_did_not_use_is_an_error(make_run):
    run = make_run(BOX, "solver.u.options={ksp_gmres_restrat: 5, ksp_type: gmres}")
    with pytest.raises(
        InputError, match=r"solver\.u\.options\.ksp_gmres_restrat: .*did you mean ksp_gmres_restart"
    ):
        run.execute()


def test_an_option_of_another_method_is_an_error_too(make_run):
    run = make_run(BOX, "solver.u={ksp: cg, preconditioner: jacobi, options: {pc_gamg_threshold: 0.1}}")
    with pytest.raises(InputError, match="pc_gamg_threshold: PETSc did not use"):
        run.execute()


def test_options_of_one_run_do_not_leak_into_the_next(make_run):
    solve(make_run(BOX, "solver.u={ksp: cg, preconditioner: jacobi, options: {ksp_max_it: 900}}"))
    with pytest.raises(SolveError):
        make_run(BOX, "solver.u={ksp: cg, preconditioner: none, max_iterations: 2}").execute()


def test_no_convergence_is_an_error_with_its_reason(make_run):
    run = make_run(BOX, "solver.u={ksp: cg, preconditioner: jacobi, max_iterations: 3}")
    with pytest.raises(
        SolveError, match=r"u at t = 0 s: .*iteration limit.*3 Krylov iterations, residual"
    ) as caught:
        run.execute()
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_fallback_is_taken_and_counted(make_run):
    block = "{ksp: cg, preconditioner: jacobi, max_iterations: 3, on_failure: {preconditioner: lu}}"
    run = make_run(BOX, f"solver.u={block}")
    assert solve(run).max() == pytest.approx(PEAK, rel=1e-5)
    solver = run.system.solvers["u"]
    assert solver.records[0].fallback == 1
    assert solver.tally.summary()["fallbacks"] == 1


def test_newton_converges_quadratically(make_run):
    run = make_run(NONLINEAR, "solver.u={snes_rtol: 1e-12}")
    solve(run)
    norms = run.system.solvers["u"].records[0].residuals
    assert norms[-1] < 1e-11 * norms[0]
    assert norms[-2] < 1e-4 * norms[-3] or norms[-1] < 1e-4 * norms[-2]


def test_one_linear_step_of_a_nonlinear_equation_is_warned_of(make_run, capfd):
    solve(make_run(NONLINEAR, "solver.u={snes: ksponly}"))
    assert "one linear step of a nonlinear equation" in capfd.readouterr().out


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_not_a_number_is_a_guard_error(make_run):
    run = make_run(NONLINEAR.replace('"1 + u^2"', '"1/u"').replace("u: 0", "u: 1"), "initial={u: 0}")
    with pytest.raises(GuardError):
        run.execute()


def test_pure_neumann_keeps_the_mean_of_the_guess(make_run):
    run = make_run(NEUMANN)
    u = solve(run)
    assert u.mean() == pytest.approx(3.0, abs=1e-6)
    x = run.system.spaces["u"].points[:, 0]
    assert np.abs(u[:, 0] - 3 - (x**2 / 4 - x**3 / 6 - 1 / 24)).max() < 2e-3


def test_pure_neumann_without_balance_is_refused(make_run):
    with pytest.raises(SolveError, match="do not balance"):
        make_run(NEUMANN.replace("x - 0.5", "1")).execute()


def test_free_body_under_balanced_loads(make_run):
    run = make_run(FREE_BODY)
    u = solve(run)
    x = run.system.spaces["displacement"].points
    stretch = (1 - 0.3**2) / 100
    assert np.abs(u[:, 0] - stretch * (x[:, 0] - 0.5)).max() < 1e-6
    assert run.system.solvers["displacement"].free.shape[1] == 3


def test_partly_held_body_keeps_its_free_motion(make_run):
    run = make_run(FREE_BODY + "  - {on: bottom, displacement_y: 0}\n")
    u = solve(run)
    solver = run.system.solvers["displacement"]
    assert solver.free.shape[1] == 1
    assert solver.attempts[0].snes.getKSP().getType() == "cg"
    x = run.system.spaces["displacement"].points
    assert np.abs(u[:, 0] - (1 - 0.3**2) / 100 * (x[:, 0] - 0.5)).max() < 1e-6


@pytest.mark.parametrize("chosen", ["", "preconditioner: gamg", "preconditioner: gamg, ksp: gmres"])
@pytest.mark.parametrize("cells", [10, 40])
def test_the_coarsest_level_of_a_partly_held_body_takes_singular_values(make_run, chosen, cells):
    run = make_run(
        f"""
plexus: 1
mesh: {{type: box, cell: quadrilateral, cells: [{cells}, {cells // 2}], size: [2, 1]}}
physics:
  {{type: elasticity, geometry: plane_stress, material: {{young_modulus: 200 GPa, poisson_ratio: 0.3}}}}
boundary: [{{on: left, displacement_x: 0}}, {{on: right, traction: [1e6, 0]}}]
solver: {{displacement: {{{chosen}}}}}
"""
    )
    run.execute()
    pc = run.system.solvers["displacement"].attempts[0].snes.getKSP().getPC()
    assert (pc.getType(), pc.getMGCoarseSolve().getPC().getType()) == ("gamg", "redundant")
    u = run.state.values["displacement"]
    assert np.ptp(u[:, 0]) == pytest.approx(2 * 1e6 / 200e9, rel=1e-5)


def test_a_free_body_in_equilibrium_stays_there(make_run):
    text = FREE_BODY + "time: {stepper: quasistatic, end: 5 s, step: 1 s}\n"
    run = make_run(text, "solver.displacement={rtol: 1e-14}")
    assert np.abs(solve(run)).max() == pytest.approx(0.5 * (1 - 0.3**2) / 100, rel=1e-6)


@pytest.mark.parametrize("name", ["hypre", "mumps", "lu"])
def test_missing_packages_are_named(name):
    target = Target("u", 100, 3, 1, 4, True, False, False, frozenset({"superlu"}))
    member = registry.component("preconditioner", name)
    with pytest.raises(InputError, match=r"solver\.u\.preconditioner: .*(without|needs one of)"):
        member.cls(member.params()).options(target)


TIMED = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 4]}
physics: {type: diffusion, coefficient: 1}
boundary: [{on: left, robin: {coefficient: "SWITCH", value: "3*(SWITCH)"}}]
initial: {u: 1}
time: {stepper: quasistatic, end: 3, step: 1}
"""


def test_a_condition_that_sets_in_later_takes_hold(make_run):
    run = make_run(TIMED.replace("SWITCH", "heaviside(t - 1.5)"))
    seen = []
    run.system.solvers["u"].book = lambda info: seen.append(run.system.solvers["u"].free is None)
    assert np.allclose(solve(run), 3)
    assert seen[0] is False
    assert seen[-1] is True


def test_a_condition_that_ends_leaves_the_body_free(make_run):
    run = make_run(TIMED.replace("SWITCH", "heaviside(1.5 - t)"))
    assert np.allclose(solve(run), 3)
    assert run.system.solvers["u"].free is not None


def test_radiation_alone_holds_a_body_whose_deck_gives_no_initial_value(make_run):
    run = make_run("""
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 1], size: [0.1, 0.1]}
physics: {type: heat, source: 5e4, material: {conductivity: 400}}
boundary: [{on: right, radiation: {emissivity: 1, ambient: 300}}]
""")
    surface = (300**4 + 5e4 * 0.1 / 5.670374419e-8) ** 0.25
    right = np.isclose(run.system.spaces["temperature"].points[:, 0], 0.1)
    assert solve(run)[right] == pytest.approx(surface, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("physics.source=log(x - 0.5)", r"u at t = 0 s: not finite .* first at \(0.1667, "),
        ("initial={u: sqrt(x - 0.9)}", r"u at t = 0 s: not finite .* first at \(0.1667, "),
    ],
)
@pytest.mark.parametrize("coefficient", [1, "1 + u^2"])
def test_values_that_are_not_finite_are_told_with_field_and_place(make_run, change, place, coefficient):
    run = make_run(NONLINEAR, change, f"physics.coefficient={coefficient}")
    with np.errstate(all="ignore"), pytest.raises(GuardError, match=place):
        run.execute()


def test_a_place_outside_the_mesh_names_its_quantity(make_run):
    text = BOX + "quantities: {there: {type: value, of: u, at: [3, 3]}}\n"
    with pytest.raises(InputError, match=r"^quantities\.there: 1 of 1 positions lie outside the mesh"):
        make_run(text).values()


@pytest.mark.parametrize(("change", "warned"), [("reaction=-1e4", True), ("coefficient=x + 0.1", False)])
def test_a_coefficient_that_turns_negative_is_told(make_run, capsys, change, warned):
    solve(make_run(BOX, f"physics.{change}"))
    assert ("is a coefficient negative somewhere?" in capsys.readouterr().out) is warned
