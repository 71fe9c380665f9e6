"""Active fluids on several ranks give what one process gives: states, monitors, fields, gradients."""

import sys
from pathlib import Path

import pytest
import torch
from mpi4py import MPI

sys.path.insert(0, str(Path(__file__).parent.parent / "unit" / "active_fluid"))
from fluids import SIZE, fluid, relative, run, within

from plexus.physics.active_fluid_kinetic import ActiveFluidKinetic, ActiveFluidKineticParams
from plexus.spaces.fourier import Fourier

pytestmark = pytest.mark.mpi
CASES = [
    (8, None, "lagged", 50),
    (8, None, "fixed_point", 5),
    (8, None, "krylov", 5),
    (1, "bingham", "lagged", 50),
    (2, "autoregressive", "lagged", 50),
]


def pair(cells, closure, **params):
    """Return the same model on all ranks together and on this rank alone."""
    return [fluid(cells, closure, comm=comm, **params) for comm in (MPI.COMM_WORLD, None)]


@pytest.mark.parametrize(("order", "closure", "method", "steps"), CASES)
def test_steps_are_the_same_on_any_number_of_ranks(order, closure, method, steps):
    choice = {"order": order, "alpha": -3, "amplitude": 1.5, "passive_stress": method}
    together, alone = pair(25, closure, **choice)
    ends = [run(model, 0.01 * steps, 0.01) for model in (together, alone)]
    label = f"AF9 {closure}, order {order}, {method}, {steps} steps on {MPI.COMM_WORLD.size} ranks"
    within(label, relative(together.space.gather_hat(ends[0]), ends[1]), 1e-10)
    seen, known = (
        model.monitor(hat, 0.01 * steps) for model, hat in zip((together, alone), ends, strict=True)
    )
    for name in ("speed", "order", "order_max", "outside", "rate"):
        assert seen[name] == pytest.approx(known[name], rel=1e-9)
    assert abs(seen["mass"]) < 1e-12
    for name in ("velocity", "stress", "director"):
        whole = together.space.gather(together.derived(name, ends[0], 0.01 * steps))
        assert torch.allclose(whole, alone.derived(name, ends[1], 0.01 * steps), atol=1e-8)


def test_the_kinetic_grid_is_the_same_on_any_number_of_ranks():
    params = ActiveFluidKineticParams(angles=24, alpha=-3, amplitude=1.0)
    models = [
        ActiveFluidKinetic(params).model(Fourier((16, 12), (SIZE, 7.0), comm), seed=3)
        for comm in (MPI.COMM_WORLD, None)
    ]
    ends = [run(model, 0.2, 0.01) for model in models]
    assert relative(models[0].space.gather_hat(ends[0]), ends[1]) <= 1e-10


@pytest.mark.parametrize("method", ["lagged", "krylov"])
def test_gradients_are_the_same_on_any_number_of_ranks(method):
    found = []
    for model in pair(
        16, None, order=3, amplitude=1.5, passive_stress={"method": method, "tolerance": 1e-12}
    ):
        alpha = torch.tensor(-3.0, dtype=torch.float64, requires_grad=True)
        model.change(type(model.medium)(alpha, 2.0, 1.0))
        hat, memory = model.initial(), None
        for n in range(3):
            rates, memory = model.rates(hat, 0.01 * n, memory)
            hat = hat + 0.01 * rates
        model.space.power(hat).sum().backward()
        found.append(alpha.grad)
    total = MPI.COMM_WORLD.allreduce(float(found[0]))
    assert total == pytest.approx(float(found[1]), rel=1e-8)
