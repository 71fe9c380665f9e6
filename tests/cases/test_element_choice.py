"""Degree of the elements, strains of temperature that they can follow, and volumes that lock."""

from __future__ import annotations

from pathlib import Path

import case_runs
import pytest

SECOND = "09_second_order_mesh_degree_1"
HEATED = "13_thermal_strain_degree_1"
LOCKED = "17_locking"
CURVED = "elements of degree 1 cannot follow the curved cells"
STIFF = "far too stiff in bending"
NEAR = "warning: deck.yaml:9:100: physics.material.poisson_ratio: elements lock near 0.5"


def both(case: str, folder: Path, *texts: str) -> tuple[str, case_runs.Outcome]:
    """Return what check says and the run's outcome; both warn alike."""
    checked = case_runs.check(case, folder, *case_runs.changes(*texts)).said
    outcome = case_runs.run(case, folder, *case_runs.changes(*texts))
    warnings = [line for line in checked.splitlines() if line.startswith("warning: ")]
    assert warnings == [line for line in outcome.said.splitlines() if line.startswith("warning: ")]
    assert checked.splitlines()[-1].startswith("deck.yaml: good")
    return checked, outcome


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_the_degree_is_that_of_the_mesh(ranks: int, tmp_path: Path) -> None:
    # E α ΔT is 240 MPa
    outcome = case_runs.run(SECOND, tmp_path, ranks=ranks)
    assert outcome.quantities()["largest_von_mises"] < 1e3
    assert "warning" not in outcome.said


def test_a_lower_degree_than_the_mesh_is_told(tmp_path: Path) -> None:
    said, outcome = both(SECOND, tmp_path, "physics.degree=1")
    assert CURVED in said and STIFF in said
    assert outcome.quantities()["largest_von_mises"] > 1e6


def test_a_curved_box_chooses_as_well(tmp_path: Path) -> None:
    heat = "physics={type: heat, material: {conductivity: 1}, source: 1}"
    ring = (
        "mesh={type: box, cell: quadrilateral, cells: [2, 2], degree: 2, map: [(1+x)*cos(y), (1+x)*sin(y)]}"
    )
    rest = "boundary=[{on: left, temperature: 300}]", "quantities={}"
    said, outcome = both(HEATED, tmp_path, heat, ring, *rest)
    assert "warning" not in said and "temperature (25)" in outcome.said
    said, outcome = both(HEATED, tmp_path, heat, ring, *rest, "physics.degree=1")
    assert CURVED in said and "temperature (9)" in outcome.said


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_a_free_plate_with_a_linear_temperature_has_no_stress(ranks: int, tmp_path: Path) -> None:
    found = case_runs.run(HEATED, tmp_path, ranks=ranks).quantities()
    assert found["largest"] < 1e3 and found["mean"] < 1e3


@pytest.mark.parametrize("cell", ["quadrilateral", "tetrahedron", "hexahedron"])
def test_neither_on_other_cells(cell: str, tmp_path: Path) -> None:
    mesh = f"mesh={{type: box, cell: {cell}, cells: [4, 2], size: [1, 0.5]}}"
    solid = (mesh.replace("[4, 2]", "[4, 2, 2]").replace("0.5]", "0.5, 0.5]"), "physics.geometry=solid")
    given = (mesh,) if cell == "quadrilateral" else solid
    found = case_runs.run(HEATED, tmp_path, *case_runs.changes(*given)).quantities()
    assert found["largest"] < 1e3


def test_degree_1_is_told_and_sees_the_mean_temperature(tmp_path: Path) -> None:
    said, outcome = both(HEATED, tmp_path, "physics.degree=1")
    assert STIFF in said
    # the strain of a cell is constant, and so is its stress: it is no larger at nodes than in the mean by far
    found = outcome.quantities()
    assert found["largest"] < 1.5 * found["mean"]
    said, outcome = both(HEATED, tmp_path, "physics.degree=1", "mesh.cell=quadrilateral")
    assert STIFF not in said and "a temperature that varies within a cell" in said


def test_a_bar_at_degree_1_has_no_stress(tmp_path: Path) -> None:
    given = "mesh={type: interval, cells: 5}", "physics.geometry=bar", "physics.degree=1"
    found = case_runs.run(HEATED, tmp_path, *case_runs.changes(*given)).quantities()
    assert found["largest"] < 1e3


def test_constant_temperature_keeps_degree_1(tmp_path: Path) -> None:
    given = (
        "physics={type: elasticity, geometry: plane_stress, temperature: 393.15, material: "
        "{young_modulus: 200 GPa, poisson_ratio: 0.3, expansion: {coefficient: 1.2e-5}}}",
        "boundary=[{on: left, displacement_x: 0}]",
        "mesh.cell=quadrilateral",
    )
    said, outcome = both(HEATED, tmp_path, *given)
    assert "warning" not in said and "displacement (132)" in outcome.said
    assert outcome.quantities()["largest"] < 1e3


