"""Gradients through marches, blocks and staggered equations, of quantities, with states computed again."""

import numpy as np
import pytest
import torch
from mpi4py import MPI
from traces import orders, remainders

from plexus.errors import InputError
from plexus.run.trace import Trace, gradient

STEPS = [10.0**-k for k in np.arange(1.5, 4.6, 0.5)]

HEAT = """
plexus: 1
controls: {a: {type: scalar, start: 1.3}}
mesh: {type: box, cell: triangle, cells: [5, 4]}
physics:
  type: diffusion
  coefficient: "a*(1 + u^2)"
  capacity: "1 + 0.2*u"
  source: "sin(3*t)"
boundary: [{on: left, u: "a*y*(1 + t)"}, {on: right, robin: {coefficient: a, value: "1"}}]
initial: {u: "a*x*y"}
time: {stepper: bdf2, start: 0, end: 0.5 s, step: 0.1 s}
solver: {u: {snes_rtol: 1.e-13, preconditioner: mumps}}
quantities:
  mean: {type: mean, of: "u^2"}
  norm: {type: norm, of: u, on: right}
  probe: {type: value, of: "u*u", at: [0.31, 0.47]}
  error: {type: error, of: u, exact: "x"}
  outflow: {type: flux, of: u_flux, on: right}
  terms: {type: flux, of: u_flux, on: right, by: terms}
  most: {type: maximum, of: u}
output: []
"""
SMOOTH = ["mean", "norm", "probe", "error", "outflow", "terms"]


def number(value=1.3):
    return torch.tensor([value], dtype=torch.float64)


def at_end(run, name="mean", key="a", of=()):
    """Return the function of a control that is a quantity at the end of the march."""
    look = lambda trace: trace.quantity(name) if trace.last else None  # noqa: E731
    return lambda *theta: Trace.of(run, {**dict(of), **dict(zip([key], theta, strict=False))}).total(look)


@pytest.mark.parametrize(
    "stepper", ["{type: theta}", "{type: theta, theta: 0.5}", "bdf2", "quasistatic"], ids=str
)
def test_marches_have_remainders_of_second_order(make_run, stepper):
    run = make_run(HEAT, f"time.stepper={stepper}")
    found = remainders(at_end(run), number(), number(0.7), STEPS)
    assert orders(found, STEPS) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("name", SMOOTH)
def test_quantities_are_those_of_the_run_and_differentiable(make_run, name):
    run = make_run(HEAT, "time.end=0.2 s")
    function = at_end(run, name)
    a = number()
    value = function(a).item()
    found = remainders(function, a, number(0.7), STEPS)
    assert orders(found, STEPS) == pytest.approx(2.0, abs=0.1)
    run.execute()
    assert run.values()[name] == pytest.approx(value, rel=1e-11)


@pytest.mark.parametrize("name", ["mean", "across"])
def test_a_contact_is_part_of_the_gradient(make_run, name):
    side = "{interface: low|high, from: low}"
    run = make_run(
        HEAT, "time.end=0.2 s", "mesh.regions={low: y < 0.5, high: y > 0.5}",
        'boundary[2]={on: low|high, contact: {resistance: "0.2*a*(1 + 0.1*u)"}}',
        f"quantities.across={{type: flux, of: u_flux, on: {side}, by: terms}}",
    )  # fmt: skip
    function = at_end(run, name)
    value = function(number()).item()
    found = remainders(function, number(), number(0.7), STEPS)
    assert orders(found, STEPS) == pytest.approx(2.0, abs=0.1)
    run.execute()
    assert run.values()[name] == pytest.approx(value, rel=1e-11)


def test_states_that_are_computed_again_give_the_same_gradient(make_run):
    run = make_run(HEAT)
    found = []
    for every in (None, 2):
        a = number().requires_grad_(True)
        trace = Trace.of(run, {"a": a})
        total = trace.total(lambda trace: trace.quantity("mean") * trace.clock.t, every)
        assert trace.clock.done
        found.append((total.item(), gradient(total, {"a": a}, run)["a"].item()))
    assert found[0] == pytest.approx(found[1], rel=1e-12)


BLOCK = """
plexus: 1
controls: {a: {type: scalar, start: 1.3}}
mesh: {type: box, cell: triangle, cells: [5, 5]}
physics: {type: cahn_hilliard, mobility: "a*(1 + 0.1*c^2)", interface: 0.2}
initial: {c: "a*cos(3*x)*cos(2*y)"}
time: {stepper: {type: theta, theta: 0.5}, end: 0.03 s, step: 0.01 s}
solver: {c: {snes_rtol: 1.e-13, preconditioner: mumps}}
quantities: {mean: {type: mean, of: "c^4 + mu^2"}}
output: []
"""
STAGGERED = """
plexus: 1
controls: {a: {type: scalar, start: 1.3}}
mesh: {type: box, cell: triangle, cells: [4, 4]}
physics:
  type: thermoelasticity
  geometry: plane_strain
  material:
    conductivity: "a*(1 + 0.1*temperature)"
    density: 1
    specific_heat: 1
    young_modulus: "100*a"
    poisson_ratio: 0.3
    expansion: {coefficient: 0.01, reference: 1}
boundary:
  - {on: left, temperature: "1 + a*t", displacement: [0, 0]}
  - {on: right, convection: {coefficient: "2*a", ambient: 3}, pressure: "a^2"}
initial: {temperature: 1}
time: {stepper: bdf2, end: 0.2 s, step: 0.05 s}
solver:
  temperature: {snes_rtol: 1.e-13, preconditioner: mumps}
  displacement: {rtol: 1.e-13, preconditioner: mumps}
quantities: {mean: {type: mean, of: "displacement_x*temperature"}}
output: []
"""


