"""Gmsh files: what is read, and one clear line for everything that can be wrong with them."""

import numpy as np
import pytest
from mesh_cases import DATA, FILES, area, assert_valid, content, euler, from_file, volume
from mpi4py import MPI

from plexus.errors import InputError
from plexus.mesh.convert import convert
from plexus.mesh.mesh import corner_volumes
from plexus.mesh.msh import read_msh
from plexus.mesh.sources.gmsh import Gmsh, GmshParams
from plexus.mesh.sources.hdf5 import Hdf5, Hdf5Params
from plexus.mesh.store import MeshFile

SELF = MPI.COMM_SELF
TEXT = (DATA / "triangle1.msh").read_text()


def broken(tmp_path, text):
    path = tmp_path / "broken.msh"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_msh(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and "\n" not in message
    return message.removeprefix(str(path))


def line_of(text, words):
    return text[: text.index(words)].count("\n") + 1


@pytest.mark.parametrize("name", FILES)
def test_every_type_is_read_and_valid(name):
    mesh = from_file(SELF, name)
    cell, whole = mesh.reference, assert_valid(mesh)
    assert euler(cell, whole) == 1
    depth = 0.5 if mesh.dim == 3 else 1
    assert np.isclose(volume(cell, whole, "east"), depth)
    assert np.isclose(area(cell, whole, "both sets"), depth + 1)  # the middle and the western floor


def test_scale_multiplies_lengths():
    assert np.isclose(read_msh(DATA / "triangle1.msh", 1e-3).points.max(), 2e-3)


def test_groups_without_a_name_are_called_by_their_number():
    assert list(read_msh(DATA / "periodic.msh").regions) == ["7"]


def test_periodic_images_share_the_lowest_number():
    whole = read_msh(DATA / "periodic.msh")
    corners = np.flatnonzero(np.isin(whole.points, (0, 1)).all(axis=1))
    assert len(np.unique(whole.vertex_ids[corners])) == 1
    mesh = from_file(SELF, "periodic", periodic=True)
    assert euler(mesh.reference, content(mesh)) == 0
    assert len(from_file(SELF, "periodic").boundaries["exterior"]) > 0


def test_left_handed_cells_are_turned(tmp_path):
    lines = TEXT.split("\n")
    first = next(i for i, line in enumerate(lines) if line.startswith("2 1 2 "))
    number, a, b, c = lines[first + 1].split()
    lines[first + 1] = f"{number} {b} {a} {c}"
    path = tmp_path / "left.msh"
    path.write_text("\n".join(lines))
    whole, before = read_msh(path), read_msh(DATA / "triangle1.msh")
    assert (corner_volumes(whole.reference, whole.points[whole.cells]) > 0).all()
    assert (np.sort(whole.cells, axis=1) == np.sort(before.cells, axis=1)).all()


def test_truncated_text_names_the_last_line(tmp_path):
    for words in ("$EndNodes", "$EndElements", "$EndEntities"):
        cut = TEXT[: TEXT.index(words) - 20]
        message = broken(tmp_path, cut)
        assert message.startswith(f":{cut.count(chr(10)) + 1}:") and "truncated" in message


def test_file_cut_between_sections(tmp_path):
    assert "no $Elements section" in broken(tmp_path, TEXT[: TEXT.index("$Elements")])


@pytest.mark.parametrize("name", ["tetrahedron2", "hexahedron2"])
def test_truncated_binary_file(name, tmp_path):
    data = (DATA / f"{name}.msh").read_bytes()
    path = tmp_path / "cut.msh"
    for share in (0.3, 0.6, 0.95):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(InputError, match=r"truncated|incomplete"):
            read_msh(path)


def test_section_that_is_too_short(tmp_path):
    start = TEXT.index("$Elements")
    head, counts, rest = TEXT[start:].split("\n", 2)
    lines = rest.split("\n")
    del lines[3]
    message = broken(tmp_path, TEXT[:start] + "\n".join([head, counts, *lines]))
    assert message.startswith(":")


def test_a_word_among_numbers_is_found(tmp_path):
    line = line_of(TEXT, "$Nodes") + 4
    lines = TEXT.split("\n")
    lines[line - 1] = "oops"
    assert broken(tmp_path, "\n".join(lines)) == f":{line}: 'oops' is not a number"


def test_dangling_node_names_element_and_line(tmp_path):
    lines = TEXT.split("\n")
    first = next(i for i, line in enumerate(lines) if line.startswith("2 1 2 "))
    number, a, b, _ = lines[first + 1].split()
    lines[first + 1] = f"{number} {a} {b} 9999"
    message = broken(tmp_path, "\n".join(lines))
    assert message == f":{first + 2}: element {number} names node 9999, which the file does not contain"


def test_other_versions_and_other_files(tmp_path):
    assert broken(tmp_path, TEXT.replace("4.1 0 8", "2.2 0 8", 1)).startswith(
        ":2: MSH version 2.2 is not supported"
    )
    assert "not a Gmsh mesh" in broken(tmp_path, "# vtk DataFile Version 3.0\n")
    assert "not a Gmsh mesh" in broken(tmp_path, "")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_msh(tmp_path / "none.msh")


def test_missing_physical_groups(tmp_path):
    gmsh = pytest.importorskip("gmsh")
    gmsh.initialize()
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.model.occ.addRectangle(0, 0, 0, 1, 1)
    gmsh.model.occ.synchronize()
    gmsh.model.mesh.generate(2)
    gmsh.write(str(tmp_path / "plain.msh"))
    gmsh.finalize()
    with pytest.raises(InputError, match="no physical groups of dimension 2 or 1"):
        read_msh(tmp_path / "plain.msh")


def test_mixed_and_unsupported_cells(tmp_path):
    names = '$PhysicalNames\n1\n2 1 "all"\n$EndPhysicalNames\n'
    entities = "$Entities\n0 0 1 0\n1 0 0 0 1 1 0 1 1 0\n$EndEntities\n"
    nodes = "$Nodes\n1 5 1 5\n2 1 0 5\n1\n2\n3\n4\n5\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n2 0.5 0\n$EndNodes\n"
    head = "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n" + names + entities + nodes
    mixed = "$Elements\n2 2 1 2\n2 1 3 1\n1 1 2 3 4\n2 1 2 1\n2 2 5 3\n$EndElements\n"
    assert "mixes quadrilateral of degree 1 and triangle of degree 1" in broken(tmp_path, head + mixed)
    prism = "$Elements\n1 1 1 1\n3 1 6 1\n1 1 2 3 4 5 5\n$EndElements\n"
    line = (head + prism).count("\n") - 2
    message = broken(tmp_path, head + prism)
    assert message.startswith(f":{line}: element type 6, a 6-node prism, is not supported: cells are lines")


def test_partitions_of_gmsh():
    whole = read_msh(DATA / "partitions.msh")
    volumes = corner_volumes(whole.reference, whole.points[whole.cells])
    assert np.isclose(volumes.sum() / 2, 2.0)
    assert {name: len(cells) for name, cells in whole.regions.items()} == {"A": 66, "B": 66}
    assert {name: len(pairs) for name, pairs in whole.boundaries.items()} == {"left": 5, "right": 5}
    with pytest.raises(InputError, match=r"a part of a mesh of 3 partitions; .*Mesh.PartitionSplitMeshFiles"):
        read_msh(DATA / "partition_2_of_3.msh")


def test_plane_mesh_off_the_plane(tmp_path):
    assert "plane z = 0" in broken(tmp_path, TEXT.replace("\n2 1 0\n", "\n2 1 0.5\n", 1))


@pytest.mark.parametrize("name", ["line2", "triangle1", "tetrahedron2"])
def test_estimates_tell_sizes_and_names(name, tmp_path):
    convert(DATA / f"{name}.msh", tmp_path / "mesh.h5", 2.0)
    whole = read_msh(DATA / f"{name}.msh")
    for source in (
        Gmsh(GmshParams(file=str(DATA / f"{name}.msh"))),
        Hdf5(Hdf5Params(file=str(tmp_path / "mesh.h5"))),
    ):
        guess = source.estimate()
        assert (guess.cell, guess.n_cells, guess.n_points) == (whole.cell, whole.n_cells, whole.n_points)
        assert set(guess.regions) == {"west", "east"}
        assert set(guess.boundaries) == {"floor", "roof", "middle", "both sets", "exterior"}
        assert_valid(source.build(SELF))


def test_damaged_mesh_files(tmp_path):
    path = tmp_path / "mesh.h5"
    convert(DATA / "triangle1.msh", path)
    assert [p.name for p in tmp_path.iterdir()] == ["mesh.h5"]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="missing or damaged"):
        MeshFile(path)
    path.write_bytes(b"not HDF5")
    with pytest.raises(InputError, match="missing or damaged"):
        MeshFile(path)


def test_conversion_of_a_bad_file_leaves_nothing_behind(tmp_path):
    (tmp_path / "bad.msh").write_text(TEXT[:300])
    with pytest.raises(InputError):
        convert(tmp_path / "bad.msh", tmp_path / "mesh.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.msh"]
