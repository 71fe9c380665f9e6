"""What holds bodies: levels by weak conditions in any units, parts, motions, solutions that are rounding."""

import numpy as np
import pytest
from mpi4py import MPI

from plexus.errors import InputError, SolveError
from plexus.fields.connected import components, over_ranks

HEAT = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [12, 12], size: [SIZE, SIZE]}
physics: {type: heat, degree: DEGREE, material: {conductivity: 400}}
boundary:
  - {on: left, flux: {value: 1e5}}
  - {on: right, flux: {value: -1e5}}
  - {on: top, HOLD}
quantities: {top: {type: mean, of: temperature, on: top}}
"""


def ended(run) -> dict[str, float]:
    """Return the quantities of a run."""
    run.execute()
    return run.values()


@pytest.mark.parametrize(
    ("size", "hold"),
    [
        ("100 um", "convection: {coefficient: 5, ambient: 350}"),
        ("1 km", "convection: {coefficient: 5, ambient: 350}"),
        # below the rounding of the matrix: its entries are those of a free body
        ("1 nm", "convection: {coefficient: 1e-3, ambient: 350}"),
        ("100 um", "radiation: {emissivity: 0.5, ambient: 350}"),
    ],
)
@pytest.mark.parametrize("degree", [1, 2])
def test_weak_conditions_fix_the_level(make_run, size, hold, degree):
    text = HEAT.replace("SIZE", size).replace("DEGREE", str(degree)).replace("HOLD", hold)
    assert ended(make_run(text))["top"] == pytest.approx(350, rel=1e-6)


def test_radiation_of_hardly_any_strength_alone_fixes_the_level(make_run):
    text = HEAT.replace("SIZE", "100 um").replace("DEGREE", "1")
    text = text.replace("HOLD", "radiation: {emissivity: 1e-6, ambient: 350}").replace("1e5", "0")
    assert ended(make_run(text))["top"] == pytest.approx(350, rel=1e-6)


def test_a_level_that_rounding_moves_is_refused(make_run):
    text = HEAT.replace("SIZE", "1 mm").replace("DEGREE", "1")
    with pytest.raises(SolveError, match="so weakly beside the loads that rounding moves it"):
        make_run(text.replace("HOLD", "convection: {coefficient: 1e-12, ambient: 350}")).execute()


STRIP = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [20, 20], size: [2, 1], regions: {A: "x < 1", B: "x > 1"}}
physics: {type: heat, degree: 1, material: {conductivity: "where(WHERE, 0, 10)"}}
boundary:
  - {on: left, temperature: 400}
  - {on: right, flux: {value: LOAD}}
quantities: {b: {type: mean, of: temperature, on: right}}
"""
"""A row of cells that does not conduct, or all of B."""


def test_a_part_behind_what_does_not_conduct_keeps_its_level(make_run, capfd):
    text = STRIP.replace("WHERE", "abs(x - 1.05) < 0.05").replace("LOAD", "0")
    assert ended(make_run(text))["b"] == pytest.approx(293.15)
    assert "fixes its level in x = 1 to 2 m, y = 0 to 1 m (200 cells, region B)" in capfd.readouterr().out


def test_a_part_behind_what_does_not_conduct_bears_no_load(make_run):
    text = STRIP.replace("WHERE", "abs(x - 1.05) < 0.05").replace("LOAD", "1")
    with pytest.raises(SolveError, match=r"do not balance .* in x = 1 to 2 m.* one of 2 parts"):
        make_run(text).execute()


def test_nodes_without_an_equation_are_refused(make_run):
    text = STRIP.replace("WHERE", "x > 1").replace("LOAD", "0")
    with pytest.raises(InputError, match=r"nothing determines it at 210 nodes, .*region B.* property zero"):
        make_run(text).execute()


def test_a_solution_that_is_rounding_is_refused(make_run):
    text = (
        STRIP.replace("WHERE", "abs(x - 1.05) < 0.05")
        .replace(", 0, 10)", ", 1e-30, 10)")
        .replace("LOAD", "1")
    )
    with pytest.raises(SolveError, match=r"nearly nothing holds x = 1 to 2 m.*its value is rounding"):
        make_run(text).execute()


