"""The flow: Stokes inverse, the three ways to the constraint stress, the power identity, the memory."""

import math

import pytest
import torch
from fluids import SIZE, fluid, relative, run, waves, within

from plexus.models.suspension.medium import Medium
from plexus.models.suspension.passive import remember
from plexus.models.suspension.stokes import Stokes
from plexus.physics.active_fluid import ActiveFluid, ActiveFluidParams
from plexus.spaces.fourier import Fourier


def test_stokes_flow_of_a_single_wave_is_the_exact_one():
    """Σ_12 = cos(kx)·cos(qy): -∇²u + ∇P = ∇·Σ has ω̂ = -(k_x² - k_y²) Σ̂_12 / k²."""
    space = Fourier((12, 16), (SIZE, 7.0))
    x, y = space.points()
    k, q = 2 * math.pi / SIZE, 4 * math.pi / 7.0
    shear = torch.cos(k * x) * torch.cos(q * y)
    stokes = Stokes(space)
    flow = stokes.flow(stokes.stream(-2j * shear))
    square = k * k + q * q
    vorticity = -(k * k - q * q) / square * shear
    psi = vorticity / square  # -∇²ψ = ω
    assert torch.allclose(2 * flow.w, vorticity, atol=1e-14)
    u = -q / square**2 * -(k * k - q * q) * torch.cos(k * x) * torch.sin(q * y)
    v = k / square**2 * -(k * k - q * q) * torch.sin(k * x) * torch.cos(q * y)
    assert torch.allclose(flow.velocity, torch.stack([u, v]), atol=1e-14)
    assert torch.allclose(-flow.e.imag, (k * k - q * q) / 2 * psi, atol=1e-14)
    slope = k * q / square**2 * -(k * k - q * q) * torch.sin(k * x) * torch.sin(q * y)
    assert torch.allclose(flow.e.real, slope, atol=1e-14)


def test_stress_to_strain_is_minus_a_quarter_of_a_projection():
    space = Fourier((9, 12), (SIZE, SIZE))
    stokes = Stokes(space)
    draw = torch.Generator().manual_seed(3)
    s = torch.complex(*(torch.randn(9, 12, generator=draw, dtype=torch.float64) for _ in range(2)))
    once = -4 * stokes.strain(stokes.stream(s))
    assert torch.allclose(-4 * stokes.strain(stokes.stream(once)), once, atol=1e-13)
    assert float(space.inner(once, s).real) == pytest.approx(float(space.inner(once, once).real), rel=1e-12)


@pytest.mark.parametrize(
    ("beta", "method", "most"),
    [(0.8, "fixed_point", 14), (0.8, "krylov", 14), (8, "fixed_point", 50), (8, "krylov", 30)],
)
@pytest.mark.parametrize("order", [1, 8])
def test_power_identity_holds_after_the_constraint_stress_is_solved(order, beta, method, most):
    model = fluid(
        32, "bingham" if order == 1 else None, initial={"moments": waves(order, 32, 0.95)}, order=order,
        alpha=-3, beta=beta, passive_stress={"method": method, "max": most},
    )  # fmt: skip
    hat = run(model, 0.05, 0.005)
    seen = model.monitor(hat, 0.05)
    within(f"AF6 beta {beta} {method}, {seen['sweeps']:.0f} sweeps, power residual", seen["power"], 1e-8)
    within("AF6 sweeps", seen["sweeps"], most)
    assert seen["speed"] > 0.05
    assert seen["passive"] >= 0


def test_all_ways_to_the_constraint_stress_lead_to_one_flow():
    ends = {}
    for method in ("lagged", "fixed_point", "krylov"):
        model = fluid(24, initial={"moments": waves(8, 24, 0.9)}, order=8, alpha=-3, passive_stress=method)
        ends[method] = run(model, 0.5, 0.005)
    assert relative(ends["krylov"], ends["fixed_point"]) < 1e-8
    assert relative(ends["lagged"], ends["fixed_point"]) < 1e-4


