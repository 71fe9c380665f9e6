"""VTKHDF files as other programs write them: partitions, steps, vectors, tensors, images, blocks."""

import h5py
import numpy as np
import pytest

from plexus.errors import InputError
from plexus.io import vtk_tables

TRIANGLE = 5


def grid(root, parts, kind="UnstructuredGrid"):
    """Write triangles, one per partition, as ParaView's writer has them: lengths first, then the lists."""
    root.attrs.update({"Version": np.array([2, 0]), "Type": np.bytes_(kind)})
    root["NumberOfPoints"] = np.full(parts, 3)
    root["Points"] = np.arange(9.0 * parts).reshape(-1, 3)
    places = [root] if kind == "UnstructuredGrid" else [root.create_group(n) for n in vtk_tables.TOPOLOGIES]
    for place in places:
        full = place.name.endswith(("VTKHDF", "Polygons"))
        place["NumberOfCells"] = np.full(parts, int(full))
        place["NumberOfConnectivityIds"] = np.full(parts, 3 * full)
        place["Connectivity"] = np.tile(np.arange(3), parts * full)
        place["Offsets"] = np.tile([0, 3], parts)[: 2 * parts]
    if kind == "UnstructuredGrid":
        root["Types"] = np.full(parts, TRIANGLE, dtype="u1")
    return root


def steps(root, times, parts, offsets, first=None):
    """Write steps over partitions; ``offsets``: field -> first row of each step."""
    count = len(times)
    root["Steps/Values"], root["Steps/NumberOfParts"] = times, np.full(count, parts)
    root["Steps"].attrs["NSteps"] = count
    root["Steps/PartOffsets"] = np.zeros(count, int) if first is None else first
    root["Steps/PointOffsets"] = 3 * root["Steps/PartOffsets"][()]
    cells = root["Steps/PartOffsets"][()]
    polygons = root.attrs["Type"] == b"PolyData"
    root["Steps/CellOffsets"] = np.stack([0 * cells, 0 * cells, cells, 0 * cells], 1) if polygons else cells
    for place, rows in offsets.items():
        root[f"Steps/{place}"] = rows


@pytest.fixture
def file(tmp_path):
    """Return an open file, which `read` looks at."""
    with h5py.File(tmp_path / "a.vtkhdf", "w") as made:
        yield made


def read(file, *names):
    return {name: values for name, (values, _) in vtk_tables.read("a.vtkhdf", file, names).items()}


def test_partitions_without_steps(file):
    root = grid(file.create_group("VTKHDF"), 2)
    root["PointData/T"], root["CellData/q"] = np.arange(6.0), np.array([[1.0, 2, 3], [4, 5, 6]])
    root["PointData/T"].attrs["units"] = "degC"
    assert vtk_tables.read("a", file, ["T"])["T"][1] == "degC"
    found = read(file, "T", "q_x", "q_z")
    assert found["T"].tolist() == [0, 1, 2, 3, 4, 5]
    assert found["q_x"].tolist() == [1, 4] and found["q_z"].tolist() == [3, 6]


def test_steps_of_a_fixed_mesh_and_a_field_that_stays(file):
    """The mesh is there once, T once per step, and k, which does not change, once for all steps."""
    root = grid(file.create_group("VTKHDF"), 2)
    root["PointData/T"], root["PointData/k"] = np.arange(18.0), np.arange(6.0) + 100
    steps(root, [0.0, 0.5, 2.0], 2, {"PointDataOffsets/T": [0, 6, 12], "PointDataOffsets/k": [0, 0, 0]})
    found = read(file, "T", "k", "time")
    assert found["T"].tolist() == list(range(18)) and found["k"].tolist() == [*range(100, 106)] * 3
    assert found["time"].tolist() == [0.0] * 6 + [0.5] * 6 + [2.0] * 6


def test_steps_that_are_reserved_are_not_read(file):
    root = grid(file.create_group("VTKHDF"), 1)
    root["PointData/T"] = np.arange(9.0)
    steps(root, [0.0, 1.0, 7.0], 1, {"PointDataOffsets/T": [0, 3, 6]})
    root["Steps"].attrs["NSteps"] = 2
    assert read(file, "T", "time")["time"].tolist() == [0.0] * 3 + [1.0] * 3


def test_meshes_that_change(file):
    """One partition in the first step, two in the second; what has no offsets of its own follows the mesh."""
    root = grid(file.create_group("VTKHDF"), 3)
    root["PointData/T"], root["CellData/q"] = np.arange(9.0), np.arange(3.0)
    steps(root, [0.0, 1.0], 1, {}, first=[0, 1])
    root["Steps/NumberOfParts"][1] = 2
    assert read(file, "T", "time")["time"].tolist() == [0.0] * 3 + [1.0] * 6
    assert read(file, "time", "q")["time"].tolist() == [0.0, 1.0, 1.0]
    assert read(file, "q")["q"].tolist() == [0, 1, 2]


