"""Facets inside the body seen from one side: normals, loads on nodes and reactions on every rank count."""

import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

sys.path.insert(0, str(Path(__file__).parent.parent / "unit" / "spaces"))
from space_cases import CELLS, Elasticity, box, cubes

from plexus.errors import InputError
from plexus.protocols import Flux, Tangent
from plexus.protocols.facets import Facets
from plexus.spaces.assembly import Form
from plexus.spaces.corners import Supports, shares
from plexus.spaces.evaluate import Evaluator, Part
from plexus.spaces.lagrange import Space
from plexus.spaces.names import require_facets

pytestmark = pytest.mark.mpi
CASES = [(cell, degree) for cell in CELLS for degree in (1, 2)]


def layered(cell, comm):
    """A box of two halves, `a` and `b`; `middle` is the face between them, `inner` lies inside `b`.

    As in a mesh from a file, each facet is given with the cell of the lower number.
    """
    whole, mesh = (box(cell, cubes(cell, 4), comm=c) for c in (MPI.COMM_SELF, comm))
    for name, x in (("middle", 0.5), ("inner", 0.75)):
        rows = lowest(whole, x)
        here = {int(i): k for k, i in enumerate(mesh.cell_ids)}
        pairs = [(here[i], f) for i, f in rows if i in here]
        mesh.boundaries[name] = np.array(sorted(pairs), dtype=np.int32).reshape(-1, 2)
    centres = mesh.points[mesh.vertices].mean(axis=1)[:, 0]
    mesh.regions = {"a": np.flatnonzero(centres < 0.5), "b": np.flatnonzero(centres > 0.5)}
    return mesh


def lowest(mesh, x):
    """Pairs (global cell, facet) of the facets at a place, of two cells the lower one."""
    found = {}
    for cell, vertices in enumerate(mesh.vertices):
        for facet, corners in enumerate(mesh.reference.facets):
            if np.allclose(mesh.points[vertices[corners], 0], x):
                found.setdefault(tuple(sorted(vertices[corners])), (int(mesh.cell_ids[cell]), facet))
    return list(found.values())


class Push:
    """f0 = n: a pressure of one."""

    linear = True

    def flux(self, p):
        return Flux(f0=p.normal)

    def tangent(self, p):
        return Tangent(symmetric=True)


@pytest.mark.parametrize("cell", CELLS)
def test_normals_point_out_of_the_region(cell):
    mesh = layered(cell, MPI.COMM_WORLD)
    evaluator = Evaluator(mesh)

    def out(part):
        return evaluator.integrate(lambda p: p.normal, 0.0, {}, part)

    ahead = np.eye(mesh.dim)[0]
    assert np.allclose(out(Part(boundary=Facets(("middle",), "a"))), ahead)
    assert np.allclose(out(Part(boundary=Facets(("middle",), "b"))), -ahead)
    assert np.allclose(out(Part(boundary="middle", region="b")), -ahead)
    # a facet that two names have counts once, and what lies on the skin has its own side
    assert np.allclose(out(Part(boundary=Facets(("middle", "left", "middle"), "a"))), 0 * ahead)


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_a_pressure_pushes_the_same_nodes_on_any_ranks(cell, degree):
    loads = []
    for comm in (MPI.COMM_WORLD, MPI.COMM_SELF):
        mesh = layered(cell, comm)
        space = Space(mesh, degree, mesh.dim, scalar=False)
        form = Form(space, Elasticity(), [(Facets(("middle",), "b"), Push())], {})
        f = form.reactions(0.0, space.zeros(), None, {})
        loads.append(np.hstack([space.points[: space.n_owned], f]))
    ours, alone = loads
    assert alone[:, mesh.dim].sum() == pytest.approx(-1)
    keys = [np.round(rows[:, : mesh.dim] * 64) @ np.array([1e6, 1e3, 1])[: mesh.dim] for rows in loads]
    order = np.argsort(keys[1])
    twin = order[np.searchsorted(keys[1], keys[0], sorter=order)]
    assert np.allclose(ours, alone[twin], rtol=0, atol=1e-14)


def test_sides_that_are_not_told_apart_are_refused():
    mesh = layered("triangle", MPI.COMM_WORLD)
    with pytest.raises(InputError, match=r"middle: 4 facets lie inside the body: .*from: a} \(or b\)"):
        require_facets(mesh, Facets(("middle",)), sided=True)
    with pytest.raises(InputError, match="inner: 4 facets lie inside the body: no region lies on one side"):
        require_facets(mesh, Facets(("inner",)), sided=True)
    with pytest.raises(InputError, match="inner: 4 facets lie between two cells of b"):
        require_facets(mesh, Facets(("inner",), "b"), sided=True)
    with pytest.raises(InputError, match="inner: no facet is a side of region a"):
        require_facets(mesh, Facets(("inner",), "a"), sided=True)
    with pytest.raises(InputError, match="middle, inner: 4 of 8 facets are no sides of region a"):
        require_facets(mesh, Facets(("middle", "inner"), "a"), sided=True)
    require_facets(mesh, Facets(("middle", "right")), sided=False)
    require_facets(mesh, Facets(("middle",), "b"), sided=True)


@pytest.mark.parametrize(("cell", "degree"), CASES[2:])
def test_shares_of_disjoint_supports_add_up_to_one(cell, degree):
    mesh = layered(cell, MPI.COMM_WORLD)
    space = Space(mesh, degree)
    names = ("left", "bottom", "middle")
    held = [Facets(("left", "bottom")), Facets(("middle",), "a")]
    on = np.zeros(space.n_local)
    on[space.facet_nodes(Facets(names))] = 1
    supports = Supports([held], [], lambda nodes: on[nodes, None, None])

    def share(name):
        nodes, part = shares(space, Facets((name,)), supports)
        found = np.zeros(space.n_owned)
        found[nodes] = part[:, 0, 0]
        return found

    assert np.allclose(sum(share(name) for name in names), on[: space.n_owned])
    # a side that holds nothing has no share in the corners of those that do
    assert np.allclose(share("top")[on[: space.n_owned] > 0], 0)
