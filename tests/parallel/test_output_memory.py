"""Internal variables in field files: the same on 1, 2, 3 ranks, readable by VTK, continued by a restart."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from io_jobs import plexus, summary

DECK = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [5, 4], size: [20 mm, 20 mm]}
physics:
  type: cure
  material: {conductivity: 0.2, density: 1200, specific_heat: 1200}
  heat_of_reaction: 300 kJ/kg
  kinetics: {factors: [1e4 1/s, 1e6 1/s], energies: [60 kJ/mol, 60 kJ/mol], m: 0.8, n: 1.5}
boundary: [{on: left, temperature: 400}]
initial: {temperature: 380 + 1000*y}
solver: {temperature: {ksp: preonly, preconditioner: lu, snes_rtol: 1e-13}}
time: {stepper: theta, end: 8 s, step: 2 s}
quantities:
  integral: {type: integral, of: degree_of_cure}
  mean: {type: mean, of: degree_of_cure}
  largest: {type: maximum, of: degree_of_cure}
  value: {type: value, of: degree_of_cure, at: [7 mm, 3 mm]}
output:
  - {type: fields, every: 1 steps, fields: [degree_of_cure, temperature]}
  - {type: fields, every: 1 steps, name: nodal, internal: nodes, fields: [degree_of_cure]}
  - {type: fields, every: 1 steps, name: raw, internal: points, fields: [degree_of_cure, temperature]}
  - {type: checkpoint, every: 2 steps, keep: 9}
"""
GROUPS = {
    "fields": ("VTKHDF/CellData", "VTKHDF/Steps/CellDataOffsets", "cell_ids", 1),
    "nodal": ("VTKHDF/PointData", "VTKHDF/Steps/PointDataOffsets", "node_ids", 1),
    "raw": ("plexus/QuadratureData", "plexus/QuadratureDataOffsets", "cell_ids", 3),
}


def shown(folder: Path, name: str, step: int) -> np.ndarray:
    """Return the degrees of cure of one output by the names of cells or nodes, (n, values of each)."""
    data, offsets, ids, per = GROUPS[name]
    with h5py.File(folder / f"{name}.vtkhdf") as file:
        steps = file["VTKHDF/Steps"]
        part, parts = steps["PartOffsets"][step], steps["NumberOfParts"][step]
        kind = "Cells" if ids == "cell_ids" else "Points"
        first = steps["CellOffsets"][step, 0] if kind == "Cells" else steps["PointOffsets"][step]
        n, row = (
            file[f"VTKHDF/NumberOf{kind}"][part : part + parts].sum(),
            file[offsets]["degree_of_cure"][step],
        )
        values = file[data]["degree_of_cure"][row : row + n * per].reshape(n, per)
        _, order = np.unique(file[f"plexus/{ids}"][first : first + n], return_index=True)
        return values[order]


@pytest.fixture(scope="module")
def runs(tmp_path_factory, parallel_factorisation):
    """The folder of runs on 1, 2 and 3 ranks."""
    folder = tmp_path_factory.mktemp("memory")
    for ranks in (1, 2, 3):
        code, err = plexus(folder, DECK, "-o", str(ranks), ranks=ranks)
        assert code == 0, err
    return folder


@pytest.mark.parametrize("name", GROUPS)
def test_files_do_not_depend_on_the_ranks(runs, name):
    for step in range(5):
        one = shown(runs / "1", name, step)
        assert one.shape == ((40, GROUPS[name][3]) if name != "nodal" else (30, 1))
        assert step == 0 or np.ptp(one) > 1e-4
        for ranks in ("2", "3"):
            np.testing.assert_allclose(shown(runs / ranks, name, step), one, rtol=1e-10)


def test_means_and_quantities_are_those_of_the_points(runs):
    raw, area = shown(runs / "2", "raw", 4), 4e-4 / 40
    # a triangle's three points have a third of its area each
    np.testing.assert_allclose(shown(runs / "2", "fields", 4)[:, 0], raw.mean(axis=1), rtol=1e-12)
    found = [summary(runs / ranks)["quantities"] for ranks in "123"]
    assert found[1]["integral"] == pytest.approx(area * raw.mean(axis=1).sum(), rel=1e-12)
    assert found[1]["mean"] == pytest.approx(raw.mean(), rel=1e-12)
    assert found[1]["largest"] == pytest.approx(raw.max(), rel=1e-12)
    nodal = shown(runs / "2", "nodal", 4)
    assert nodal.min() < found[1]["value"] < nodal.max()
    for other in found[1:]:
        assert other == pytest.approx(found[0], rel=1e-10)


@pytest.mark.parametrize("name", GROUPS)
def test_a_restart_on_other_ranks_continues_the_file(runs, name, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    middle = sorted((runs / "1").glob("checkpoint_*.h5"))[0]
    for file in (middle.name, "series.h5", *(f"{n}.vtkhdf" for n in GROUPS)):
        (half / file).write_bytes((runs / "1" / file).read_bytes())
    code, err = plexus(tmp_path, DECK, "-o", "half", "--restart", "latest", ranks=2)
    assert code == 0, err
    for step in range(5):
        np.testing.assert_allclose(shown(half, name, step), shown(runs / "1", name, step), rtol=1e-10)


def test_vtk_opens_the_files(runs):
    pyvista = pytest.importorskip("pyvista")
    import vtk

    for name, has in (("fields", True), ("nodal", True), ("raw", False)):
        reader = vtk.vtkHDFReader()
        reader.SetFileName(str(runs / "2" / f"{name}.vtkhdf"))
        reader.Update()
        data = reader.GetOutputDataObject(0)
        grids = [pyvista.wrap(data.GetPartition(i)) for i in range(data.GetNumberOfPartitions())]
        assert sum(g.n_cells for g in grids) == 40
        for grid in grids:
            held = {"fields": grid.cell_data, "nodal": grid.point_data}.get(name, {})
            assert ("degree_of_cure" in held) == has
            assert name == "nodal" or "temperature" in grid.point_data
    xdmf = (runs / "2" / "raw.xdmf").read_text()
    assert "temperature" in xdmf and "degree_of_cure" not in xdmf