def test_tensors_are_named_by_their_axes(file):
    root = grid(file.create_group("VTKHDF"), 1)
    root["PointData/stress"] = np.arange(18.0).reshape(3, 6)
    root["PointData/F"] = np.arange(27.0).reshape(3, 9)
    root["PointData/modes"] = np.arange(15.0).reshape(3, 5)
    found = read(file, "stress_yz", "F_yx", "modes_4")
    assert [v[0] for v in found.values()] == [4, 3, 4]
    with pytest.raises(InputError, match="stress has 6 components: name one of stress_xx, stress_yy"):
        read(file, "stress")


def test_copies_of_other_partitions_are_left_out(file):
    root = grid(file.create_group("VTKHDF"), 2)
    root["PointData/T"] = np.arange(12.0)
    root["PointData/vtkGhostType"] = np.array([0, 0, 0, 1, 1, 0] * 2, dtype="u1")
    offsets = {"PointDataOffsets/T": [0, 6], "PointDataOffsets/vtkGhostType": [0, 6]}
    steps(root, [0.0, 1.0], 2, offsets)
    found = read(file, "T", "time")
    assert found["T"].tolist() == [0, 1, 2, 5, 6, 7, 8, 11] and len(found["time"]) == 8


def test_polygons_count_the_cells_of_all_kinds(file):
    root = grid(file.create_group("VTKHDF"), 2, "PolyData")
    root["CellData/q"], root["PointData/T"] = np.arange(4.0), np.arange(6.0)
    steps(root, [0.0, 1.0], 2, {"CellDataOffsets/q": [0, 2], "PointDataOffsets/T": [0, 0]})
    assert read(file, "q", "time")["time"].tolist() == [0.0, 0.0, 1.0, 1.0]
    assert read(file, "T")["T"].tolist() == [*range(6)] * 2


@pytest.mark.parametrize("transient", [False, True])
def test_images(file, transient):
    """Axes are z, y, x; in time one more before them. A plane has one layer of cells."""
    root = file.create_group("VTKHDF")
    root.attrs.update({"Version": (2, 0), "Type": np.bytes_("ImageData"), "WholeExtent": [0, 2, 0, 1, 0, 0],
                       "Origin": (0, 0, 0), "Spacing": (1, 1, 1)})  # fmt: skip
    times = [0.0, 3.0] if transient else [0.0]
    lead = (2,) if transient else ()
    root["PointData/T"] = np.arange(6.0 * len(times)).reshape(*lead, 1, 2, 3)
    root["PointData/u"] = np.arange(18.0 * len(times)).reshape(*lead, 1, 2, 3, 3)
    root["CellData/q"] = np.arange(2.0 * len(times)).reshape(*lead, 1, 1, 2)
    if transient:
        root["Steps/Values"] = times
        root["Steps"].attrs["NSteps"] = 2
        assert read(file, "time", "T")["time"].tolist() == [0.0] * 6 + [3.0] * 6
    found = read(file, "T", "u_y", "q")
    assert found["T"].tolist() == list(range(6 * len(times)))
    assert found["u_y"].tolist() == list(range(1, 18 * len(times), 3))
    assert found["q"].tolist() == list(range(2 * len(times)))


def test_blocks_stand_in_the_order_of_their_index(file):
    """The assembly is a tree of links to the blocks; they are read once."""
    root = file.create_group("VTKHDF")
    root.attrs.update({"Version": (2, 1), "Type": np.bytes_("PartitionedDataSetCollection")})
    for name, index in (("fluid", 1), ("solid", 0)):
        block = grid(root.create_group(name), 1)
        block.attrs["Index"] = index
        block["PointData/T"] = np.arange(6.0) + 10 * index
        steps(block, [0.0, 1.0], 1, {"PointDataOffsets/T": [0, 3]})
    assembly = root.create_group("Assembly")
    assembly["all/solid"] = h5py.SoftLink("/VTKHDF/solid")
    found = read(file, "T", "time")
    assert found["T"].tolist() == [*range(6), *range(10, 16)]
    assert found["time"].tolist() == [0.0] * 3 + [1.0] * 3 + [0.0] * 3 + [1.0] * 3
    root["fluid"]["PointData"].pop("T")
    with pytest.raises(InputError, match="VTKHDF/fluid: no field is called 'T'"):
        read(file, "T")


def test_files_that_are_not_read_are_told(file):
    with pytest.raises(InputError, match="has no group VTKHDF"):
        read(file, "T")
    root = file.create_group("VTKHDF")
    with pytest.raises(InputError, match="does not tell the type"):
        read(file, "T")
    root.attrs["Type"] = np.bytes_("OverlappingAMR")
    with pytest.raises(InputError, match=r"'OverlappingAMR' are not read; UnstructuredGrid, .* are"):
        read(file, "T")
    del file["VTKHDF"]
    root = grid(file.create_group("VTKHDF"), 1)
    root["PointData/T"] = np.arange(5.0)
    with pytest.raises(InputError, match="it has no steps, and so no times"):
        read(file, "T", "time")
    steps(root, [0.0, 1.0], 1, {"PointDataOffsets/T": [0, 3]})
    with pytest.raises(InputError, match="step 1 of T ends at row 6, there are 5"):
        read(file, "T")
    del root["NumberOfPoints"]
    with pytest.raises(InputError, match="not as VTKHDF has it"):
        read(file, "T")
