"""Residuals and Jacobians: against dense references, against each other, boundary terms, backends."""

from dataclasses import dataclass

import numpy as np
import pytest
from space_cases import CELLS, Diffusion, Elasticity, box, cubes, dense, far, gathered, space_of

from plexus.protocols import Flux, Tangent
from plexus.spaces import coo, matrix
from plexus.spaces.assembly import Form
from plexus.spaces.lagrange import Space

CASES = [(cell, degree) for cell in CELLS for degree in (1, 2)]


def wavy(x):
    return np.sin(2 * x[:, 0]) + x[:, -1] ** 2


@dataclass
class Robin:
    """f0 = h (u - a)."""

    h: float = 2.0
    a: float = 0.5

    def flux(self, p):
        return Flux(f0=self.h * (p.u - self.a))

    def tangent(self, p):
        return Tangent(c00=self.h * p.one, symmetric=True)


@dataclass
class Pressure:
    """f0 = P n on a vector field, following nothing."""

    def flux(self, p):
        return Flux(f0=3.0 * p.normal)

    def tangent(self, p):
        return Tangent()


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_jacobian_is_the_derivative_of_the_residual(cell, degree):
    space = Space(box(cell, cubes(cell, 2), degree=degree), degree)
    equation = Diffusion(k=lambda x: 1 + x[..., 0], r=0.3, s=1.0, c=2.0)
    form = Form(space, equation, [("left", Robin()), (far(cell), Robin(h=0.7))])
    u, v = space.interpolate(wavy), space.interpolate(lambda x: np.cos(3 * x[:, 0] * x[:, -1]))
    shift = 5.0
    change = form.residual(0, u + v, shift * v, {}) - form.residual(0, u, None, {})
    product = apply(space, form.jacobian(0, u, None, shift, {}), v)
    assert np.allclose(product, change, atol=1e-12)
    assert form.symmetric


def apply(space, mat, u):
    x, y = space.vector(), space.vector()
    x.setArray(u[: space.n_owned].ravel())
    mat.mult(x, y)
    return y.getArray().reshape(-1, space.components).copy()


