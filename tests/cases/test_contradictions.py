"""Decks that contradict themselves: no capacity to march with, a steady beginning, idle schedules."""

import case_runs
import pytest
from case_runs import RANKS

NO_DENSITY, NO_TIME, CLOSED = "30_transient_without_density", "32_forgotten_time", "07_jump_of_boundary_value"


@pytest.mark.parametrize("ranks", RANKS)
def test_a_march_without_density_is_refused(tmp_path, ranks):
    for found in (case_runs.check(NO_DENSITY, tmp_path), case_runs.run(NO_DENSITY, tmp_path, ranks=ranks)):
        found.refused("deck.yaml:5", "density", "required but missing")


@pytest.mark.parametrize("ranks", RANKS)
def test_with_density_the_march_is_right(tmp_path, ranks):
    density = ("-s", "physics.material.density=7800 kg/m^3")
    assert case_runs.run(NO_DENSITY, tmp_path, *density, ranks=ranks).quantities()["mean"] == pytest.approx(
        793.7, rel=1e-3
    )


@pytest.mark.parametrize(
    "time", ["{end: 10 s, step: 1 s, adaptive: {tolerance: 1e-3}}", "{end: 10 s, step: 1 s}"]
)
def test_no_stepper_marches_without_capacity(tmp_path, time):
    case_runs.check(NO_DENSITY, tmp_path, "-s", f"time={time}").refused("density")


def test_quasistatic_heat_needs_no_density(tmp_path):
    found = case_runs.run(NO_DENSITY, tmp_path, "-s", "time.stepper=quasistatic")
    assert found.quantities()["mean"] == pytest.approx(293.15)


def test_nothing_to_adapt_steps_to_is_refused(tmp_path):
    material = "{young_modulus: 1, poisson_ratio: 0.3}"
    words = (
        "-s", f"physics={{type: elasticity, geometry: plane_strain, material: {material}}}",
        "-s", "boundary=[{on: left, displacement: 0}]", "-s", "initial={}", "-s", "quantities={}",
        "-s", "time.adaptive={tolerance: 1e-3}",
    )  # fmt: skip
    case_runs.check(NO_DENSITY, tmp_path, *words).refused("time.adaptive", "no unknown has a time derivative")


@pytest.mark.parametrize("ranks", RANKS)
def test_a_forgotten_block_time_is_told_four_times(tmp_path, ranks):
    for found in (case_runs.check(NO_TIME, tmp_path), case_runs.run(NO_TIME, tmp_path, ranks=ranks)):
        assert found.code == 0
        for place in (
            "deck.yaml:10:32: output[0].every",
            "deck.yaml:6:24: initial.temperature",
            "deck.yaml:5:80: physics.material.density",
            "deck.yaml:5:108: physics.material.specific_heat",
        ):
            assert f"warning: {place}: the deck has no block `time`" in found.said


def test_loads_of_time_are_told_in_a_steady_run(tmp_path):
    found = case_runs.check(NO_TIME, tmp_path, "-s", "boundary[0].convection.ambient='300 + t'")
    assert "boundary[0].convection.ambient: the deck has no block `time`" in found.said


@pytest.mark.parametrize(
    ("every", "word"),
    [
        ("5 s", "longer than the run"),
        ("100 steps", "more than the run takes (3)"),
        ("{times: [0.001, 0.9]}", "0.9 s is not between"),
        ("end", ""), ("1 ms", ""), ("30 min wall", ""),
    ],
)  # fmt: skip
def test_schedules_in_vain_are_told(tmp_path, every, word):
    found = case_runs.check(CLOSED, tmp_path, "-s", f"output=[{{type: fields, every: {every}}}]")
    assert found.code == 0
    assert ("output[0].every: " in found.said) == bool(word)
    assert word in found.said


@pytest.mark.parametrize("key", ["initial.temperature", "boundary[0].temperature", "physics.source"])
def test_an_axis_that_the_mesh_lacks_is_refused(tmp_path, key):
    found = case_runs.check(NO_TIME, tmp_path, "-s", f"{key}='300 + z'")
    found.refused("a 2-D mesh has no such axis", key.partition(".")[0])


def test_the_end_is_after_the_start(tmp_path):
    case_runs.check(CLOSED, tmp_path, "-s", "time.start=1 s").refused("deck.yaml", "is not after start")


def test_a_closure_outside_its_training_is_told(tmp_path, request):
    deck = request.config.rootpath / "input_decks/closures/active_fluid.yaml"
    words = ("-s", "physics.alpha=-8", "-s", "physics.zeta=5", "-s", "time.step=0.1")
    code, said = case_runs.command(tmp_path, "check", str(deck), *words)
    assert code == 0
    for word in ("physics.alpha: the closure was trained for -5 to -1", "physics.zeta", "0.01 s apart"):
        assert word in said
    assert "warning" not in case_runs.command(tmp_path, "check", str(deck))[1]


def test_a_march_may_leave_the_degree_to_the_mesh(tmp_path):
    (tmp_path / "deck.yaml").write_text(
        "plexus: 1\n"
        "mesh: {type: box, cell: quadrilateral, cells: [3, 3]}\n"
        "physics: {type: diffusion, coefficient: 1}\n"
        "boundary: [{on: left, u: 1}]\n"
        "time: {end: 1 s, step: 0.1 s}\n"
    )
    code, said = case_runs.command(tmp_path, "check", "deck.yaml")
    assert (code, "Traceback" in said) == (0, False), said
