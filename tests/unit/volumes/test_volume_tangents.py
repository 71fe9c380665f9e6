"""The tangent of the implicit form is the derivative of its residual, for all stencils, sides and fields."""

import numpy as np
import pytest
import torch
from mpi4py import MPI
from volume_cases import function, means, scheme

from plexus.errors import InputError
from plexus.mesh.grid import Grid
from plexus.models.volumes.form import CellForm
from plexus.models.volumes.sides import Mixed, Outflow, Prescribed
from plexus.spaces.slabs import Slab

PHYSICS = {"type": "burgers", "viscosity": 0.05, "source": "sin(3*x)*velocity"}
LINE = {(0, 0): Prescribed(function("1 + 0*x")), (0, 1): Outflow()}
SQUARE = LINE | {(1, 0): Mixed(function("2 + 0*x"), function("x")), (1, 1): Prescribed(function("x"))}


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize(
    ("cells", "rules"), [((13,), None), ((12,), LINE), ((11, 9), None), ((9, 10), SQUARE)]
)
@pytest.mark.parametrize("reconstruction", ["upwind", {"type": "muscl", "limiter": "van_leer"}, "weno5"])
def test_the_tangent_is_the_derivative(reconstruction, cells, rules, members):
    made = scheme(PHYSICS, cells, reconstruction, "rusanov", rules)
    form = CellForm(made, "velocity", members)
    rng = np.random.default_rng(1)
    smooth = means(made, "1.5 + sin(2*pi*x)").reshape(-1, 1).numpy()
    u = smooth + 0.1 * rng.random((form.space.n_owned, members))
    direction, rate, h = rng.standard_normal(u.shape), np.zeros_like(u), 1e-6
    mat = form.jacobian(0.3, u, rate, 7.0, {})
    x, y = mat.createVecs()
    x.setArray(direction.ravel())
    mat.mult(x, y)
    plus, minus = (form.residual(0.3, u + s * h * direction, s * h * 7.0 * direction, {}) for s in (1, -1))
    expected = (plus - minus) / (2 * h)
    np.testing.assert_allclose(
        y.getArray().reshape(u.shape), expected, rtol=1e-5, atol=1e-5 * abs(expected).max()
    )


def test_a_short_periodic_axis_is_refused():
    made = scheme(PHYSICS, (5,), "weno5")
    with pytest.raises(InputError, match=r"mesh\.cells: 5 cells along x; implicit steppers need 9 here"):
        _ = CellForm(made, "velocity", 1).matrix


def test_a_slab_thinner_than_the_stencil_is_refused():
    with pytest.raises(
        InputError, match=r"mesh\.cells: 3 cells along x on 1 rank; this reconstruction needs 4"
    ):
        Slab(Grid(MPI.COMM_SELF, (3,), (1.0,))).require(4)
    assert torch.equal(Slab(Grid(MPI.COMM_SELF, (3,), (1.0,))).extended(torch.arange(3.0)[None, None], 1),
                       torch.tensor([[[2.0, 0.0, 1.0, 2.0, 0.0]]]))  # fmt: skip
