"""Quadrature points as rows: names, recovery at the nodes, means of cells, samples; on any ranks."""

from typing import Any

import numpy as np
import pytest
from mpi4py import MPI
from space_cases import CELLS, box, cubes

from plexus.protocols import FieldSpec
from plexus.spaces.evaluate import Evaluator, Part
from plexus.spaces.lagrange import Space
from plexus.spaces.quadrature_space import QuadratureSpace, quadrature_space

COMM = MPI.COMM_WORLD
pytestmark = pytest.mark.mpi


def points(cell: str, degree: int, components: int = 1, n: int = 3) -> QuadratureSpace:
    return QuadratureSpace(Space(box(cell, cubes(cell, n)), degree), 2 * degree, components)


def polynomial(x: np.ndarray, degree: int) -> np.ndarray:
    """Return a linear or quadratic function of positions (N, d), (N, 1)."""
    s = 1 + x @ np.arange(1, x.shape[1] + 1)
    return (s**degree)[:, None]


def at(p: Any, degree: int) -> np.ndarray:
    """Return the function at the points of a batch, (C, Q)."""
    return polynomial(p.x.reshape(-1, p.dim), degree).reshape(p.shape)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_recovery_gives_polynomials_of_the_element_back(cell, degree):
    space = points(cell, degree)
    rows = polynomial(space.points, degree)
    nodal = space.at_nodes(rows)
    own = slice(space.nodes.n_owned)
    np.testing.assert_allclose(nodal[own], polynomial(space.nodes.points, degree)[own], rtol=1e-11)
    assert space.at_nodes(rows) is nodal, "remembered while the rows live"
    assert space.at_nodes(rows.copy()) is not nodal


@pytest.mark.parametrize("cell", CELLS)
def test_names_are_unique_and_the_halo_fills_ghost_cells(cell):
    space = points(cell, 1, components=2)
    names = space.names()
    every = np.concatenate(COMM.allgather(names[: space.n_owned]))
    assert len(np.unique(every)) == len(every) == space.n_global
    rows = np.zeros((space.n_local, 2))
    rows[: space.n_owned, 0] = names[: space.n_owned]
    space.halo.forward(rows)
    np.testing.assert_array_equal(rows[:, 0], names)
    # a name belongs to one place on every rank
    places = np.hstack([names[:, None], space.points])
    together = np.vstack(COMM.allgather(places))
    together = together[np.argsort(together[:, 0], kind="stable")]
    same = np.diff(together[:, 0]) == 0
    np.testing.assert_allclose(np.diff(together[:, 1:], axis=0)[same], 0, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_means_of_cells_of_a_linear_function_are_its_values_in_the_middle(cell):
    space = points(cell, 1)
    mesh = space.mesh
    middle = mesh.points[mesh.cells[: mesh.n_owned_cells]].mean(axis=1)
    found = space.cell_means(polynomial(space.points, 1))
    np.testing.assert_allclose(found, polynomial(middle, 1), rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_integrals_take_the_rows_at_their_points_and_recovered_values_on_facets(cell):
    space = points(cell, 1)
    rows, evaluator = polynomial(space.points, 2), Evaluator(space.mesh)
    fields = {"a": (space, rows)}
    # the rule is exact for the quadratic function whose values the rows are
    exact = evaluator.integrate(lambda p: at(p, 2), 0.0, {}, degree=4)
    found = evaluator.integrate(lambda p: p.fields["a"].value, 0.0, fields, degree=2)
    assert found == pytest.approx(exact, rel=1e-12)
    assert evaluator.integrate(lambda p: p.before["a"] - p.fields["a"].value, 0.0, fields, degree=2) == 0
    linear = {"a": (space, polynomial(space.points, 1))}
    on = Part(boundary="left")
    line = evaluator.integrate(lambda p: at(p, 1), 0.0, {}, on)
    assert evaluator.integrate(lambda p: p.fields["a"].value, 0.0, linear, on) == pytest.approx(
        line, rel=1e-12
    )
    with pytest.raises(AttributeError, match="no gradient"):
        evaluator.integrate(lambda p: p.fields["a"].grad[..., 0], 0.0, fields, degree=2)


def test_a_tensor_has_three_rows_on_any_mesh():
    space = Space(box("triangle", (2, 2)), 1)
    assert quadrature_space(space, FieldSpec("strain", "1", "tensor"), 2).components == 9
    assert quadrature_space(space, FieldSpec("slip", "m", "vector"), 2).components == 2