@pytest.mark.parametrize(
    ("cell", "degree", "ranks"),
    [
        ("quadrilateral", 1, 1),
        ("quadrilateral", 2, 1),
        ("quadrilateral", 2, 2),
        ("triangle", 2, 1),
    ],
)
def test_the_cure_of_locking(cell: str, degree: int, ranks: int, tmp_path: Path) -> None:
    given = "physics.locking=b_bar", f"mesh.cell={cell}", f"mesh.degree={degree}"
    given = (*given, "mesh.refine=2") if degree == 1 else given
    outcome = case_runs.run(LOCKED, tmp_path, *case_runs.changes(*given), ranks=ranks)
    assert "lock near" not in outcome.said
    found = outcome.quantities()
    assert found["widening"] == pytest.approx(2e-3, rel=1e-3)
    # (p b² + p a²)/(b² - a²) is taken at nodes, where degree 1 is of first order
    assert found["largest"] == pytest.approx(5 / 3, rel=1e-3 if degree == 2 else 6e-3)


def test_locking_is_told_without_it(tmp_path: Path) -> None:
    said, outcome = both(LOCKED, tmp_path)
    assert NEAR in said and "locking: b_bar" in said
    assert outcome.quantities()["widening"] < 1.1e-3


@pytest.mark.parametrize(
    "nu", ["0.5 - 0.0001*exp(-x)", "{regions: {all: 0.4995}}", "{table: [[0, 0.3], [1000, 0.4999]]}"]
)
def test_every_form_of_a_ratio_is_told(nu: str, tmp_path: Path) -> None:
    given = "mesh.regions={all: 'x > -9'}", f"physics.material.poisson_ratio={nu}", "physics.temperature=900"
    outcome = case_runs.run(LOCKED, tmp_path, *case_runs.changes(*given))
    assert outcome.code == 0 and "lock near 0.5" in outcome.said, outcome.said


@pytest.mark.parametrize("geometry", ["axisymmetric", "solid"])
def test_other_geometries_lock_and_are_cured(geometry: str, tmp_path: Path) -> None:
    # a thick sphere under pressure: u_r(a) = p a³/(b³ - a³) ((1 - 2ν) a/E + (1 + ν) b³/(2 E a²))
    nu, e = 0.4999, 1000.0
    exact = 1 / 7 * ((1 - 2 * nu) / e + (1 + nu) * 8 / (2 * e))
    if geometry == "axisymmetric":
        mesh = "mesh={type: box, cell: quadrilateral, cells: [8, 12], degree: 2, "
        mesh += "map: ['(1+x)*cos(pi*y/2)', '(1+x)*sin(pi*y/2)']}"
        rest = (
            "physics.geometry=axisymmetric",
            "boundary=[{on: bottom, displacement_y: 0}, {on: left, pressure: 1}]",
        )
        widening = "(displacement_x*x + displacement_y*y)/sqrt(x*x + y*y)"
    else:
        # an eighth of the sphere's cone around (1, 1, 1): sides between radial planes are symmetric
        mesh = (
            "mesh={type: box, cell: hexahedron, cells: [4, 3, 3], degree: 2, map: ["
            "'(1+x)/sqrt(1 + tan(pi*(2*y-1)/4)^2 + tan(pi*(2*z-1)/4)^2)', "
            "'(1+x)*tan(pi*(2*y-1)/4)/sqrt(1 + tan(pi*(2*y-1)/4)^2 + tan(pi*(2*z-1)/4)^2)', "
            "'(1+x)*tan(pi*(2*z-1)/4)/sqrt(1 + tan(pi*(2*y-1)/4)^2 + tan(pi*(2*z-1)/4)^2)']}"
        )
        k = f"{1 / 7 * 8 * (1 + nu) / 2 / e!r}/(x*x+y*y+z*z)^1.5 + {1 / 7 * (1 - 2 * nu) / e!r}"
        held = f"displacement: ['x*({k})', 'y*({k})', 'z*({k})']"
        sides = "[bottom, top, back, front]"
        rest = ("physics.geometry=solid", f"boundary=[{{on: {sides}, {held}}}, {{on: left, pressure: 1}}]")
        widening = "(displacement_x*x + displacement_y*y + displacement_z*z)/sqrt(x*x + y*y + z*z)"
    quantity = f"quantities={{widening: {{type: mean, of: '{widening}', on: left}}}}"
    outcome = case_runs.run(
        LOCKED, tmp_path, *case_runs.changes(mesh, *rest, quantity, "physics.locking=b_bar")
    )
    assert outcome.quantities()["widening"] == pytest.approx(exact, rel=1e-3)


def test_plane_stress_does_not_lock(tmp_path: Path) -> None:
    said, _ = both(LOCKED, tmp_path, "physics.geometry=plane_stress")
    assert "lock" not in said
    refused = case_runs.check(
        LOCKED, tmp_path, *case_runs.changes("physics.geometry=plane_stress", "physics.locking=b_bar")
    )
    refused.refused("physics", "does not lock")


def test_a_cure_without_effect_is_refused(tmp_path: Path) -> None:
    given = case_runs.changes("mesh.cell=triangle", "physics.locking=b_bar")
    for outcome in (case_runs.check(LOCKED, tmp_path, *given), case_runs.run(LOCKED, tmp_path, *given)):
        outcome.refused("command line:2:17", "physics.locking", "use degree: 2")