@pytest.mark.parametrize(
    "deck", [pytest.param(BLOCK, id="block"), pytest.param(STAGGERED, id="staggered", marks=pytest.mark.mpi)]
)
def test_blocks_and_staggered_equations_have_remainders_of_second_order(make_run, deck):
    found = remainders(at_end(make_run(deck)), number(), number(0.7), STEPS)
    assert orders(found, STEPS) == pytest.approx(2.0, abs=0.1)


def test_a_table_in_time_and_a_field_that_is_the_start(make_run):
    given = "{a: {type: table, knots: [0, 0.25, 0.5], start: [1, 2, 1.5]}, m: {type: nodal, start: 0}}"
    run = make_run(HEAT, f"controls={given}", 'initial.u="m*x"')
    x = run.system.spaces["u"].points[: run.system.spaces["u"].n_owned]
    a, along = (
        torch.tensor([1, 2, 1.5], dtype=torch.float64),
        torch.tensor([0.3, -1, 0.7], dtype=torch.float64),
    )
    assert orders(remainders(at_end(run), a, along, STEPS), STEPS) == pytest.approx(2.0, abs=0.1)
    m, d = torch.from_numpy(x[:, :1] + 1), torch.from_numpy(np.sin(5 * x[:, :1]))
    assert orders(remainders(at_end(run, key="m"), m, d, STEPS), STEPS) == pytest.approx(2.0, abs=0.1)


def test_an_extremum_and_steps_of_petsc_have_no_gradient(make_run):
    run = make_run(HEAT)
    with pytest.raises(InputError, match=r"quantities\.most: the largest value has no gradient .*type: mean"):
        at_end(run, "most")(number())
    run = make_run(HEAT, "time.stepper={type: petsc_ts, ts: bdf}")
    with pytest.raises(InputError, match=r"time\.stepper: no gradient .*; use theta or bdf2"):
        at_end(run)(number())


HELD = """
plexus: 1
controls: {a: {type: scalar, start: 1.3}}
mesh: {type: box, cell: quadrilateral, cells: [5, 4]}
physics: {type: elasticity, geometry: plane_strain, material: {young_modulus: "100*a", poisson_ratio: 0.3}}
boundary:
  - {on: left, displacement: [0, "0.01*a*y"]}
  - {on: bottom, displacement_y: 0}
  - {on: right, traction: ["a^2", 1]}
solver: {displacement: {preconditioner: mumps}}
quantities:
  support: {type: reaction, of: displacement, on: left, component: y}
  stress: {type: norm, of: von_mises, region: null}
output: []
"""


def test_values_along_normals_may_depend_on_controls(make_run):
    run = make_run(HELD.replace('traction: ["a^2", 1]', 'normal: "0.01*a^2", traction: [0, 1]'))
    found = remainders(at_end(run, "stress"), number(), number(0.7), STEPS)
    assert orders(found, STEPS) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("name", ["support", "stress"])
def test_what_holds_a_body_is_differentiable(make_run, name):
    run = make_run(HELD)
    function = at_end(run, name)
    found = remainders(function, number(), number(0.7), STEPS)
    assert orders(found, STEPS) == pytest.approx(2.0, abs=0.1)
    value = function(number()).item()
    run.execute()
    assert run.values()[name] == pytest.approx(value, rel=1e-10)


@pytest.mark.mpi
def test_gradients_of_all_ranks_together_are_those_of_one(make_run):
    """A number, a table and a field at nodes, against the same deck on this rank alone."""
    given = [
        "controls.a={type: table, knots: [0, 0.5], start: 0}",
        "controls.m={type: nodal, start: 0}",
        "controls.c={type: cells, start: 0}",
        "time.end=0.2 s",
        'physics.coefficient="c*(1 + u^2)"',
        'physics.source="m*x"',
        'initial.u="m*x"',
    ]
    found = []
    for comm in (MPI.COMM_WORLD, MPI.COMM_SELF):
        run = make_run(HEAT, *given, comm=comm)
        space = run.system.spaces["u"]
        mesh, x = space.mesh, space.points[: space.n_owned]
        n = mesh.n_owned_cells
        rows = {
            "a": np.array([1.0, 2.0]),
            "m": 1 + x[:, :1] * x[:, 1:],
            "c": 1 + 0.01 * mesh.cell_ids[:n, None],
        }
        theta = {name: torch.from_numpy(row).requires_grad_(True) for name, row in rows.items()}
        loss = at_end(run, "mean", of=theta)()
        slopes = gradient(loss, theta, run)
        names = {"a": np.arange(2), "m": space.names()[: space.n_owned], "c": mesh.cell_ids[:n]}
        for key in ("m", "c"):
            pieces = comm.allgather((names[key], slopes[key].numpy()[:, 0]))
            order, values = (np.concatenate(part) for part in zip(*pieces, strict=True))
            slopes[key] = values[np.argsort(order)]
        found.append([loss.item(), *(np.asarray(slopes[key]) for key in theta)])
    for ours, alone in zip(*found, strict=True):
        assert ours == pytest.approx(alone, rel=1e-10, abs=1e-12)
