"""Integrals, extrema, nodal recovery, errors and positions: exact where the space is (any rank count)."""

import numpy as np
import pytest
from space_cases import CELLS, box, cubes

from plexus.errors import InputError
from plexus.spaces.evaluate import Evaluator, Part, h1_error, l2_error
from plexus.spaces.lagrange import Space
from plexus.spaces.locate import Located

CASES = [(cell, degree) for cell in CELLS for degree in (1, 2)]


def split(mesh):
    """Name the half x < 1/2 of a box."""
    x = mesh.points[mesh.vertices].mean(axis=1)
    mesh.regions["west"] = np.flatnonzero(x[:, 0] < 0.5).astype(np.int32)
    return mesh


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_integrals_over_parts(cell, degree):
    mesh = split(box(cell, cubes(cell, 4), degree=degree))
    evaluate = Evaluator(mesh).integrate
    assert evaluate(lambda p: p.one, 0, {}) == pytest.approx(1)
    assert evaluate(lambda p: p.x[..., 0] ** 3, 0, {}) == pytest.approx(1 / 4)
    assert evaluate(lambda p: p.x[..., 0], 0, {}, Part(region="west")) == pytest.approx(1 / 8)
    assert evaluate(lambda p: p.one, 0, {}, Part(boundary="right")) == pytest.approx(1)
    if mesh.dim > 1:
        assert evaluate(lambda p: p.x[..., 1] ** 2, 0, {}, Part(boundary="right")) == pytest.approx(1 / 3)
        assert evaluate(lambda p: p.one, 0, {}, Part("west", "top")) == pytest.approx(1 / 2)
    assert evaluate(lambda p: p.one, 0, {}, measure=lambda x: 2 * x[..., 0]) == pytest.approx(1)
    # the divergence theorem for the field x
    flux = evaluate(lambda p: (p.normal * p.x).sum(axis=2), 0, {}, Part(boundary="exterior"))
    assert flux == pytest.approx(mesh.dim)
    assert np.allclose(evaluate(lambda p: p.x, 0, {}), 0.5)


def test_unknown_parts_name_the_known_ones():
    mesh = split(box("triangle", (4, 4)))
    with pytest.raises(InputError, match="no region 'wst'; it has west"):
        Evaluator(mesh).integrate(lambda p: p.one, 0, {}, Part(region="wst"))


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_errors_vanish_for_polynomials_of_the_space(cell, degree):
    space = Space(box(cell, cubes(cell, 3)), degree)
    fields = {"u": (space, space.interpolate(lambda x: (x.sum(axis=1)) ** degree))}
    d = space.mesh.dim

    def gradient(p):
        return np.repeat(degree * p.x.sum(axis=2, keepdims=True) ** (degree - 1), d, axis=2)

    evaluator = Evaluator(space.mesh)
    assert l2_error(evaluator, "u", lambda p: p.x.sum(axis=2) ** degree, 0, fields) < 1e-13
    assert h1_error(evaluator, "u", gradient, 0, fields) < 1e-12
    assert l2_error(evaluator, "u", lambda p: p.x.sum(axis=2) ** degree + 2, 0, fields) == pytest.approx(2)


@pytest.mark.parametrize("cell", CELLS)
def test_extrema_tell_where(cell):
    mesh = split(box(cell, cubes(cell, 4)))
    space = Space(mesh, 2)
    centre = np.full(mesh.dim, 0.375)
    fields = {"u": (space, space.interpolate(lambda x: -((x - centre) ** 2).sum(axis=1)))}
    evaluator = Evaluator(mesh)

    def u(p):
        return p.fields["u"].value

    top = evaluator.extremum(u, 0, fields)
    assert top.value == pytest.approx(0, abs=1e-13)
    assert np.allclose(top.at, centre)
    low = evaluator.extremum(u, 0, fields, largest=False)
    assert np.allclose(low.at, 1)
    assert low.value == pytest.approx(-mesh.dim * 0.625**2)
    side = evaluator.extremum(u, 0, fields, Part(boundary="right"))
    assert np.allclose(side.at, [1, *centre[1:]])
    west = evaluator.extremum(lambda p: p.x[..., 0], 0, {}, Part(region="west"))
    assert west.value == pytest.approx(0.5)


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_recovery_is_exact_for_continuous_gradients(cell, degree):
    space = Space(box(cell, cubes(cell, 3)), degree)
    fields = {"u": (space, space.interpolate(lambda x: x[:, 0] ** degree + 3 * x[:, 1:2].sum(axis=1)))}
    recovered = Evaluator(space.mesh).at_nodes(lambda p: p.fields["u"].grad, 0, fields, space)
    expected = np.zeros_like(space.points)
    expected[:, 0] = degree * space.points[:, 0] ** (degree - 1)
    expected[:, 1:2] = 3
    assert recovered.shape == (space.n_local, space.mesh.dim)
    assert np.allclose(recovered, expected, atol=1e-12)


def test_recovery_of_constants_and_scalars():
    space = Space(box("triangle", (3, 3)), 2)
    assert np.allclose(Evaluator(space.mesh).at_nodes(lambda p: 2 * p.one, 0, {}, space), 2)


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_values_at_positions(cell, degree):
    mesh = box(cell, cubes(cell, 4), degree=degree)
    space = Space(mesh, degree)
    xs = np.random.default_rng(1).random((60, mesh.dim))
    xs[0], xs[1], xs[2] = 0.0, 1.0, 0.5
    found = Located(mesh, xs).evaluate(space, space.interpolate(lambda x: x @ np.arange(1, mesh.dim + 1)))
    assert np.allclose(found[:, 0], xs @ np.arange(1, mesh.dim + 1), atol=1e-12)


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle", "hexahedron"])
def test_positions_in_curved_cells(cell):
    mesh = box(cell, cubes(cell, 4), degree=2)
    mesh.points[:, 0] += 0.1 * np.sin(np.pi * mesh.points[:, 1])
    space = Space(mesh, 2)
    rng = np.random.default_rng(2)
    s = rng.random((40, mesh.dim)) * 0.9 + 0.05
    s[:, 0] += 0.1 * np.sin(np.pi * s[:, 1])
    linear = space.interpolate(lambda x: x[:, 0] - 2 * x[:, 1])
    assert np.allclose(Located(mesh, s).evaluate(space, linear)[:, 0], s[:, 0] - 2 * s[:, 1], atol=1e-12)


def test_positions_outside_are_refused_by_name():
    mesh = box("tetrahedron", (2, 2, 2))
    with pytest.raises(InputError, match=r"1 of 2 positions lie outside the mesh: \(0.5, 1.2, 0.5\)"):
        Located(mesh, np.array([[0.5, 0.5, 0.5], [0.5, 1.2, 0.5]]))
    with pytest.raises(InputError, match="3 coordinates"):
        Located(mesh, np.array([[0.5, 0.5]]))
