"""fields.vtkhdf on one rank: readable after every step, growing, trimmed, continued, rolled into XDMF."""

import xml.etree.ElementTree as ET

import h5py
import numpy as np
import pytest
from mpi4py import MPI

from plexus.io import xdmf
from plexus.io.piece import node_ids, piece
from plexus.io.vtkhdf import FieldsFile
from plexus.io.vtkhdf_layout import column, padded, read_layout
from plexus.mesh.lattice import build_box
from plexus.spaces.lagrange import Space

COLUMNS = [
    column("T", "K", "scalar", "node"),
    column("u", "m", "vector", "node"),
    column("s", "Pa", "tensor", "cell"),
]


def space(periodic=(False, False)):
    ticks = [np.linspace(0, 1, 4), np.linspace(0, 1, 3)]
    return Space(build_box(MPI.COMM_SELF, "quadrilateral", 1, ticks, periodic), 1)


def arrays(s, t):
    x = s.points
    return {"T": x[:, :1] + t, "u": x * t, "s": np.full((s.mesh.n_owned_cells, 4), t)}


def written(path, steps, capacity):
    s = space()
    file = FieldsFile(path, MPI.COMM_SELF, piece(s), COLUMNS, capacity, {"deck": "plexus: 1\n"})
    for k in range(steps):
        file.append(10 * k, 0.5 * k, arrays(s, 0.5 * k))
        yield file


def times(path):
    with h5py.File(path) as file:
        steps = file["VTKHDF/Steps"]
        assert steps.attrs["NSteps"] == len(steps["Values"])
        return steps["Values"][:].tolist()


@pytest.mark.parametrize("capacity", [1, 3, 50])
def test_file_is_complete_after_every_output(capacity, tmp_path):
    path = tmp_path / "fields.vtkhdf"
    outputs = written(path, 6, capacity)
    for k in range(6):
        file = next(outputs)
        assert times(path) == [0.5 * i for i in range(k + 1)]
        assert not path.with_name("fields.vtkhdf.partial").exists()
    file.close()
    layout = read_layout(path)
    assert [s.number for s in layout.steps] == [0, 10, 20, 30, 40, 50]
    assert layout.totals.node_rows == 6 * 12 and layout.totals.cell_rows == 6 * 6


def test_vectors_and_tensors_are_padded():
    assert padded(np.array([[1.0, 2.0]]), COLUMNS[1]).tolist() == [[1, 2, 0]]
    assert padded(np.array([[1.0, 2.0, 3.0, 4.0]]), COLUMNS[2]).tolist() == [[1, 2, 0, 3, 4, 0, 0, 0, 0]]


def test_type_and_metadata(tmp_path):
    path = tmp_path / "fields.vtkhdf"
    list(written(path, 1, 1))
    with h5py.File(path) as file:
        kind = file["VTKHDF"].attrs.get_id("Type").get_type()
        assert not kind.is_variable_str() and kind.get_cset() == h5py.h5t.CSET_ASCII
        assert file["plexus/deck"][()] == b"plexus: 1\n"
        assert file["VTKHDF/PointData/T"].attrs["unit"] == b"K"
        assert file["plexus/cell_ids"][:].tolist() == list(range(6))


def test_continued_file_drops_later_steps(tmp_path):
    path, s = tmp_path / "fields.vtkhdf", space()
    list(written(path, 4, 4))
    file = FieldsFile.resume(path, MPI.COMM_SELF, piece(s), COLUMNS, 2, {}, 15)
    assert times(path) == [0.0, 0.5]
    file.append(20, 9.0, arrays(s, 9.0))
    file.close()
    assert times(path) == [0.0, 0.5, 9.0]
    layout = read_layout(path)
    assert [step.grid for step in layout.steps] == [0, 0, 1]
    with h5py.File(path) as data:
        np.testing.assert_allclose(data["VTKHDF/PointData/T"][24:], s.points[piece(s).nodes, 0] + 9.0)


def test_periodic_images_become_points_of_their_own():
    s = space((True, False))
    grid = piece(s)
    assert s.n_local == 9 and len(grid.points) == 12
    assert np.ptp(grid.points[grid.links][:, :, 0], axis=1).max() < 0.5  # no cell spans the whole box
    assert len(np.unique(node_ids(s))) == 9


def test_xdmf_shows_all_files_as_one_series(tmp_path):
    layouts = []
    for name in ("fields.vtkhdf", "fields_0001.vtkhdf"):
        *_, file = written(tmp_path / name, 2, 2)
        layouts.append((name, file.layout))
    xdmf.Collection(tmp_path / "fields.xdmf").show(layouts)
    root = ET.parse(tmp_path / "fields.xdmf").getroot()
    assert len(root.findall(".//Time")) == 4
    assert {a.get("AttributeType") for a in root.iter("Attribute")} == {"Scalar", "Vector", "Tensor"}
    assert any("fields_0001.vtkhdf:/VTKHDF/PointData/T" in (i.text or "") for i in root.iter("DataItem"))
