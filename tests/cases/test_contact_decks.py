"""Contacts as a person uses them: on files of Gmsh, on any ranks, through a restart; what is refused."""

from pathlib import Path

import case_runs
import h5py
import numpy as np
import pytest

from plexus.cli import main
from plexus_post.cli import main as post

WALL = """
plexus: 1
mesh:
  type: box
  cell: triangle
  cells: [8, 4]
  size: [2, 1]
  regions: {steel: x < 1, copper: x > 1}
physics:
  type: heat
  degree: 1
  material: {conductivity: {regions: {steel: 2, copper: 4}}, density: 1, specific_heat: 1}
boundary:
  - {on: left, temperature: 400 K}
  - {on: right, temperature: 300 K}
  - {on: steel|copper, contact: {resistance: 0.25 m^2 K/W}}
initial: {temperature: 300}
quantities:
  out_of_steel: {type: flux, of: heat_flux, on: {interface: steel|copper, from: steel}, by: terms}
  out_of_copper: {type: flux, of: heat_flux, on: {interface: steel|copper, from: copper}, by: terms}
  steel: {type: value, of: temperature, at: [0.9, 0.3]}
  copper: {type: value, of: temperature, at: [1.1, 0.3]}
  amount: {type: integral, of: temperature}
output:
  - {type: fields, every: end}
  - {type: checkpoint, every: 2 steps}
time: {stepper: bdf2, step: 0.02, end: 0.2}
"""


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_a_contact_on_a_named_interface_of_a_file(ranks: int, tmp_path: Path) -> None:
    side = "{interface: interface, from: heater}"
    found = case_runs.run(
        "03_interface_normal", tmp_path,
        *case_runs.changes(
            "boundary[1]={on: interface, contact: {conductance: 50}}",
            f"quantities.hottest={{type: mean, of: temperature, on: {side}}}",
            "quantities.matrix={type: mean, of: temperature, on: {interface: heater|matrix, from: matrix}}",
            f"quantities.over={{type: flux, of: heat_flux, on: {side}, by: terms}}",
            f"quantities.length={{type: integral, of: '1', on: {side}}}",
        ),
        ranks=ranks,
    ).quantities()  # fmt: skip
    # 1000 W/m leave the heater through the contact; the matrix does not notice it
    assert found["over"] == pytest.approx(1000, rel=1e-7)
    assert found["through_cold"] == pytest.approx(1000, rel=1e-3)
    assert found["matrix"] == pytest.approx(800, rel=1e-3)
    assert found["hottest"] - found["matrix"] == pytest.approx(1000 / 50 / found["length"], rel=1e-7)


def test_ranks_and_a_restart_change_nothing(tmp_path: Path) -> None:
    here = case_runs.written(tmp_path, WALL)
    exact = ("-s", "solver={default: {rtol: 1e-13}}")
    runs = {n: case_runs.ran(here, *exact, ranks=n, out=f"on_{n}").quantities() for n in (1, 3)}
    assert runs[3] == pytest.approx(runs[1], rel=1e-12)
    assert runs[1]["out_of_steel"] == pytest.approx(-runs[1]["out_of_copper"], rel=1e-12)
    case_runs.ran(here, *exact, "-s", "time.end=0.08", ranks=2, out="halfway").quantities()
    went_on = case_runs.ran(here, *exact, "--restart", "latest", ranks=3, out="halfway").quantities()
    assert went_on == pytest.approx(runs[1], rel=1e-12)
    with h5py.File(tmp_path / "on_3" / "fields.vtkhdf") as file:
        grid = file["VTKHDF"]
        x, value = grid["Points"][...], grid["PointData/temperature"][-len(grid["Points"]) :]
    on = np.abs(x[:, 0] - 1) < 1e-9
    # both sides of every place of the contact are there, and far apart
    for y in np.linspace(0, 1, 5):
        faces = value[on & (np.abs(x[:, 1] - y) < 1e-9)]
        assert np.ptp(faces) > 10


