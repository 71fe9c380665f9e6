"""Slabs of uneven size through MPI-IO and through rank 0, and node names that no partition changes."""

import h5py
import numpy as np
import pytest
from mpi4py import MPI

from plexus.errors import OutputError
from plexus.io import checkpoint, hdf5
from plexus.io.piece import node_ids
from plexus.mesh.cells import reference
from plexus.mesh.lattice import build_box
from plexus.spaces.lagrange import Space

pytestmark = pytest.mark.mpi
COMM = MPI.COMM_WORLD


@pytest.mark.parametrize("way", ["as it is", "gathered"])
def test_uneven_slabs(way, shared_path, monkeypatch):
    if way == "gathered":
        monkeypatch.setattr(hdf5, "parallel", lambda comm: False)
    monkeypatch.setattr(hdf5, "PIECE", 64)  # several calls per slab
    n = [7, 0, 30, 1][COMM.rank]
    first, total = hdf5.offset(COMM, n)
    rows = np.arange(first, first + n)[:, None] * [1.0, 10.0]
    path = shared_path / f"{way}.h5"
    file = hdf5.SlabFile(path, COMM)
    file.create("g/rows", (total, 2))
    file.write("g/rows", first, rows)
    file.create_growing("n", 1, 8)
    file.extend("n", 3)
    file.write_root("n", 0, np.array([1.0, 2.0, 3.0]))
    file.text("t", "Grüße")
    file.attributes("g", {"unit": "m", "count": np.int64(3)})
    file.modify("g", "count", 4)
    file.close()
    COMM.Barrier()
    with h5py.File(path) as found:
        np.testing.assert_array_equal(found["g/rows"][:], np.arange(total)[:, None] * [1.0, 10.0])
        assert found["n"][:].tolist() == [1, 2, 3] and found["t"][()].decode() == "Grüße"
        assert found["g"].attrs["count"] == 4


def test_all_ranks_fail_together(shared_path):
    with pytest.raises(OutputError, match="cannot write"):
        hdf5.SlabFile(shared_path / "missing" / "x.h5", COMM)


@pytest.mark.parametrize("cell", ["line", "triangle", "quadrilateral", "tetrahedron", "hexahedron"])
@pytest.mark.parametrize("periodic", [False, True])
def test_node_names_do_not_depend_on_the_partition(cell, periodic):
    dim = reference(cell).dim
    ticks, axes = [np.linspace(0, 1, 4)] * dim, (periodic,) + (False,) * (dim - 1)
    mine, alone = (Space(build_box(c, cell, 1, ticks, axes), 2) for c in (COMM, MPI.COMM_SELF))
    order = np.argsort(names := node_ids(alone))
    owned = node_ids(mine)[: mine.n_owned]
    at = order[np.searchsorted(names[order], owned)]
    assert np.array_equal(names[at], owned)
    np.testing.assert_allclose(alone.points[at], mine.points[: mine.n_owned], atol=1e-12)


def test_damage_is_seen_by_all_ranks(shared_path):
    from plexus.errors import InputError

    path, ids = shared_path / "checkpoint_00000001.h5", {"nodes": np.arange(10) + 10 * COMM.rank}
    content = checkpoint.Content({"a": 1}, {"f": np.ones((10, 3))}, {"f": "nodes"})
    checkpoint.write(path, COMM, ids, content)
    assert checkpoint.about(path, COMM).facts == {"a": 1}
    if COMM.rank == 0:
        with h5py.File(path, "r+") as file:
            file["arrays/f"][3, 1] = 1.0000001
    COMM.Barrier()
    with pytest.raises(InputError, match="damaged"):
        checkpoint.read(path, COMM, ids)
