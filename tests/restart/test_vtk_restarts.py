"""Field files of runs that went on with other ranks: what is in them, and what VTK shows of every step.

``PLEXUS_VTK`` lists Pythons, separated by ``:``, whose vtk reads the files (default: the one of the tests,
where it has vtk).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "parallel"))
from io_jobs import plexus

READER = Path(__file__).with_name("vtk_reads.py")
PYTHONS = [p for p in os.environ.get("PLEXUS_VTK", sys.executable).split(":") if p]
CURE = """\
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [6, 3], size: [15 mm, 5 mm]}
physics:
  type: cure
  material: {density: 1900 kg/m^3, specific_heat: 1250 J/(kg K), conductivity: 0.22 W/(m K)}
  heat_of_reaction: 77.5 kJ/kg
  kinetics: {factors: [0, 6.2e20 1/s], energies: [0, 167 kJ/mol], m: 0.52, n: 1.48}
boundary: [{on: left, temperature: 375}]
initial: {temperature: "365 + 1000*y"}
time: {stepper: theta, end: 60 s, step: 10 s}
output:
  - {type: fields, every: 1 steps, fields: [temperature, degree_of_cure, heat_flux]}
  - {type: fields, name: points, every: 1 steps, fields: [temperature, degree_of_cure], internal: points}
  - {type: checkpoint, every: 1 steps}
"""
RANKS = {"1-2": (1, 2), "2-1": (2, 1), "1-3": (1, 3), "2-1-3": (2, 1, 3)}
"""Ranks of the run and of its restarts, each of which takes two steps more."""
STEPS = 6


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Make run folders, each once: ranks of the run and its restarts -> folder."""
    made = {}

    def go_on(here, n, end, *again):
        code, err = plexus(here, CURE, "-o", "out", "-s", f"time.end={end} s", *again, ranks=n)
        assert code == 0, err

    def folder(ranks):
        if ranks not in made:
            here = tmp_path_factory.mktemp("ranks_" + "_".join(map(str, ranks)))
            if earlier := ranks[:-1]:
                shutil.copytree(folder(earlier), here / "out")
            again = ("--restart", "latest") if earlier else ()
            go_on(here, ranks[-1], 20 * len(ranks), *again)
            made[ranks] = here / "out"
        return made[ranks]

    def whole():
        if "whole" not in made:
            here = tmp_path_factory.mktemp("whole")
            go_on(here, 1, 10 * STEPS)
            made["whole"] = here / "out"
        return made["whole"]

    folder.whole = whole
    return folder


def ordered(places, arrays):
    """Return places without repetition in one order, and the values there; repeated places must agree."""
    _, first, again = np.unique(np.rint(places * 1e9), axis=0, return_index=True, return_inverse=True)
    for array in arrays.values():
        np.testing.assert_allclose(array, array[first][again.ravel()], rtol=1e-9, atol=1e-9)
    return places[first], {name: array[first] for name, array in arrays.items()}


def compare(found, expected):
    np.testing.assert_allclose(found[0], expected[0], atol=1e-12)
    assert found[1].keys() == expected[1].keys()
    for name, array in expected[1].items():
        np.testing.assert_allclose(found[1][name], array, rtol=1e-5, atol=1e-3, err_msg=name)


def truth(path):
    """Yield what a file of one rank without a restart holds at each step: of nodes, and of cells."""
    with h5py.File(path) as file:
        vtk = file["VTKHDF"]
        points, links = vtk["Points"][:], vtk["Connectivity"][:].reshape(len(vtk["Types"]), -1)
        for step in range(vtk["Steps"].attrs["NSteps"]):
            node, cell = (
                {n: a[step * rows :][:rows] for n, a in vtk.get(group, {}).items()}
                for group, rows in (("PointData", len(points)), ("CellData", len(links)))
            )
            yield ordered(points, node), ordered(points[links].mean(axis=1), cell)