PLANE = "geometry: plane_strain"
REFUSED = [
    (
        "boundary[3]={on: {interface: steel|copper, from: steel}, temperature: 300}",
        "boundary[4].flux: has no effect, temperature is prescribed there by boundary[3]",
        "boundary[4]={on: {interface: steel|copper, from: steel}, flux: 3}",
    ),
    (
        "boundary[2]={on: {interface: steel|copper, from: copper}, temperature: 300}",
        "boundary[3].flux: has no effect, temperature is prescribed there by boundary[2]",
        "boundary[3]={on: {interface: steel|copper, from: steel}, flux: 3}",
    ),
    ("boundary[2]={on: exterior, contact: {resistance: 1}}", "24 of 24 facets have the body on one side"),
    ("boundary[3]={on: copper|steel, contact: {conductance: 1}}", "have the contact of boundary[2] already"),
    ("boundary[3]={on: copper|steel, temperature: 300}", "has no effect, temperature is prescribed"),
    ("boundary[3]={on: copper|steel, flux: 3}", "{interface: copper|steel, from: copper} (or steel)"),
    ("boundary[2].on=steel|steel", "no facet is there"),
    (
        "boundary=[{on: steel|copper, contact: {resistance: 1}}]", "facets are periodic",
        "mesh.periodic=[x]", "mesh.cells=[9, 3]",
    ),
    (
        f"physics={{type: thermoelasticity, {PLANE}, material: {{conductivity: 1, young_modulus: 1, "
        "poisson_ratio: 0.3, expansion: {coefficient: 1e-6}, density: 1, specific_heat: 1}}",
        "so that displacement would be torn apart there, too; mesh the contact as a layer",
    ),
    (
        f"physics={{type: elasticity, {PLANE}, material: {{young_modulus: 1, poisson_ratio: 0.3}}}}",
        "this physics does not accept the boundary term",
    ),
    (
        "physics={type: advection_diffusion, diffusivity: 1, velocity: [1, 0]}",
        "on: a grid has outer sides only", "mesh.cell=quadrilateral", "time.stepper=ssp_rk",
        "initial={concentration: 1}", "boundary=[{on: steel|copper, flux: 1}]", "quantities={}",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[1])
def test_check_refuses(case: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    here = case_runs.written(tmp_path, WALL)
    change, words, *more = case
    assert main(["check", str(here / "deck.yaml"), *case_runs.changes(change, *more)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


AT_CONTACT = [
    ("quantities.there={type: value, of: temperature, at: [1, 0.3]}", "quantities.there"),
    ("output=[{type: probe, line: {start: [0, 0.5], end: [2, 0.5], points: 5}}]", "output[0]"),
]


@pytest.mark.parametrize("change, at", AT_CONTACT, ids=("value", "probe"))
def test_a_position_on_the_contact_has_two_values(
    change: str, at: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    here = case_runs.written(tmp_path, WALL)
    assert main(["check", str(here / "deck.yaml"), *case_runs.changes(change)]) == 2
    said = capsys.readouterr().err
    assert at in said and "lies on a contact" in said
    case_runs.ran(here, *case_runs.changes(change), ranks=2).refused("lies on a contact")


def test_sampled_files_tell_both_sides_of_the_contact(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    here = case_runs.written(tmp_path, WALL)
    steady = case_runs.changes("time=null", "initial={}", "output=[{type: fields}]", "quantities={}")
    case_runs.ran(here, *steady, out="out").quantities()
    for x, told in (("1", True), ("0.9", False)):
        assert post(["probe", str(tmp_path / "out"), "--point", f"{x},0.3"]) == 0
        # 400 to 300 K over 1/2, 1/4 and 1/4 m² K/W
        assert ("(1, 0.3), 325 and 350" in capsys.readouterr().err) is told


def test_a_position_on_the_contact_holds_nothing(tmp_path: Path) -> None:
    here = case_runs.written(tmp_path, WALL)
    case_runs.ran(here, *case_runs.changes("boundary[0]={at: [1, 0.5], temperature: 300}")).refused(
        "boundary[0].at: (1, 0.5) lies on a contact"
    )


def test_a_cut_that_no_node_can_follow_is_told(tmp_path: Path) -> None:
    # two blocks of one cell inside the body: both ends of their common facet lie inside
    blocks = {
        "steel": "(abs(x - 0.875) < 0.1) * (abs(y - 0.375) < 0.1)",
        "copper": "(abs(x - 1.125) < 0.1) * (abs(y - 0.375) < 0.1)",
    }
    named = "{" + ", ".join(f"{k}: {v}" for k, v in blocks.items()) + "}"
    change = case_runs.changes(
        "mesh.cell=quadrilateral", f"mesh.regions={named}", "physics.material.conductivity=1", "quantities={}"
    )
    here = case_runs.written(tmp_path, WALL)
    said = {n: case_runs.ran(here, *change, ranks=n, out=f"on_{n}").said for n in (1, 2)}
    for text in said.values():
        assert "boundary[2].contact: on 1 of 1 facets nothing can jump" in text
    # at degree 2 the node between them is split
    assert "nothing can jump" not in case_runs.ran(here, *change, "-s", "physics.degree=2", out="two").said


def test_two_blocks_begin_with_values_of_their_own(tmp_path: Path) -> None:
    here = case_runs.written(tmp_path, WALL)
    change = case_runs.changes(
        "initial.temperature=where(x < 1, 300, 400)", "time={stepper: theta, step: 1e-9, end: 1e-9}",
        "output=[]",
        "boundary=[{on: steel|copper, contact: {resistance: 0.25}}]",
        "quantities={steel: {type: mean, of: temperature, region: steel}}",
    )  # fmt: skip
    assert case_runs.ran(here, *change, ranks=2).quantities()["steel"] == pytest.approx(300, abs=1e-6)


def test_doubled_vertices_are_no_contact(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    here = case_runs.copied("04_unconnected_parts", tmp_path)
    for on in ("A|B", "exterior"):
        change = case_runs.changes(f"boundary[1]={{on: {on}, contact: {{resistance: 1}}}}")
        assert main(["check", str(here / "deck.yaml"), *change]) == 2
        assert "of their vertices lie where others lie, so that the mesh is cut" in capsys.readouterr().err
    held = case_runs.changes("boundary[1]={on: right, temperature: 300}", "quantities={}")
    outcome = case_runs.ran(here, *held, ranks=2)
    outcome.quantities()
    assert "vertices lie where another one lies, the first at (" in outcome.said
