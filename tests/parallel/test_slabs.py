"""Slabs over ranks: rates, tangents and gradients are those of one rank."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mpi4py import MPI

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "volumes"))
from volume_cases import function, means, scheme

from plexus.models.volumes.form import CellForm
from plexus.models.volumes.sides import Mixed, Outflow, Prescribed

pytestmark = pytest.mark.mpi
COMM = MPI.COMM_WORLD
BURGERS = {"type": "burgers", "viscosity": 0.03, "source": "sin(3*x)*velocity"}
RULES = {
    (0, 0): Prescribed(function("1 + y")),
    (0, 1): Outflow(),
    (1, 0): Mixed(function("2 + 0*x"), function("x")),
    (1, 1): Prescribed(function("x*t")),
}
LINE = {(0, 0): Prescribed(function("1 + t + 0*x")), (0, 1): Outflow()}
START = "1 + sin(2*pi*x) + 0.3*cos(5*x)"
CASES = [((31,), None), ((29,), LINE), ((14, 9), None), ((15, 10), RULES)]


def twins(cells, rules, reconstruction):
    """Return the scheme over all ranks and the same one on this rank alone."""
    return [scheme(BURGERS, cells, reconstruction, "godunov", rules, comm=c) for c in (COMM, MPI.COMM_SELF)]


def own(made, whole):
    """Return this rank's rows of a tensor of the whole grid."""
    return whole.narrow(-made.dim, made.slab.rows[0], made.slab.shape[0])


@pytest.mark.parametrize(("cells", "rules"), CASES)
@pytest.mark.parametrize("reconstruction", ["upwind", "muscl", "weno5"])
def test_rates_limits_and_outflows_are_those_of_one_rank(reconstruction, cells, rules):
    ours, alone = twins(cells, rules, reconstruction)
    u, whole = means(ours, START), means(alone, START)
    np.testing.assert_allclose(ours.rates(u, 0.4), own(ours, alone.rates(whole, 0.4)), rtol=0, atol=1e-11)
    assert ours.longest(u, 0.4) == pytest.approx(alone.longest(whole, 0.4), rel=1e-13)
    for key in rules or {}:
        np.testing.assert_allclose(
            ours.outflow(u, 0.4, *key), alone.outflow(whole, 0.4, *key), rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize(("cells", "rules"), CASES)
@pytest.mark.parametrize("reconstruction", ["muscl", "weno5"])
def test_gradients_cross_ranks(reconstruction, cells, rules):
    found = []
    for made in twins(cells, rules, reconstruction):
        leaf = means(made, START).requires_grad_()
        # each rank's part of one sum
        (made.rates(leaf + 1e-3 * made.rates(leaf, 0.0), 0.1) ** 2).sum().backward()
        found.append((made, leaf.grad))
    (ours, mine), (_, whole) = found
    scale = float(whole.abs().max())
    np.testing.assert_allclose(mine / scale, own(ours, whole) / scale, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("cells", "rules"), CASES)
@pytest.mark.parametrize("reconstruction", ["muscl", "weno5"])
def test_tangents_are_those_of_one_rank(reconstruction, cells, rules):
    products = []
    for made in twins(cells, rules, reconstruction):
        form = CellForm(made, "velocity", 1)
        u = means(made, START).reshape(-1, 1).numpy()
        mat = form.jacobian(0.4, u, 0 * u, 3.0, {})
        x, y = mat.createVecs()
        x.setArray(means(made, "cos(9*x)").numpy().ravel())
        mat.mult(x, y)
        products.append((made, torch.tensor(y.getArray().reshape(made.slab.shape))))
    (ours, mine), (_, whole) = products
    scale = float(whole.abs().max())
    np.testing.assert_allclose(mine / scale, own(ours, whole) / scale, rtol=0, atol=1e-10)
