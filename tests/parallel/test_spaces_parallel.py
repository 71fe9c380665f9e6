"""The same numbers on every rank count: each rank repeats the whole problem alone and compares.

Nodes are matched by their coordinates, which are unique in a box.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

sys.path.insert(0, str(Path(__file__).parent.parent / "unit" / "spaces"))
from space_cases import CELLS, Diffusion, Elasticity, box, cubes, far

from plexus.spaces.assembly import Form
from plexus.spaces.evaluate import Evaluator, Part
from plexus.spaces.lagrange import Space
from plexus.spaces.locate import Located

pytestmark = pytest.mark.mpi
CASES = [(cell, degree) for cell in CELLS for degree in (1, 2)]


def twins(cell, degree, components, periodic=(), scalar=None):
    """The partitioned space and the same one on this rank alone, with the map from its nodes."""
    spaces = [
        Space(box(cell, cubes(cell, 4), periodic, comm=comm), degree, components, scalar=scalar)
        for comm in (MPI.COMM_WORLD, MPI.COMM_SELF)
    ]
    keys = [np.rint(s.points @ np.array([1e6, 1e3, 1])[: s.mesh.dim] * 64).astype(np.int64) for s in spaces]
    order = np.argsort(keys[1])
    place = order[np.searchsorted(keys[1], keys[0], sorter=order)]
    assert np.allclose(spaces[0].points, spaces[1].points[place])
    return *spaces, place


def wave(x):
    y = x[:, :2][:, -1]
    return np.sin(2 * np.pi * x[:, 0]) + np.cos(2 * np.pi * x[:, -1]) * y * (1 - y)


@pytest.mark.parametrize(("cell", "degree"), CASES)
@pytest.mark.parametrize(
    "equation", [Diffusion(k=lambda x: 1 + x[..., -1], r=0.3), Elasticity()], ids=["scalar", "vector"]
)
@pytest.mark.parametrize("periodic", [False, True])
def test_residual_and_matrix_action(cell, degree, equation, periodic):
    d = len(cubes(cell, 4))
    axes = tuple(a == 0 and periodic for a in range(d))
    space, alone, place = twins(
        cell, degree, equation.field.components(d), axes, equation.field.shape == "scalar"
    )
    results = []
    for s in (space, alone):
        u = s.interpolate(lambda x: wave(x)[:, None])
        fixed = np.zeros((s.n_local, s.components), dtype=bool)
        # a periodic line has no ends
        if far(cell) in s.mesh.boundaries:
            fixed[s.facet_nodes(far(cell)), 0] = True
        form = Form(s, equation, fixed=fixed)
        r = form.residual(0, u, None, {})
        x, y = s.vector(), s.vector()
        x.setArray(u[: s.n_owned].ravel())
        form.jacobian(0, u, None, 0, {}).mult(x, y)
        results.append((r, y.getArray().reshape(r.shape).copy()))
    own = place[: space.n_owned]
    for ours, whole in zip(*results, strict=True):
        assert np.allclose(ours, whole[own], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_recovered_fields_integrals_extrema_and_positions(cell, degree):
    space, alone, place = twins(cell, degree, 1)
    xs = np.random.default_rng(3).random((20, space.mesh.dim))
    xs[:3] = [[0.5] * space.mesh.dim, [0.25] * space.mesh.dim, [1.0] * space.mesh.dim]
    results = []
    for s in (space, alone):
        u = s.interpolate(wave)
        fields = {"u": (s, u)}
        e = Evaluator(s.mesh)
        gradient = e.at_nodes(lambda p: p.fields["u"].grad, 0, fields, s)
        energy = e.integrate(lambda p: (p.fields["u"].grad ** 2).sum(axis=2), 0, fields)
        flux = e.integrate(
            lambda p: (p.fields["u"].grad * p.normal).sum(axis=2), 0, fields, Part(boundary="left")
        )
        top = e.extremum(lambda p: p.fields["u"].value + 1e-3 * p.x[..., 0], 0, fields)
        probe = Located(s.mesh, xs).evaluate(s, u)
        results.append((gradient, energy, flux, top.value, probe))
    ours, whole = results
    assert np.allclose(ours[0], whole[0][place], rtol=0, atol=1e-12)
    assert ours[1:4] == pytest.approx(whole[1:4], rel=1e-12, abs=1e-12)
    assert np.allclose(ours[4], whole[4], rtol=0, atol=1e-13)


def test_a_rank_without_cells():
    mesh = box("triangle", (1, 1))
    space = Space(mesh, 1)
    assert space.n_global == 4
    form = Form(space, Diffusion(s=1.0))
    total = space.comm.allreduce(form.residual(0, space.zeros(), None, {}).sum())
    assert total == pytest.approx(-1.0)
    assert form.jacobian(0, space.zeros(), None, 0, {}).norm() > 0
    e = Evaluator(mesh)
    assert e.integrate(lambda p: p.x, 0, {}) == pytest.approx([0.5, 0.5])
    assert e.at_nodes(lambda p: p.x, 0, {}, space).shape == (space.n_local, 2)
    assert Located(mesh, np.array([[0.3, 0.2]])).evaluate(space, space.points)[0] == pytest.approx([0.3, 0.2])
