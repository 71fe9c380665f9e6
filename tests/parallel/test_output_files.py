"""What VTK reads back of a transient run on two ranks, from fields.vtkhdf and from fields.xdmf."""

import numpy as np
import pytest
from io_jobs import linear, plexus

pyvista = pytest.importorskip("pyvista")
CASES = {
    "line": ("5", 3, 21),
    "triangle": ("[4, 3]", 5, 22),
    "quadrilateral": ("[4, 3]", 9, 28),
    "tetrahedron": ("[2, 3, 2]", 10, 24),
    "hexahedron": ("[2, 3, 2]", 12, 29),
}
TIMES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def steps(reader):
    """Yield (time, list of grids) of all time steps of a VTK reader."""
    import vtk

    reader.UpdateInformation()
    for t in reader.GetOutputInformation(0).Get(vtk.vtkStreamingDemandDrivenPipeline.TIME_STEPS()):
        reader.UpdateTimeStep(t)
        data = reader.GetOutputDataObject(0)
        if isinstance(data, vtk.vtkPartitionedDataSet):
            yield t, [pyvista.wrap(data.GetPartition(i)) for i in range(data.GetNumberOfPartitions())]
        elif isinstance(data, vtk.vtkMultiBlockDataSet):
            yield t, [pyvista.wrap(data.GetBlock(i)) for i in range(data.GetNumberOfBlocks())]
        else:
            yield t, [pyvista.wrap(data)]


def check(grids, t, kind):
    x = np.vstack([g.points for g in grids])
    temperature = np.concatenate([g["temperature"] for g in grids])
    flux = np.vstack([g["heat_flux"] for g in grids])
    assert {int(k) for g in grids for k in g.celltypes} == {kind}
    np.testing.assert_allclose(temperature, x[:, 0] + 2 * x[:, 1] + t, atol=1e-10)
    slope = [-2.0, -4.0 if kind not in (3, 4, 21) else 0.0, 0.0]
    np.testing.assert_allclose(flux, np.tile(slope, (len(x), 1)), atol=1e-8)
    sizes = [g.compute_cell_sizes() for g in grids]
    measure = sum(s["Length"].sum() + s["Area"].sum() + s["Volume"].sum() for s in sizes)
    assert measure == pytest.approx(1.0, rel=1e-6)
    for g in grids:  # the value in the middle of a cell shows a wrong order of nodes
        centres = g.cell_centers().points
        middle = pyvista.PolyData(centres).sample(g)["temperature"]
        np.testing.assert_allclose(middle, centres[:, 0] + 2 * centres[:, 1] + t, atol=1e-6)


@pytest.mark.parametrize("cell", CASES)
def test_vtk_reads_all_steps_fields_and_values(cell, tmp_path):
    import vtk

    cells, *kinds = CASES[cell]
    for degree in (2,) if cell in ("triangle", "tetrahedron") else (1, 2):
        code, err = plexus(tmp_path, linear(cell, cells, degree), "-o", f"out{degree}", ranks=2)
        assert code == 0, err
        folder = tmp_path / f"out{degree}"
        vtkhdf = vtk.vtkHDFReader()
        vtkhdf.SetFileName(str(folder / "fields.vtkhdf"))
        found = list(steps(vtkhdf))
        np.testing.assert_allclose([t for t, _ in found], TIMES, atol=1e-14)
        for t, grids in found:
            assert len(grids) == 2
            check(grids, t, kinds[degree - 1])
        xdmf = vtk.vtkXdmfReader()
        xdmf.SetFileName(str(folder / "fields.xdmf"))
        found = list(steps(xdmf))
        np.testing.assert_allclose([t for t, _ in found], TIMES, atol=1e-14)
        for t, grids in found:
            # XDMF has polylines only: VTK's type 4, here of two points
            check(grids, t, {3: 4}.get(kinds[degree - 1], kinds[degree - 1]))


def test_pyvista_opens_the_file_itself(tmp_path):
    code, err = plexus(tmp_path, linear("triangle", "[4, 3]", 1), "-o", "out", ranks=2)
    assert code == 0, err
    data = pyvista.read(tmp_path / "out" / "fields.vtkhdf")
    parts = [pyvista.wrap(data.GetPartition(i)) for i in range(data.GetNumberOfPartitions())]
    assert sum(p.n_cells for p in parts) == 24
    for p in parts:
        assert set(p.point_data.keys()) >= {"temperature", "heat_flux"}
