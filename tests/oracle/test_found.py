"""What random decks found: each is the smallest deck that shows it, with its right value."""

from pathlib import Path

import numpy as np
import pytest
from oracles.campaign import EXACT
from oracles.exact import judged
from oracles.running import deck_of, ended, read, run

from plexus.errors import SolveError

LINE = {"type": "interval", "cells": 4}
ROOM = {"type": "box", "cell": "quadrilateral", "cells": [2, 2]}


def deck(**blocks):
    return read({"plexus": 1, **blocks}, Path())


def quantities(folder: Path, **blocks):
    return ended({"plexus": 1, **blocks}, folder).values()


def test_a_component_that_is_prescribed_is_kept_by_multigrid(tmp_path):
    """Rows of 1 are lost beside a stiffness of 1e9 in the norm by which a Krylov method stops."""
    case = EXACT["plane_stress"](17)
    assert case.deck["solver"]["displacement"]["preconditioner"] == "gamg"
    assert not judged(case, run(deck_of(case), case, tmp_path))


@pytest.mark.parametrize(
    ("text", "t", "value"),
    [("20 degC + 5 K/min*t", 60.0, 298.15), ("20 degC + 5 K/min*min(t, 12)", 60.0, 294.15)],
)
def test_a_rate_per_minute_is_no_call_of_a_function(text, t, value):
    physics = {"type": "heat", "material": {"conductivity": 1}}
    made = deck(mesh=LINE, physics=physics, boundary=[{"on": "left", "temperature": text}])
    assert made.boundary[0].values["temperature"][0]({"t": t}) == pytest.approx(value, rel=1e-12)


def test_a_diffusion_coefficient_with_a_unit_for_a_pure_number(tmp_path):
    found = quantities(
        tmp_path, mesh=LINE, physics={"type": "diffusion", "coefficient": "20 cm^2/s"},
        boundary=[{"on": "left", "u": 0}, {"on": "right", "flux": "3 mm/s"}],
        quantities={"far": {"type": "mean", "of": "u", "on": "right"}},
    )  # fmt: skip
    assert found["far"] == pytest.approx(1.5, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "text"), [("u", "12 Hz*u"), ("C", "12 Hz*C"), ("c", "3 m^2/s*c"), ("h", "2 m/s/h")]
)
def test_a_field_with_the_name_of_a_unit_is_not_taken_for_it(name, text):
    """u is the unified atomic mass to the reader of units: a source of 12 u was one of 2e-26."""
    key = "coefficient" if "m^2" in text else "source"
    physics = {"type": "diffusion", "field": name, "coefficient": 1, key: text}
    with pytest.raises(ValueError, match=f"{name} is a unit here and also a field"):
        deck(mesh=LINE, physics=physics, boundary=[{"on": "left", name: 1}])


def test_a_field_behind_a_unit_and_spaces_is_the_field(tmp_path):
    found = quantities(
        tmp_path, mesh=LINE, physics={"type": "diffusion", "coefficient": 1, "source": "1 Hz * u"},
        boundary=[{"on": "exterior", "u": 1}], quantities={"mean": {"type": "mean", "of": "u"}},
    )  # fmt: skip
    assert found["mean"] == pytest.approx(2 * np.tan(0.5), rel=0.01)


CURE = {
    "type": "cure", "heat_of_reaction": 300e3, "start": 0.01,
    "material": {"density": 1200, "specific_heat": 1200, "conductivity": 0.2},
    "kinetics": {"factors": [0.01, 0.05], "energies": [0, 0], "m": 1, "n": 1},
}  # fmt: skip
CURED = {
    "warmth": {"type": "mean", "of": "temperature"}, "cured": {"type": "mean", "of": "degree_of_cure"},
}  # fmt: skip


@pytest.mark.parametrize("capacity", ["lumped", "consistent"])
@pytest.mark.parametrize(("theta", "step"), [(1.0, 20), (0.5, 200)])
def test_heat_of_a_cure_is_what_has_cured(tmp_path, capacity, theta, step):
    """Lumped capacities ended in a traceback; a cure beyond 1, where θ < 1 overshoots, went back."""
    found = quantities(
        tmp_path, mesh=ROOM, physics={**CURE, "capacity": capacity}, initial={"temperature": 300},
        time={"stepper": {"type": "theta", "theta": theta}, "end": 600, "step": step}, quantities=CURED,
    )  # fmt: skip
    assert found["warmth"] - 300 == pytest.approx(300e3 / 1200 * (found["cured"] - 0.01), rel=1e-9)


STRETCHED = {
    "mesh": {"type": "box", "cell": "quadrilateral", "cells": [4, 4], "size": [0.7, 0.3]},
    "physics": {
        "type": "elasticity", "degree": 1, "geometry": "plane_stress",
        "material": {"young_modulus": 4.6e8, "poisson_ratio": 0.417},
    },
    "boundary": [
        {"at": [0, 0], "displacement": 0},
        {"on": "left", "traction": [-150, 0]}, {"on": "right", "traction": [150, 0]},
    ],
    "quantities": {
        "stress": {"type": "mean", "of": "stress_xx"}, "across": {"type": "maximum", "of": "stress_yy"},
    },
}  # fmt: skip
"""A body that may turn: a factorisation of its matrix divides by rounding."""


@pytest.mark.parametrize("solver", ["lu", "mumps", {"preconditioner": "lu", "ksp": "preonly"}])
def test_a_factorisation_of_a_body_that_may_turn(solver, tmp_path):
    found = quantities(tmp_path, solver={"default": solver}, **STRETCHED)
    assert found["stress"] == pytest.approx(150, rel=1e-9)
    assert found["across"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("preconditioner", ["jacobi", "gamg"])
def test_one_application_of_a_preconditioner_is_no_solution(preconditioner, tmp_path):
    """It was taken for one, with exit code 0, as were factors that had lost all digits."""
    solver = {"default": {"preconditioner": preconditioner, "ksp": "preonly"}}
    with pytest.raises(SolveError, match="one application of the preconditioner is no solution"):
        quantities(tmp_path, solver=solver, **STRETCHED)
