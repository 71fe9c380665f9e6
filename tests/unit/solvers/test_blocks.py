"""Several fields solved at once: energy and mass, orders in time, parts of the solver, conditions."""

import math

import numpy as np
import pytest

from plexus.errors import PlexusError, SolveError
from plexus.stepping.past import evolving

MIXTURE = """
plexus: 1
mesh: {type: box, cell: CELL, cells: [CELLS]}
physics: {type: cahn_hilliard, degree: DEGREE, mobility: 1, interface: 0.06, splitting: true}
initial: {c: "0.1 + 0.5*cos(7*x)*cos(5*y) + 0.3*cos(13*x + 3)*cos(11*y)"}
time: {stepper: theta, end: 1, step: 0.05}
solver: {c: {snes_rtol: 1e-13, ksp: preonly, preconditioner: lu}}
quantities: {mass: {type: integral, of: c}, energy: {type: integral, of: energy_density}}
"""
SMALL = MIXTURE.replace("CELL", "quadrilateral", 1).replace("CELLS", "10, 10").replace("DEGREE", "1")
EXACT = {"c": "0.4*(2 + sin(3*t))*x^2", "mu": "cos(2*t)*(x + y^2)"}
IN_TIME = """
plexus: 1
mesh: {{type: box, cell: quadrilateral, cells: [2, 2]}}
physics:
  type: manufactured
  degree: 2
  model: {{type: cahn_hilliard, mobility: 0.7, interface: 0.5}}
  exact: {{c: "{c}", mu: "{mu}"}}
boundary: [{{on: exterior, c: "{c}", mu: "{mu}"}}]
initial: {{c: "{c}"}}
time: {{stepper: theta, end: 0.8, step: 0.1}}
solver: {{c: {{snes_rtol: 1e-13}}}}
""".format(**EXACT)


def watched(run):
    """Run to the end; return exact energies and masses, the start included."""
    found = []

    def look():
        density = run.fields.field("energy_density")
        part = run.quantities["mass"].params.part
        found.append((run.fields.integrate(density, part, 8), run.values()["mass"]))

    run.observers = []
    look()
    for _ in run.march():
        look()
    return np.array(found, dtype=float).T


@pytest.mark.parametrize("size", [1e-9, 1e6])
@pytest.mark.parametrize("held", ["", "boundary: [{on: left, c: 0.5}]\n"])
def test_a_scaled_copy_gives_the_same(make_run, size, held):
    """Lengths times L and mobility times L²: rows of masses are L² beside the ones of prescribed values."""
    text = SMALL + held
    one = make_run(text, "time.end=0.2")
    one.execute()
    for axis in "xy":
        text = text.replace(f"*{axis}", f"*{axis}/{size}")
    other = make_run(
        text,
        "time.end=0.2",
        f"mesh.size=[{size}, {size}]",
        f"physics.mobility={size * size}",
        f"physics.interface={0.06 * size}",
    )
    other.execute()
    for name, values in one.state.values.items():
        np.testing.assert_allclose(other.state.values[name], values, rtol=0, atol=1e-9)


@pytest.mark.parametrize("dt", [1e-4, 2e-2, 0.5])
@pytest.mark.parametrize(
    ("cell", "cells", "degree"),
    [("triangle", "8, 8", 1), ("quadrilateral", "10, 10", 1), ("triangle", "4, 4", 2)],
)
def test_energy_never_rises_and_mass_stays_whatever_the_step(make_run, cell, cells, degree, dt):
    text = MIXTURE.replace("CELLS", cells).replace("CELL", cell).replace("DEGREE", str(degree))
    run = make_run(text, f"time.step={dt}", f"time.end={20 * dt}")
    energy, mass = watched(run)
    assert len(energy) == 21 and energy[-1] < energy[0] * (1 - 1e-3)
    assert np.diff(energy).max() <= 1e-12
    assert np.abs(mass - mass[0]).max() <= 1e-12


def test_without_splitting_the_same_step_has_no_solution_that_newton_finds(make_run):
    overrides = ("time.step=0.5", "time.end=2.5")
    with pytest.raises(SolveError, match="the iteration limit was reached"):
        make_run(SMALL, "physics.splitting=false", *overrides).execute()
    make_run(SMALL, *overrides).execute()


def errors(run):
    """Return the largest errors of both fields at the end."""
    run.execute()
    x, y = run.system.spaces["c"].points.T
    t = run.clock.t
    exact = {"c": 0.4 * (2 + math.sin(3 * t)) * x**2, "mu": math.cos(2 * t) * (x + y**2)}
    return [np.abs(run.state.values[name][:, 0] - exact[name]).max() for name in exact]


@pytest.mark.parametrize(
    ("stepper", "order"),
    [("theta", 1), ("{type: theta, theta: 0.5}", 2), ("{type: theta, theta: 0.8}", 1), ("bdf2", 2)],
)
def test_order_in_time_of_both_fields(make_run, stepper, order):
    """The exact fields lie in the space; one of the two has no time derivative."""
    chosen = f"time.stepper={stepper}", "time.end=0.2"
    found = [errors(make_run(IN_TIME, *chosen, f"time.step={dt}")) for dt in (0.05, 0.025)]
    for coarse, fine in zip(*found, strict=True):
        assert math.log2(coarse / fine) > order - 0.15


