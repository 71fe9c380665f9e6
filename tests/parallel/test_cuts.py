"""Nodes along cuts, and terms between their sides: the same on any ranks, cells turned in any way."""

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

sys.path.insert(0, str(Path(__file__).parent.parent / "unit" / "spaces"))
from space_cases import CELLS, Diffusion, box, cubes, dense, gathered

from plexus.mesh.cells import reference
from plexus.protocols import NOTHING, Flux, Tangent
from plexus.protocols.facets import Facets
from plexus.spaces.assembly import Form
from plexus.spaces.evaluate import Evaluator, Part
from plexus.spaces.lagrange import Space
from plexus.spaces.names import boundary_facets
from plexus.spaces.sides import both

pytestmark = pytest.mark.mpi
CASES = [(cell, degree) for cell in CELLS for degree in (1, 2)]
COMM = MPI.COMM_WORLD


def turns(cell):
    """Return the permutations of a cell's vertices that keep it right-handed."""
    ref = reference(cell)
    x, d = ref.vertices, ref.dim
    if ref.simplex and d > 1:
        every = itertools.permutations(range(d + 1))
        return [p for p in every if np.linalg.det(np.eye(d + 1)[list(p)]) > 0]
    found = []
    signs = itertools.product((1, -1), repeat=d)
    for axes, sign in itertools.product(itertools.permutations(range(d)), signs):
        turn = np.eye(d)[list(axes)] * sign
        if np.linalg.det(turn) > 0:
            image = (x - 0.5) @ turn.T + 0.5
            found.append([int(np.abs(x - v).sum(axis=1).argmin()) for v in image])
    return found


def shuffled(cell, regions, comm):
    """A box of 4 cubes per axis whose cells begin at any vertex, with regions by the cells' middles."""
    mesh = box(cell, cubes(cell, 4), comm=comm)
    choices = np.array(turns(cell))
    chosen = choices[np.random.default_rng(3).integers(len(choices), size=mesh.n_global_cells)[mesh.cell_ids]]
    before = mesh.cells.copy()
    mesh.cells = np.take_along_axis(before, chosen, axis=1).astype(np.int32)
    facets = mesh.reference.facets

    def same_facet(c, f):
        wanted = set(before[c, facets[f]])
        return next(g for g in range(len(facets)) if set(mesh.cells[c, facets[g]]) == wanted)

    def moved(pairs):
        return np.array([(c, same_facet(c, f)) for c, f in pairs], dtype=np.int32).reshape(-1, 2)

    mesh.outside = moved(mesh.outside)
    mesh.boundaries = {name: moved(pairs) for name, pairs in mesh.boundaries.items()}
    middle = mesh.points[mesh.vertices].mean(axis=1)
    mesh.regions = {name: np.flatnonzero(inside(middle)) for name, inside in regions.items()}
    return mesh


def cut(mesh, *names):
    """Cut a mesh where regions meet."""
    sides = both(mesh, boundary_facets(mesh, Facets(names)))
    mesh.cut = sides[(sides >= 0).all(axis=(1, 2))].reshape(-1, 2)
    return mesh


HALVES = {"a": lambda x: x[:, 0] < 0.5, "b": lambda x: x[:, 0] > 0.5}
ENDING = {
    "a": lambda x: (x[:, 0] < 0.5) & (x[:, -1] < 0.5),
    "b": lambda x: (x[:, 0] > 0.5) & (x[:, -1] < 0.5),
    "c": lambda x: x[:, -1] > 0.5,
}
CORE = {
    "core": lambda x: (np.abs(x - 0.5) < 0.25).all(axis=1),
    "rest": lambda x: (np.abs(x - 0.5) > 0.25).any(axis=1),
}
CUTS = [(HALVES, ("a|b",)), (ENDING, ("a|b",)), (ENDING, ("b|a", "b|c")), (CORE, ("core|rest",))]
CUTS_OF_CELLS = [
    (cell, degree, *kind)
    for cell, degree in CASES
    for kind in CUTS
    # a cut of a line has no end
    if cell != "line" or kind[0] is not ENDING
]