@pytest.mark.parametrize("ranks", RANKS.values(), ids=RANKS)
def test_every_step_has_as_many_parts(ranks, folders):
    for name in ("fields", "points"):
        with h5py.File(folders(ranks) / f"{name}.vtkhdf") as file:
            vtk, meta = file["VTKHDF"], file["plexus"]
            steps = vtk["Steps"]
            assert set(steps["NumberOfParts"][:]) == {max(ranks)}
            assert steps.attrs["NSteps"] == 2 * len(ranks) + 1
            counts = {n: vtk[n][:] for n in ("NumberOfPoints", "NumberOfCells", "NumberOfConnectivityIds")}
            # every grid has all cells, in the parts of those who wrote it; the other parts are empty
            starts = sorted(set(steps["PartOffsets"][:]))
            assert starts == [max(ranks) * i for i in range(len(ranks))]
            for start, used in zip(starts, ranks, strict=True):
                of = counts["NumberOfCells"][start:][: max(ranks)]
                assert of[:used].min() > 0 and of[used:].sum() == 0 and of.sum() == 18
            offsets = np.split(vtk["Offsets"][:], np.cumsum(counts["NumberOfCells"] + 1))[:-1]
            for part, cells, links in zip(offsets, *list(counts.values())[1:], strict=True):
                assert part.tolist() == [4 * i for i in range(cells + 1)] and part[-1] == links
            points = counts["NumberOfPoints"].sum()
            assert len(vtk["Points"]) == len(meta["node_ids"]) == points
            for i, start in enumerate(starts):
                rows = slice(18 * i, 18 * (i + 1))
                assert sorted(meta["cell_ids"][rows]) == list(range(18))
                first = steps["PointOffsets"][:][steps["PartOffsets"][:] == start]
                assert set(first) == {counts["NumberOfPoints"][:start].sum()}


@pytest.mark.parametrize("ranks", RANKS.values(), ids=RANKS)
def test_quadrature_data_follow_their_cells(ranks, folders):
    def stored(folder):
        with h5py.File(folder / "points.vtkhdf") as file:
            data, cells = file["plexus/QuadratureData/degree_of_cure"], file["plexus/cell_ids"]
            steps = file["VTKHDF/Steps"].attrs["NSteps"]
            per_cell = len(data) // (18 * steps)
            for step in range(steps):
                row = file["plexus/QuadratureDataOffsets/degree_of_cure"][step]
                cell = file["VTKHDF/Steps/CellOffsets"][step, 0]
                order = np.argsort(cells[cell : cell + 18])
                yield data[row : row + 18 * per_cell].reshape(18, per_cell)[order]

    whole, found = list(stored(folders.whole())), list(stored(folders(ranks)))
    assert np.ptp(whole[-1]) > 1e-3 and len(found) == 2 * len(ranks) + 1
    for values, expected in zip(found, whole, strict=False):
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("python", PYTHONS, ids=lambda p: Path(p).parent.parent.name)
@pytest.mark.parametrize("ranks", RANKS.values(), ids=RANKS)
def test_vtk_shows_all_points_cells_and_values_at_every_step(ranks, python, folders, tmp_path):
    command = [python, "-c", "import vtk; print(vtk.vtkVersion().GetVTKVersion())"]
    version = subprocess.run(command, capture_output=True, text=True)
    if version.returncode:
        pytest.skip("this Python has no vtk")
    for name in ("fields", "points"):
        file = str(folders(ranks) / f"{name}.vtkhdf")
        subprocess.run([python, str(READER), file, "seen.npz"], cwd=tmp_path, check=True)
        expected = list(truth(folders.whole() / f"{name}.vtkhdf"))
        with np.load(tmp_path / "seen.npz") as seen:
            np.testing.assert_allclose(
                seen["times"], np.arange(2 * len(ranks) + 1) * 10.0, err_msg=version.stdout
            )
            for number, step in enumerate(seen["visits"]):
                here = {n.partition("/")[2]: seen[n] for n in seen.files if n.startswith(f"{number}/")}
                for i, (place, data) in enumerate((("points", "node/"), ("centres", "cell/"))):
                    arrays = {n.removeprefix(data): a for n, a in here.items() if n.startswith(data)}
                    compare(ordered(here[place], arrays), expected[step][i])