BODY = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [10, 10], size: [1, 1], origin: [ORIGIN, ORIGIN]}
physics: {type: elasticity, geometry: plane_stress, material: {young_modulus: 210 GPa, poisson_ratio: 0.3}}
boundary:
  - {on: left, traction: [-1e6, 0]HOLD}
  - {on: right, traction: [1e6, 0]}
quantities:
  left: {type: mean, of: displacement_x, on: left}
  right: {type: mean, of: displacement_x, on: right}
  up: {type: mean, of: displacement_y, on: right}
"""
STRETCH = 1e6 / 210e9


def test_a_free_body_far_from_the_origin_has_all_its_motions(make_run):
    run = make_run(BODY.replace("ORIGIN", "1e5").replace("HOLD", ""))
    found = ended(run)
    assert run.system.solvers["displacement"].free.shape[1] == 3
    assert found["right"] - found["left"] == pytest.approx(STRETCH, rel=1e-6)
    assert abs(found["up"]) < 1e-4 * STRETCH


def test_soft_springs_hold_what_they_bear(make_run):
    found = ended(
        make_run(BODY.replace("ORIGIN", "0").replace("HOLD", ", spring: {normal: 1, tangential: 1}"))
    )
    # the loads balance, so that the springs bear nothing
    assert abs(found["left"]) < 1e-3 * STRETCH
    assert found["right"] == pytest.approx(STRETCH, rel=1e-3)


def test_loads_across_the_free_motion_do_not_count_as_out_of_balance(make_run):
    text = BODY.replace("ORIGIN", "0").replace("plane_stress", "axisymmetric")
    text = text.replace("  - {on: left, traction: [-1e6, 0]HOLD}\n", "")
    text = text.replace("traction: [1e6, 0]", "pressure: 1 MPa")
    text = text.replace("  left: {type: mean, of: displacement_x, on: left}\n", "")
    found = ended(make_run(text))
    assert found["right"] == pytest.approx(-(1 - 0.3) * STRETCH, rel=1e-6)


def test_connected_components_of_a_ring_a_chain_and_single_rows():
    rows, cols = np.array([0, 1, 2, 3, 7, 6]), np.array([1, 2, 3, 0, 6, 5])
    low = components(rows, cols, 9)
    assert low.tolist() == [0, 0, 0, 0, 4, 5, 5, 5, 8]
    wanted = np.array([True] * 8 + [False])
    numbers, count = over_ranks(MPI.COMM_SELF, low, 9, wanted, lambda array: None)
    assert numbers.tolist() == [0, 0, 0, 0, 1, 2, 2, 2, -1]
    assert count == 3


def test_long_chains_are_one_component():
    order = np.random.default_rng(0).permutation(10_000)
    assert not components(order[:-1], order[1:], 10_000).any()


JUMP = """
plexus: 1
mesh: {type: box, cell: hexahedron, cells: [24, 12, 12], size: [0.2, 0.1, 0.1]}
physics:
  type: elasticity
  material: {young_modulus: "where(x < 0.1, 210e9, 0.1e6)", poisson_ratio: 0.3}
boundary: [{on: left, displacement: 0}, {on: right, traction: [0, 0, 1000]}]
quantities: {tip: {type: mean, of: displacement_z, on: right}}
"""


def test_a_default_that_fails_is_followed_by_others_and_not_tried_again(make_run, capfd):
    run = make_run(JUMP + "time: {stepper: quasistatic, end: 2 s, step: 1 s}\n")
    assert ended(run)["tip"] == pytest.approx(6.767e-3, rel=1e-3)
    assert run.system.solvers["displacement"].tally.fallbacks >= 2
    assert capfd.readouterr().out.count("taking fallback 1 (gamg with better estimates") == 1


@pytest.mark.parametrize("block", ["{preconditioner: gamg}", "{on_failure: error}"])
def test_what_the_deck_chooses_has_no_fallback(make_run, block):
    with pytest.raises(SolveError, match="DIVERGED"):
        make_run(JUMP, f"solver={{default: {block}}}").execute()