@pytest.mark.parametrize(("cell", "degree"), CASES)
@pytest.mark.parametrize(
    "equation", [Diffusion(k=lambda x: 1 + x[..., 0] ** 2, r=0.3), Elasticity()], ids=["scalar", "vector"]
)
def test_matrix_against_dense_reference(cell, degree, equation):
    mesh = box(cell, cubes(cell, 2), degree=degree)
    space = space_of(mesh, degree, equation)
    form = Form(space, equation)
    got = gathered(form.jacobian(0, space.zeros(), None, 0, {}))
    expected = dense(form)
    assert np.allclose(got, expected, atol=1e-12 * abs(expected).max())


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("backend", ["reference", "native", "torch"])
@pytest.mark.parametrize(
    "equation",
    [Diffusion(k=lambda x: 1 + x[..., 0] ** 2, r=0.3, s=1.0), Diffusion(), Elasticity()],
    ids=["variable", "constant", "vector"],
)
def test_backends_agree(cell, backend, equation):
    mesh = box(cell, cubes(cell, 2))
    space = space_of(mesh, 2, equation)
    u = space.interpolate(lambda x: np.sin(x @ np.arange(1, mesh.dim + 1))[:, None])
    fixed = np.zeros((space.n_local, space.components), dtype=bool)
    fixed[space.facet_nodes("left"), 0] = True
    terms = [("right", Robin())] if space.scalar else [("right", Pressure())]
    forms = [Form(space, equation, terms, fixed=fixed, backend=b) for b in ("auto", backend)]
    residuals = [f.residual(0, u, None, {}) for f in forms]
    matrices = [gathered(f.jacobian(0, u, None, 0, {})) for f in forms]
    assert np.allclose(*residuals, rtol=0, atol=1e-12)
    assert np.allclose(*matrices, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_fixed_unknowns_become_identity_symmetrically(cell):
    mesh = box(cell, cubes(cell, 2))
    space = space_of(mesh, 1, Elasticity())
    fixed = np.zeros((space.n_local, mesh.dim), dtype=bool)
    fixed[space.facet_nodes("left")] = True
    fixed[space.facet_nodes(far(cell)), -1] = True
    free = Form(space, Elasticity())
    form = Form(space, Elasticity(), fixed=fixed)
    u = space.interpolate(lambda x: x**2)
    full = gathered(free.jacobian(0, u, None, 0, {}))
    reduced = gathered(form.jacobian(0, u, None, 0, {}))
    flags = np.concatenate(space.comm.allgather(fixed[: space.n_owned].ravel()))
    expected = np.where(flags[:, None] | flags[None], np.diag(flags.astype(float)), full)
    assert np.allclose(reduced, expected, atol=1e-12)
    residual = form.residual(0, u, None, {})
    assert (residual[fixed[: space.n_owned]] == 0).all()
    reactions = form.reactions(0, u, None, {})
    assert np.allclose(reactions, free.residual(0, u, None, {}))


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_patch(cell, degree):
    """A linear field under constant strain is in balance at every free node."""
    mesh = box(cell, cubes(cell, 3))
    space = space_of(mesh, degree, Elasticity())
    fixed = np.zeros((space.n_local, mesh.dim), dtype=bool)
    fixed[space.facet_nodes("exterior")] = True
    slope = np.arange(1.0, mesh.dim**2 + 1).reshape(mesh.dim, mesh.dim)
    u = space.interpolate(lambda x: x @ slope.T)
    residual = Form(space, Elasticity(), fixed=fixed).residual(0, u, None, {})
    assert np.abs(residual).max() < 1e-12


@pytest.mark.parametrize("cell", CELLS)
def test_pressure_balances(cell):
    """The resultant of a constant pressure on a closed surface vanishes; on one side it is p·area."""
    mesh = box(cell, cubes(cell, 2))
    space = space_of(mesh, 2, Elasticity())
    u = space.zeros()

    def resultant(boundary):
        r = Form(space, Elasticity(), [(boundary, Pressure())]).residual(0, u, None, {})
        return space.comm.allreduce(r.sum(axis=0))

    assert np.allclose(resultant("exterior"), 0, atol=1e-12)
    expected = np.zeros(mesh.dim)
    expected[0] = 3.0
    assert np.allclose(resultant("right"), expected, atol=1e-12)


def test_measure_scales_volume_and_boundary():
    space = Space(box("triangle", (3, 3)), 1)
    u = space.interpolate(wavy)
    forms = [Form(space, Diffusion(s=1.0, thickness=h), [("left", Robin())]) for h in (None, 0.25)]
    thick, thin = (f.residual(0, u, None, {}) for f in forms)
    assert np.allclose(0.25 * thick, thin, atol=1e-14)
    thick, thin = (gathered(f.jacobian(0, u, None, 0, {})) for f in forms)
    assert np.allclose(0.25 * thick, thin, atol=1e-14)


def test_other_fields_are_seen():
    space, other = Space(box("quadrilateral", (3, 3)), 1), Space(box("quadrilateral", (3, 3)), 2, 2)

    class Driven(Diffusion):
        def flux(self, p):
            return Flux(f0=p.fields["v"].value[..., 0] + p.fields["v"].grad[..., 1, 1])

    form = Form(space, Driven(), spaces={"v": other})
    v = other.interpolate(lambda x: np.stack([x[:, 0], x[:, 1] ** 2], axis=1))
    total = space.comm.allreduce(form.residual(0, space.zeros(), None, {"v": v}).sum())
    assert total == pytest.approx(0.5 + 1.0)


def test_regions_select_cells():
    mesh = box("triangle", (4, 4))
    x = mesh.points[mesh.vertices].mean(axis=1)
    mesh.regions["west"] = np.flatnonzero(x[:, 0] < 0.5).astype(np.int32)
    space = Space(mesh, 1)

    class Halves(Diffusion):
        def flux(self, p):
            return Flux(f0=1.0 * p.regions["west"] + 0 * p.u)

    total = space.comm.allreduce(Form(space, Halves()).residual(0, space.zeros(), None, {}).sum())
    assert total == pytest.approx(0.5)


@pytest.mark.parametrize("way", ["ctypes", "rows"])
def test_every_way_into_petsc_gives_the_same_matrix(way, monkeypatch):
    space = Space(box("tetrahedron", (2, 2, 2)), 1, 3)
    standard = gathered(Form(space, Elasticity()).jacobian(0, space.zeros(), None, 0, {}))
    library = coo._library()
    if way == "ctypes" and library is None:
        pytest.skip("this petsc4py hides the C functions")
    ways = {"ctypes": lambda *a: coo._by_ctypes(library, *a), "rows": coo._by_rows}
    monkeypatch.setattr(matrix, "coo", ways[way])
    form = Form(space, Elasticity())
    for _ in range(2):
        other = gathered(form.jacobian(0, space.zeros(), None, 0, {}))
        assert np.array_equal(standard, other)
    assert form.matrix.mat.getBlockSizes() == (3, 3)


@pytest.mark.parametrize("components", [1, 2])
def test_eliminated_pairs_are_those_of_cells_at_prescribed_unknowns(components):
    space = Space(box("triangle", (3, 2)), 1, components)
    fixed = np.zeros((space.n_local, components), dtype=bool)
    fixed[space.facet_nodes("left"), -1] = True
    found = matrix.CooMatrix(space, space.cell_nodes, fixed).eliminated()
    some = fixed.any(axis=1)
    tied = {(int(i), int(j)) for nodes in space.cell_nodes for i in nodes for j in nodes}
    assert sorted(zip(*map(np.ndarray.tolist, found), strict=True)) == sorted(
        (i, j) for i, j in tied if i < space.n_owned and (some[i] or some[j])
    )