def added(cell, degree, regions, names):
    """Return how many nodes a cut must add, from the places of the nodes alone."""
    n = 4 * degree
    line = np.arange(n + 1)
    inner = line[(line >= n // 4) & (line <= 3 * n // 4)]
    d = reference(cell).dim
    if regions is HALVES:
        return (n + 1) ** (d - 1)
    if regions is CORE:
        return len(inner) ** d - (len(inner) - 2) ** d
    plane = (n + 1) ** (d - 2)
    # without its end, or with the end and the plane behind it
    return n // 2 * plane if names == ("a|b",) else (n // 2 + 1 + n // 2) * plane


@pytest.mark.parametrize(("cell", "degree", "regions", "names"), CUTS_OF_CELLS)
def test_a_cut_adds_the_nodes_of_its_sides(cell, degree, regions, names):
    mesh, whole = (shuffled(cell, regions, comm) for comm in (COMM, MPI.COMM_SELF))
    plain = Space(mesh, degree).n_global
    here, alone = Space(cut(mesh, *names), degree), Space(cut(whole, *names), degree)
    assert here.n_global == alone.n_global == plain + added(cell, degree, regions, names)
    # cell by cell, ghosts too: what is one node in the whole mesh is one number here
    mine, whole = here.node_global[here.cell_nodes], alone.cell_nodes[here.mesh.cell_ids]
    assert len(np.unique(np.stack([mine.ravel(), whole.ravel()]), axis=1).T) == len(np.unique(mine))
    assert len(np.unique(mine)) == len(np.unique(whole)) == here.n_local
    owned = here.cell_nodes[: here.mesh.n_owned_cells]
    np.testing.assert_array_equal(here.names()[owned], alone.names()[whole[: len(owned)]])
    np.testing.assert_allclose(here.points[here.cell_nodes], alone.points[whole], atol=1e-14)


@dataclass
class Bond:
    """f0 = h (u - u⁺) with h = 2 + x + (u + u⁺)²."""

    across: bool = True

    def flux(self, p):
        jump, total = p.u - p.other.u, p.u + p.other.u
        return Flux(f0=(2 + p.x[..., 0] + total**2) * jump)

    def tangent(self, p):
        jump, total = p.u - p.other.u, p.u + p.other.u
        h = 2 + p.x[..., 0] + total**2
        return Tangent(c00=h + 2 * total * jump, across=2 * total * jump - h)


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_both_sides_are_seen_at_the_same_points(cell, degree):
    mesh = cut(shuffled(cell, CORE, COMM), "core|rest")
    part = Part(boundary=Facets(("core|rest",), "core"), across=True)
    for p in Evaluator(mesh).batches(part, 4, 0.0, {}):
        np.testing.assert_allclose(p.x, p.other.x, atol=1e-13)
        np.testing.assert_allclose(p.normal, -p.other.normal, atol=1e-13)
        np.testing.assert_allclose(p.jxw, p.other.jxw, rtol=1e-12)


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_tangent_and_balance_of_a_term_between_two_sides(cell, degree):
    found = []
    for comm in (COMM, MPI.COMM_SELF):
        mesh = cut(shuffled(cell, CORE, comm), "core|rest")
        space = Space(mesh, degree)
        # cells that hardly conduct
        form = Form(space, Diffusion(k=1e-6), [(Facets(("core|rest",)), Bond())])
        u = 0.5 * space.interpolate(lambda x: np.sin(3 * x[:, 0]) + x[:, -1])
        core = np.unique(space.cell_nodes[mesh.regions["core"]])
        u[core] += 1.0
        step = np.zeros_like(u)
        step[:, 0] = np.cos(5 * space.points.sum(axis=1))
        step[core] *= -0.3
        residual = form.residual(0.0, u, None, {})
        # what leaves one side enters the other
        assert abs(comm.allreduce(residual.sum())) < 1e-12
        matrix = form.jacobian(0.0, u, None, 0.0, {})
        x, y = space.vector(), space.vector()
        x.setArray(step[: space.n_owned].ravel())
        matrix.mult(x, y)
        eps = 1e-6
        ahead, back = (form.residual(0, u + s * eps * step, None, {}) for s in (1, -1))
        np.testing.assert_allclose(y.getArray(), ((ahead - back) / (2 * eps)).ravel(), atol=1e-8)
        # the same terms along a mode, without the matrix
        borne = form.bearing(0.0, u, None, 0.0, {}, NOTHING, step[None])
        np.testing.assert_allclose(borne[0].ravel(), y.getArray(), atol=1e-5)
        names = space.names()[: space.n_owned]
        found.append(dict(zip(names.tolist(), residual[:, 0].tolist(), strict=True)))
    here, alone = found
    np.testing.assert_allclose(list(here.values()), [alone[name] for name in here], atol=1e-13)
    assert max(map(abs, alone.values())) > 0.01


def test_the_matrix_of_a_constant_conductance_is_symmetric():
    mesh = cut(shuffled("tetrahedron", HALVES, COMM), "a|b")

    @dataclass
    class Film:
        across: bool = True

        def flux(self, p):
            return Flux(f0=3.0 * (p.u - p.other.u))

        def tangent(self, p):
            return Tangent(c00=3.0 * p.one, across=-3.0 * p.one, symmetric=True)

    form = Form(Space(mesh, 1), Diffusion(), [(Facets(("a|b",)), Film())])
    a = gathered(form.jacobian(0, form.space.zeros(), None, 0.0, {}))
    assert form.symmetric
    np.testing.assert_allclose(a, a.T, atol=1e-13)
    np.testing.assert_allclose(a, dense(form), atol=1e-12)
    # constants cost nothing, a jump costs h
    np.testing.assert_allclose(a.sum(axis=1), 0.0, atol=1e-12)