def test_what_has_no_time_derivative_follows_from_the_start(make_run):
    run = make_run(IN_TIME)
    x, y = run.system.spaces["c"].points.T
    assert np.allclose(run.state.values["mu"][:, 0], x + y**2, atol=1e-10)
    given = make_run(IN_TIME.replace("initial: {c:", "initial: {mu: 7, c:"))
    inner = ~given.system.prescribed["mu"].fixed[:, 0]
    assert np.all(given.state.values["mu"][inner] == 7)


def test_error_of_a_step_is_that_of_what_evolves(make_run):
    run = make_run(IN_TIME, "time.stepper=bdf2", "time.adaptive={tolerance: 1e-3}", "time.step=0.001")
    assert evolving(run.system) == ["c"]
    assert max(errors(run)) < 1e-2
    assert run.clock.t == 0.8 and 5 < run.clock.step < 200


SPLITS = {
    "{type: fieldsplit, variant: additive}": 90,
    "{type: fieldsplit, variant: multiplicative, fields: {c: ilu, mu: jacobi}}": 90,
    "{type: fieldsplit, variant: symmetric_multiplicative}": 90,
    "{type: fieldsplit, variant: schur, fields: {c: lu, mu: lu}}": 12,
    "{type: fieldsplit, variant: schur, factorization: lower, complement: a11, fields: {c: jacobi}}": 90,
    "{type: fieldsplit, fields: {c: chebyshev, mu: chebyshev}}": 120,
}


@pytest.mark.parametrize(("block", "most"), SPLITS.items())
def test_every_split_leads_to_the_solution(make_run, block, most):
    overrides = ("time.step=1e-5", "time.end=2e-5")
    direct = make_run(SMALL, *overrides)
    direct.execute()
    text = SMALL.replace("solver: {c: {snes_rtol: 1e-13, ksp: preonly, preconditioner: lu}}", "")
    run = make_run(text, *overrides, f"solver.c={{rtol: 1e-10, snes_rtol: 1e-12, preconditioner: {block}}}")
    run.execute()
    for name in ("c", "mu"):
        assert np.abs(run.state.values[name] - direct.state.values[name]).max() < 1e-8
    told = run.system.solvers["c"].tally.summary()
    assert told["total"] / told["newton"] < most
    assert ("applications" in told) == ("chebyshev" in block)


def test_each_field_has_its_near_null_space(make_run):
    run = make_run(SMALL, "solver.c={preconditioner: fieldsplit}", "time.step=1e-5", "time.end=1e-5")
    run.execute()
    pc = run.system.solvers["c"].attempts[0].snes.getKSP().getPC()
    parts = pc.getFieldSplitSubKSP()
    prefixes = [ksp.getOptionsPrefix() for ksp in parts]
    assert prefixes == ["c_fieldsplit_c_", "c_fieldsplit_mu_"]
    for ksp in parts:
        mat = ksp.getOperators()[1]
        assert mat.getSize() == (121, 121)
        assert mat.getNearNullSpace().hasConstant()


@pytest.mark.parametrize(
    ("physics", "block", "message"),
    [
        ("{type: diffusion, coefficient: 1}", "fieldsplit", "u is solved alone"),
        (
            "{type: cahn_hilliard, mobility: 1, interface: 0.1}",
            "{type: fieldsplit, fields: {nu: lu}}",
            r"fields\.nu: the fields of this block are c, mu",
        ),
        (
            "{type: cahn_hilliard, mobility: 1, interface: 0.1}",
            "{type: fieldsplit, variant: schur, fields: {mu: chebyshev}}",
            "chebyshev computes in Python",
        ),
    ],
)
def test_what_cannot_be_split_is_told(make_run, physics, block, message):
    text = f"plexus: 1\nmesh: {{type: box, cell: triangle, cells: [4, 4]}}\nphysics: {physics}\n"
    text += f"boundary: [{{on: left, {'u' if 'diffusion' in physics else 'mu'}: 1}}]\n"
    name = "u" if "diffusion" in physics else "c"
    with pytest.raises(PlexusError, match=message):
        make_run(text, f"solver.{name}={{preconditioner: {block}}}").execute()


def test_conditions_hold_for_the_field_that_they_name(make_run):
    text = SMALL + "boundary: [{on: left, c: 1}, {on: right, mu: 0.25}]\n"
    run = make_run(text, "time.step=1e-3", "time.end=5e-3")
    run.execute()
    x = run.system.spaces["c"].points[:, 0]
    left, right = np.isclose(x, 0), np.isclose(x, 1)
    assert np.all(run.state.values["c"][left] == 1) and np.all(run.state.values["mu"][right] == 0.25)
    assert np.ptp(run.state.values["mu"][left]) > 1e-3 and np.ptp(run.state.values["c"][right]) > 1e-3


def test_reactions_are_those_of_one_field(make_run):
    """-M μ_x flows from left to right: what is fed in on the left for μ comes out on the right."""
    text = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [6, 3]}
physics: {type: cahn_hilliard, mobility: 2, interface: 0.3}
boundary: [{on: left, mu: 1, c: 0.2}, {on: right, mu: 3, c: 1}]
quantities: {left: {type: reaction, of: c, on: left}, right: {type: reaction, of: c, on: right}}
"""
    run = make_run(text)
    run.execute()
    values = run.values()
    assert values["left"] == pytest.approx(-4, rel=1e-8) and values["right"] == pytest.approx(4, rel=1e-8)


def test_petsc_ts_refuses_blocks(make_run):
    with pytest.raises(PlexusError, match="c and mu are solved together; use theta or bdf2"):
        make_run(SMALL, "time.stepper={type: petsc_ts, ts: bdf}").execute()
