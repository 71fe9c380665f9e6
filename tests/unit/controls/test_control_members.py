"""Controls by themselves: the start is met exactly, slopes are those of differences, norms are integrals."""

import numpy as np
import pytest
import torch

from plexus import registry
from plexus.deck.context import Context

NETWORK = {
    "unit": "W/(m K)",
    "inputs": {"temperature": ["300 K", "600 K"], "x": [0.0, 1.0]},
    "hidden": [5, 4],
    "seed": 2,
}


def made(name, **given):
    component = registry.component("control", name)
    return component.cls(component.params.model_validate(given, context=Context()))


def places(n=40):
    rng = np.random.default_rng(1)
    return {"temperature": rng.uniform(300, 600, (n, 3)), "x": rng.uniform(0, 1, (n, 3))}


@pytest.mark.parametrize("positive", [True, False])
def test_a_network_starts_exactly_where_the_deck_says(positive):
    net = made("network", start="20 W/(m K)", positive=positive, **NETWORK)
    assert (net.value(net.begin(None), places()) == 20.0).all()


@pytest.mark.parametrize("positive", [True, False])
def test_slopes_of_a_network_are_those_of_differences(positive):
    net = made("network", start=20.0, positive=positive, **NETWORK)
    theta = net.begin(None) + 0.3 * np.random.default_rng(5).normal(size=len(net.begin(None)))
    at = places()
    for name, h in (("temperature", 1e-3), ("x", 1e-5)):
        ends = [net.value(theta, at | {name: at[name] + s * h}) for s in (1, -1)]
        np.testing.assert_allclose(
            net.slope(theta, at, name), (ends[0] - ends[1]) / (2 * h), rtol=1e-6, atol=1e-8
        )


def test_a_positive_network_stays_positive_whatever_its_weights_are():
    net = made("network", start=20.0, positive=True, **NETWORK)
    for seed in range(20):
        theta = 10 * np.random.default_rng(seed).normal(size=len(net.begin(None)))
        assert (net.value(theta, places()) > 0).all()


def test_tensors_give_the_same_values():
    net = made("network", start=20.0, positive=True, **NETWORK)
    theta, at = net.begin(None) + 0.1, places()
    tensors = {name: torch.from_numpy(a) for name, a in at.items()}
    np.testing.assert_allclose(
        net.value(torch.from_numpy(theta), tensors).numpy(), net.value(theta, at), rtol=1e-13
    )


def test_the_norms_of_a_table_are_integrals():
    """∫ m² and ∫ m'² of a piecewise linear function, by a fine sum."""
    table = made("table", unit="K", knots=[0, 1, 4, 5.5], start=[1.0, 3.0, -1.0, 2.0])
    mass, stiff = table.grams()
    m = table.begin(None)
    t = (np.arange(200_000) + 0.5) * 5.5 / 200_000
    values = np.interp(t, [0, 1, 4, 5.5], m)
    assert m @ mass @ m == pytest.approx((values**2).mean() * 5.5, rel=1e-6)
    slopes = np.diff(m) / np.diff([0, 1, 4, 5.5])
    assert m @ stiff @ m == pytest.approx((slopes**2 * np.diff([0, 1, 4, 5.5])).sum())
