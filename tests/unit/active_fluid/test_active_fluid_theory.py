"""What theory says exactly: growth of the isotropic state, the uniform nematic, identities of the moments."""

import math

import numpy as np
import pytest
import torch
from fluids import fluid, growth_rate, run, waves, within

from plexus.models.suspension import spins
from plexus.models.suspension import waves as starts


@pytest.mark.parametrize(
    ("order", "closure"), [(8, None), (1, "bingham"), (1, "quadratic"), (2, "autoregressive")]
)
@pytest.mark.parametrize(("alpha", "zeta", "number"), [(-1, 1, 1), (-3, 0.5, 1), (-3, 0, 2)])
def test_isotropic_state_grows_at_the_predicted_rate(alpha, zeta, number, order, closure):
    x = 2 * math.pi * number * torch.arange(16) / 16
    moments = torch.zeros(order + 1, 16, 16, dtype=torch.complex128)
    moments[0] = 1
    moments[1] = 1e-8j * torch.cos(x)[:, None]  # the rods at 45° to the wave: the worst angle
    model = fluid(16, closure, initial={"moments": moments}, order=order, alpha=alpha, zeta=zeta)
    sizes = {}
    run(
        model,
        2.0,
        5e-3,
        every=200,
        callback=lambda t, hat: sizes.update({round(t, 6): float(hat[1].abs().max())}),
    )
    rate, predicted = math.log(sizes[2.0] / sizes[1.0]), growth_rate(alpha, zeta, number)
    within(
        f"AF1 growth {rate:.5f}, predicted {predicted:.5f}, relative error", abs(rate / predicted - 1), 2e-3
    )


@pytest.mark.parametrize(
    ("zeta", "dt", "end", "r"), [(0.5, 0.02, 50, 0.876823), (1, 0.01, 22, 0.945542), (3, 0.0032, 8, 0.982894)]
)
def test_uniform_nematic_has_the_order_of_maier_and_saupe(zeta, dt, end, r):
    d_r, c = 0.05, torch.ones(3, 3, dtype=torch.float64)
    nematic = torch.stack([0.85 * c, 0 * c, 0 * c, 0.15 * c])
    model = fluid(3, initial={"nematic": nematic}, order=40, zeta=zeta)
    f = model.space.inverse(run(model, end, dt))
    found = float(f[1].abs().max())
    within(f"AF2 zeta {zeta}, error of r", abs(found - starts.nematic(1, zeta / d_r)[1]), 1e-6)
    assert found == pytest.approx(r, abs=1e-6)
    within(f"AF2 zeta {zeta}, error of |f2|", abs(float(f[2].abs().max()) - (1 - 4 * d_r / zeta)), 1e-6)


def test_below_the_onset_the_nematic_start_is_isotropic():
    assert starts.nematic(3, 3.9).tolist() == [1, 0, 0, 0]


def test_tensors_are_those_of_a_distribution():
    theta = 2 * math.pi * np.arange(64) / 64
    psi = np.exp(np.cos(2 * theta - 0.7) + 0.5 * np.sin(4 * theta))[:, None, None] / 64 * np.ones((1, 2, 3))
    f = torch.as_tensor(np.stack([(np.exp(-2j * m * theta)[:, None, None] * psi).sum(0) for m in range(3)]))
    p = np.stack([np.cos(theta), np.sin(theta)])
    d = np.einsum("ia,ja,axy->ijxy", p, p, psi).reshape(4, 2, 3)
    s = np.einsum("ia,ja,ka,la,axy->ijklxy", p, p, p, p, psi)
    c = f[0].real
    assert np.allclose(spins.second_order(c, f[1]), d, atol=1e-14)
    whole = spins.fourth_order(c, f[1], f[2])
    assert np.allclose(
        whole,
        np.stack([s[0, 0, 0, 0], s[0, 0, 0, 1], s[0, 0, 1, 1], s[0, 1, 1, 1], s[1, 1, 1, 1]]),
        atol=1e-14,
    )
    a = np.array([[0.3, -0.2], [-0.2, 0.9]])
    want = np.einsum("ijklxy,kl->ijxy", s, a).reshape(4, 2, 3)
    given = torch.as_tensor(a).reshape(4, 1, 1).expand(4, 2, 3)
    assert np.allclose(spins.contract(whole, given), want, atol=1e-14)


def test_reflection_coefficients_tell_possible_moments_from_impossible_ones():
    f = waves(3, 8, 0.9)
    # f_m = f_1^m: only the first coefficient differs from 0
    assert float(spins.reflections(f).max()) == pytest.approx(float(f[1].abs().max()))
    c1 = torch.tensor(0.6 + 0.3j)
    radius, center = 1 - abs(c1) ** 2, c1**2
    for factor, outside in ((0.999, False), (1.001, True)):
        c2 = center + factor * radius * torch.exp(torch.tensor(0.4j))
        f = torch.stack([torch.ones(()), c1, c2]).reshape(3, 1, 1).to(torch.complex128)
        assert bool(spins.reflections(f) > 1) is outside
    assert math.isinf(float(spins.reflections(-f)))


@pytest.mark.parametrize("order", [2, 8])
def test_mass_and_traces_are_kept(order):
    """Mean concentration, tr D = c, tr(S:E) = D:E."""
    model = fluid(16, initial={"moments": waves(order, 16, 0.9)}, order=order, alpha=-3)
    hat = run(model, 0.5, 0.005)
    seen = model.monitor(hat, 0.5)
    within("AF5 drift of the mass", abs(seen["mass"]), 1e-12)
    within("AF5 tr(S:E) - D:E", seen["trace"], 1e-12)
    d = model.derived("nematic", hat, 0.5)
    trace = d[0] + d[3] - model.derived("concentration", hat, 0.5)[0]
    within("AF5 tr D - c", float(trace.abs().max()), 1e-12)
    assert seen["speed"] > 0.1
