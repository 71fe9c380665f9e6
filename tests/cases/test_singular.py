"""Bodies that nothing holds, or hardly, and solvers that find them: the right value or a refusal."""

import math

import pytest
from case_runs import RANKS, checked, copied, ran, run, written

CYCLIC_HEAT = """
plexus: 1
mesh: {type: gmsh, file: mesh.msh, periodic: true}
physics: {type: heat, degree: 2, source: 1e3, material: {conductivity: 10}}
boundary: [{on: outer, temperature: 300}]
quantities: {inner: {type: mean, of: temperature, on: inner}}
"""


@pytest.mark.parametrize("ranks", RANKS)
def test_a_part_that_nothing_holds_is_refused_and_named(tmp_path, ranks):
    outcome = run("04_unconnected_parts", tmp_path, ranks=ranks)
    assert outcome.code == 3, outcome.said
    assert "Traceback" not in outcome.said
    for words in (
        "deck.yaml:",
        "do not balance",
        "x = 1 to 2 m, y = 0 to 1 m (42 cells, region B)",
        "2 parts",
    ):
        assert words in outcome.said, outcome.said


@pytest.mark.parametrize("ranks", RANKS)
def test_weak_convection_fixes_the_level(tmp_path, ranks):
    outcome = run("06_weak_convection", tmp_path, ranks=ranks)
    assert outcome.quantities()["top"] == pytest.approx(350, rel=1e-6)


@pytest.mark.parametrize("ranks", RANKS)
def test_a_jump_of_stiffness_is_solved_by_default(tmp_path, ranks):
    outcome = run("21_stiffness_jump", tmp_path, ranks=ranks)
    assert outcome.quantities()["tip"] == pytest.approx(6.767e-3, rel=1e-3)


@pytest.mark.parametrize("ranks", RANKS)
def test_vectors_on_sides_that_are_periodic_by_a_rotation_are_refused(tmp_path, ranks):
    outcome = run("05_cyclic_sector", tmp_path, ranks=ranks)
    outcome.refused("deck.yaml:4:", "by a rotation", "displacement", "mesh the whole ring")


@pytest.mark.parametrize("ranks", RANKS)
def test_scalars_on_sides_that_are_periodic_by_a_rotation_are_right(tmp_path, ranks):
    here = copied("05_cyclic_sector", tmp_path)
    inner = ran(written(here, CYCLIC_HEAT), ranks=ranks).quantities()["inner"]
    # T(1) - T(2) = s/(4k) (2² - 1²) - s/(2k) ln 2; the mesh has chords instead of arcs
    assert inner - 300 == pytest.approx(75 - 50 * math.log(2), rel=6e-3)
    flux = ran(here, "-s", "output=[{type: fields, fields: [heat_flux]}]", out="flux")
    assert flux.code == 2, flux.said
    assert "heat_flux has two directions" in flux.said


SECTOR = """
plexus: 1
mesh:
  type: box
  cell: quadrilateral
  degree: 2
  cells: [6, 4]
  size: [1, 1]
  map: ["(1 + x)*cos(y*pi/6)", "(1 + x)*sin(y*pi/6)"]
physics:
  type: elasticity
  degree: 2
  geometry: plane_stress
  temperature: 393.15
  material: {young_modulus: 200 GPa, poisson_ratio: 0.3, expansion: {coefficient: 1.2e-5}}
boundary: [{on: [bottom, top], normal: 0}]
quantities:
  largest_von_mises: {type: maximum, of: von_mises}
  widening: {type: mean, of: "(displacement_x*x + displacement_y*y)/sqrt(x*x + y*y)", on: right}
"""


def test_a_sector_between_symmetry_planes_widens_without_stress(tmp_path):
    """What the refusal of rotational periodicity advises."""
    found = ran(written(tmp_path, SECTOR)).quantities()
    assert found["widening"] == pytest.approx(1.2e-5 * 100 * 2, rel=1e-5)
    assert found["largest_von_mises"] < 1.0


def test_a_periodic_box_that_is_mapped_to_a_sector_is_refused(tmp_path):
    text = SECTOR.replace("  size: [1, 1]\n", "  size: [1, 1]\n  periodic: [y]\n")
    here = written(tmp_path, text.replace("boundary: [{on: [bottom, top], normal: 0}]\n", ""))
    for found in (checked(here), ran(here)):
        assert found.code == 2, found.said
        assert "deck.yaml:" in found.said
        assert "by a rotation" in found.said and "good" not in found.said


def test_expansion_without_a_temperature_is_refused(tmp_path):
    found = checked(written(tmp_path, SECTOR.replace("  temperature: 393.15\n", "")))
    assert found.code == 2, found.said
    assert "expansion of the material needs the body's temperature" in found.said