@pytest.mark.parametrize("method", ["lagged", "fixed_point", "krylov"])
def test_gradients_pass_the_flow(method):
    """A step's derivative with respect to the constants and the state, against differences."""
    moments = waves(3, 12, 0.7)
    model = fluid(12, order=3, alpha=-3, beta=2.0, passive_stress={"method": method, "tolerance": 1e-12})
    hat = model.space.forward(moments)
    _, memory = model.rates(hat, 0.0, None)
    draw = torch.Generator().manual_seed(1)
    probe = torch.complex(*(torch.randn(hat.shape, generator=draw, dtype=torch.float64) for _ in range(2)))

    def loss(alpha, zeta, beta, size):
        model.change(type(model.medium)(alpha, beta, zeta, 0.05, 0.05))
        state = hat * torch.stack([torch.ones_like(size), size, size, size]).reshape(4, 1, 1)
        rates, _ = model.rates(state, 0.1, remember(memory, 0.05, model.snapshot(state, 0.05, memory).flow))
        return (rates * probe.conj()).real.sum()

    values = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (-3.0, 1.0, 2.0, 0.9)]
    loss(*values).backward()
    for i, value in enumerate(values):
        ends = []
        for shift in (1e-5, -1e-5):
            moved = [v.detach() + shift * (j == i) for j, v in enumerate(values)]
            ends.append(float(loss(*moved)))
        assert float(value.grad) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6)


def test_memory_restores_the_lagged_strain_rate():
    model = fluid(16, initial={"moments": waves(4, 16, 0.8)}, order=4, alpha=-3)
    hat = run(model, 0.1, 0.01)
    kept = model.memory()
    again = fluid(16, order=4, alpha=-3)
    again.restore(kept)
    assert torch.equal(again.explicit(hat, 0.1), model.explicit(hat, 0.1))
    assert again.memory()["strain"].shape == (8, 16, 16)
    again.reset()
    assert again.memory() == {}


def test_strain_rate_is_continued_linearly_and_repeated_times_replace():
    model = fluid(8, order=1)
    flow = model.snapshot(model.initial(), 0.0, None).flow
    at = [flow._replace(e=flow.e * 0 + v, w=flow.w * 0 + v) for v in (1.0, 2.0, 5.0)]
    memory = remember(remember(None, 0.0, at[0]), 1.0, at[1])
    assert complex(memory.at(2.0)[0][0, 0]) == 3
    assert complex(memory.at(9.0)[0][0, 0]) == 4  # not further than two intervals
    replaced = remember(memory, 1.0, at[2])
    assert (replaced.t_before, complex(replaced.at(1.5)[0][0, 0])) == (0.0, 7.0)
    back = remember(memory, -1.0, at[2])
    assert complex(back.at(3.0)[0][0, 0]) == 5


@pytest.mark.parametrize("method", ["lagged", "fixed_point", "krylov"])
def test_a_batch_with_constants_of_its_own_is_many_runs(method):
    """Constants of shape (B, 1, 1) beside states (B, K+1, ...)."""
    choice = {"order": 3, "passive_stress": {"method": method, "tolerance": 1e-13}}
    columns = {
        "alpha": (-1.0, -3.0),
        "beta": (0.8, 2.0),
        "zeta": (1.0, 0.3),
        "d_T": (0.05, 0.1),
        "d_R": (0.05, 0.02),
    }
    start = {"moments": waves(3, 12, 0.7)}
    ends = [
        run(fluid(12, initial=start, **choice, **{k: v[b] for k, v in columns.items()}), 0.1, 0.01)
        for b in (0, 1)
    ]
    model = fluid(12, initial=start, **choice)
    model.change(Medium(*(torch.tensor(v, dtype=torch.float64).reshape(2, 1, 1) for v in columns.values())))
    together = run(model, 0.1, 0.01, hat=model.initial().expand(2, 4, 12, 12))
    assert relative(together, torch.stack(ends)) < 1e-10


def test_single_precision_follows_double():
    ends = []
    for dtype in (torch.float64, torch.float32):
        space = Fourier((16, 16), (SIZE, SIZE), dtype=dtype)
        model = ActiveFluid(ActiveFluidParams(order=4, alpha=-3, amplitude=1.5)).model(space, seed=1)
        ends.append(run(model, 0.2, 0.01))
        assert model.snapshot(ends[-1], 0.2, None).sweeps < 10
    assert ends[1].dtype == torch.complex64
    assert relative(ends[1].to(torch.complex128), ends[0]) < 1e-5
