"""Orders in time of every stepper on a diffusion problem whose spatial error is zero.

u = (2 + sin t) x² lies in the space of degree 2; the prescribed values change in time.
"""

import json
import math
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "contract"))
from hosts import label, stepper_variants
from step_problems import made

from plexus.deck.doubts import doubts
from plexus.deck.load import load
from plexus.protocols import Implicit, TimeIntegrable

DECK = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [3, 2]}
physics: {type: diffusion, coefficient: 1, degree: 2, source: "cos(t)*x^2 - 2*(2 + sin(t))"}
boundary: [{on: exterior, u: "(2 + sin(t))*x^2"}]
initial: {u: "(2 + sin(t))*x^2"}
time: {stepper: theta, end: 1 s, step: 0.1 s}
"""

ORDERS = {"rosw": 2.5, "arkimex": 2, "theta": 1, "cn": 2, "beuler": 1, "alpha": 2}
"""Orders of PETSc's integrators, which it does not tell; changing boundary values cost rosw a half."""
STEPPERS = stepper_variants(Implicit, TimeIntegrable)
MARCHING = [v for v in STEPPERS if made(v["type"], v).order > 0]


def order_of(given) -> float:
    """Return the order to be reached: BDF has the one that is asked for, or PETSc's default of two."""
    told = made(given["type"], given).order
    if "ts" not in given:
        return told
    return given.get("order", 2) if given["ts"] == "bdf" else ORDERS[given["ts"]]


def error(run) -> float:
    """Return the largest error at the end."""
    run.execute()
    x = run.system.spaces["u"].points[:, 0]
    return abs(run.state.values["u"][:, 0] - (2 + math.sin(run.clock.t)) * x**2).max()


@pytest.mark.parametrize("given", MARCHING, ids=label)
def test_order_in_time(make_run, given):
    block = f"time.stepper={json.dumps(given)}"
    errors = [error(make_run(DECK, block, f"time.step={dt}")) for dt in (0.1, 0.05)]
    assert math.log2(errors[0] / errors[1]) > order_of(given) - 0.15


LOADED = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [6, 4]}
physics: {type: diffusion, coefficient: 1, degree: 2, source: "3*cos(3*t + 1)*x^2 - 2*(2 + sin(3*t + 1))"}
boundary: [{on: exterior, u: "(2 + sin(3*t + 1))*x^2"}]
initial: {u: "(2 + sin(1))*x^2"}
time: {stepper: theta, end: 1 s, step: 0.1 s}
solver: {u: {rtol: 1e-13, preconditioner: lu}}
"""
"""A source and boundary values that change in time, at the start as well."""


@pytest.mark.parametrize(
    ("scheme", "least", "most"),
    [
        ({"ts": "bdf", "order": 3}, 2.6, 3.4),
        ({"ts": "bdf", "order": 4}, 3.8, 4.4),
        ({"ts": "rosw", "method": "ra34pw2"}, 2.5, 3.2),
        ({"ts": "rosw", "method": "ra3pw"}, 2.5, 3.2),
        ({"ts": "rosw", "method": "2m"}, 1.3, 1.8),
        ({"ts": "rosw", "method": "rodas3"}, 0.7, 1.2),
    ],
    ids=str,
)
def test_orders_under_loads_that_change_in_time_are_those_that_the_stepper_tells(
    make_run, scheme, least, most
):
    """What `plexus explain stepper.petsc_ts` recommends keeps its order, and what it warns of does not."""
    block = json.dumps({"type": "petsc_ts", **scheme})
    found = []
    for dt in (0.05, 0.025):
        run = make_run(LOADED, f"time.stepper={block}", f"time.step={dt}")
        run.execute()
        x = run.system.spaces["u"].points[:, 0]
        found.append(abs(run.state.values["u"][:, 0] - (2 + math.sin(3 * run.clock.t + 1)) * x**2).max())
    assert least < math.log2(found[0] / found[1]) < most


@pytest.mark.parametrize(
    ("method", "loaded", "number"), [("rodas3", True, 1), ("rodas3", False, 0), ("ra34pw2", True, 0)]
)
def test_a_scheme_that_falls_under_the_loads_of_the_deck_is_told(tmp_path, method, loaded, number):
    text = LOADED if loaded else LOADED.replace("3*t", "3")
    (tmp_path / "deck.yaml").write_text(
        text.replace("theta", f"{{type: petsc_ts, ts: rosw, method: {method}}}")
    )
    found = doubts(load(tmp_path / "deck.yaml"))
    assert len(found) == number
    assert all("time.stepper.method: rodas3 falls to about order 1" in line for line in found)


@pytest.mark.parametrize("method", ["ark3", "assp3p3s1c", "lassp3p4s2c", "llssp3p4s2c"])
def test_schemes_with_an_explicit_stage_are_refused(make_run, method):
    """They end at numbers of any size, because a mass matrix stands before the rate."""
    from plexus.errors import PlexusError

    with pytest.raises(PlexusError, match="explicit stage; use ra34pw2"):
        make_run(DECK, f"time.stepper={{type: petsc_ts, ts: rosw, method: {method}}}")
    run = make_run(
        DECK, "time.stepper={type: petsc_ts, ts: rosw}", f"solver.u={{options: {{ts_rosw_type: {method}}}}}"
    )
    with pytest.raises(PlexusError, match=r"solver\.u\.options\.ts_rosw_type.*explicit stage"):
        run.execute()


def test_an_unknown_scheme_is_a_sentence(make_run):
    from plexus.errors import InputError

    with pytest.raises(InputError, match=r"time\.stepper: PETSc: Unknown option rodas33"):
        make_run(DECK, "time.stepper={type: petsc_ts, ts: rosw, method: rodas33}").execute()


def test_adaptive_steps_keep_the_error_near_the_tolerance(make_run):
    run = make_run(DECK, "time.stepper=bdf2", "time.adaptive={tolerance: 1e-4}", "time.step=0.001")
    assert error(run) < 1e-3
    assert run.clock.t == 1.0 and run.clock.step < 200


def test_petsc_ts_refuses_adaptive_steps(make_run):
    from plexus.errors import PlexusError

    with pytest.raises(PlexusError, match="fixed steps"):
        make_run(DECK, "time.stepper={type: petsc_ts, ts: bdf}", "time.adaptive={tolerance: 1e-4}")


def test_a_failing_step_is_repeated_shorter(make_run):
    text = DECK.replace("coefficient: 1,", "coefficient: '1 + u^2',")
    block = "solver.u={snes_max_iterations: 2, snes_rtol: 1e-10}"
    run = make_run(text, block, "time.step=0.5", "time.adaptive={tolerance: 0.1}")
    run.execute()
    assert run.controller.rejected > 0 and run.clock.t == 1.0


@pytest.mark.parametrize("stepper", ["theta", "{type: petsc_ts, ts: cn}"])
def test_what_a_callback_raises_comes_out_of_petsc_unchanged(make_run, stepper, monkeypatch):
    def fail(*arguments):
        raise LookupError("from inside")

    run = make_run(DECK, f"time.stepper={stepper}")
    monkeypatch.setattr(run.system.solvers["u"].form, "residual", fail)
    with pytest.raises(LookupError, match="from inside"):
        run.execute()
