"""Fields that jump where materials meet: values, histories and files of each side on its own."""

from __future__ import annotations

from pathlib import Path

import case_runs
import h5py
import numpy as np
import pytest

from plexus_post.cli import main

CASE = "10_stress_beside_interface"
STEEL, FOAM = 200e6, 2e6


def stored(folder: Path, name: str) -> tuple[np.ndarray, ...]:
    """Return points, cells as lists of points, and a field of the fields file."""
    with h5py.File(folder / "fields.vtkhdf") as file:
        grid = file["VTKHDF"]
        n = len(grid["Types"])
        points, links = grid["Points"][...], grid["Connectivity"][...]
        parts, counts = grid["NumberOfCells"][...], grid["NumberOfPoints"][...]
        # the links of a part count its own points
        shift = np.repeat(np.cumsum(counts) - counts, parts)
        return points, links.reshape(n, -1) + shift[:, None], grid["PointData"][name][...]


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_each_side_has_its_own_stress(ranks: int, tmp_path: Path) -> None:
    outcome = case_runs.run(CASE, tmp_path, ranks=ranks)
    found = outcome.quantities()
    assert found["in_foam"] == pytest.approx(FOAM, rel=1e-3)
    assert found["largest_in_foam"] == pytest.approx(FOAM, rel=1e-3)
    # on the interface the cell of the lowest number answers, on any ranks, and the run tells it
    assert found["at_interface"] == pytest.approx(STEEL, rel=1e-3)
    assert "deck.yaml:16:51: quantities.at_interface.at: materials meet" in outcome.said
    assert "output[1].points: materials meet at 1 of 2" in outcome.said
    points, cells, stress = stored(outcome.folder, "von_mises")
    middle = points[cells].mean(axis=1)[:, 0]
    right = np.where(middle < 0.5, STEEL, FOAM)
    assert stress[cells] == pytest.approx(np.broadcast_to(right[:, None], cells.shape), rel=1e-3)
    with h5py.File(outcome.folder / "series.h5") as file:
        row = file["probes/probe"]
        assert float(row["von_mises_0"][-1]) == pytest.approx(STEEL, rel=1e-3)
        assert float(row["von_mises_1"][-1]) == pytest.approx(FOAM, rel=1e-3)


@pytest.mark.parametrize("ranks", case_runs.RANKS)
@pytest.mark.parametrize("cell", ["triangle", "quadrilateral"])
def test_the_heat_flux_along_an_interface(cell: str, ranks: int, tmp_path: Path) -> None:
    # T = 300 + 100 y in both: the flux along y is -k 100
    given = (
        "physics={type: heat, degree: 1, material: {conductivity: {regions: {steel: 50, foam: 0.1}}}}",
        "boundary=[{on: [bottom, top], temperature: '300 + 100*y'}]",
        "quantities={steel: {type: value, of: heat_flux_y, at: [0.46, 0.21]}, "
        "foam: {type: value, of: heat_flux_y, at: [0.54, 0.21]}, "
        "sum: {type: value, of: 2*heat_flux_y, at: [0.54, 0.2]}}",
        "output=[{type: fields, fields: [temperature, heat_flux]}]", f"mesh.cell={cell}",
    )  # fmt: skip
    outcome = case_runs.run(CASE, tmp_path, *case_runs.changes(*given), ranks=ranks)
    found = outcome.quantities()
    assert found["steel"] == pytest.approx(-5000, rel=1e-6)
    assert found["foam"] == pytest.approx(-10, rel=1e-6) and found["sum"] == pytest.approx(-20, rel=1e-6)
    points, cells, temperature = stored(outcome.folder, "temperature")
    assert temperature == pytest.approx(300 + 100 * points[:, 1], rel=1e-9)
    flux = stored(outcome.folder, "heat_flux")[2]
    right = np.where(points[cells].mean(axis=1)[:, 0] < 0.5, -5000.0, -10.0)
    assert flux[cells][..., 1] == pytest.approx(np.broadcast_to(right[:, None], cells.shape), rel=1e-6)


def test_what_is_continuous_is_not_warned_of(tmp_path: Path) -> None:
    of = "quantities.at_interface.of=displacement_y + x"
    outcome = case_runs.run(CASE, tmp_path, "-s", of, "-s", "output=[]")
    assert "materials meet" not in outcome.said
    assert outcome.quantities()["at_interface"] == pytest.approx(0.5 + 2e-4, rel=1e-6)


def test_the_files_are_read_and_drawn(tmp_path: Path) -> None:
    outcome = case_runs.run(CASE, tmp_path, ranks=2)
    table, pictures = tmp_path / "probe.csv", tmp_path / "pictures"
    run = str(outcome.folder)
    assert main(["probe", run, "--point", "0.52,0.2", "--point", "0.48,0.2", "--csv", str(table)]) == 0
    rows = np.genfromtxt(table, delimiter=",", names=True)
    assert rows["von_mises_Pa"] == pytest.approx([FOAM, STEEL], rel=1e-3)
    assert main(["plot", run, "-o", str(pictures)]) == 0
    assert (pictures / "von_mises.png").stat().st_size > 1000


def test_one_material_is_averaged_as_ever(tmp_path: Path) -> None:
    outcome = case_runs.run(CASE, tmp_path, "-s", "physics.material.young_modulus=200 GPa")
    points = stored(outcome.folder, "von_mises")[0]
    # regions that no property tells apart split nothing: 21 x 9 nodes of degree 2
    assert len(points) == 189
