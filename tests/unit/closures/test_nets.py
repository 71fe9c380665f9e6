"""Networks: sizes of the published ones, the same weights from the same seed, and the operator's modes."""

import pytest
import torch
from closure_cases import Cells, make, state

from plexus.errors import InputError
from plexus.nets.dense import Dense
from plexus.nets.lowmodes import LowModes
from plexus.nets.modes import Axis


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_parameters_of_the_published_networks():
    grid = Cells(32, 32)
    assert count(make("tensor_basis").network) == 10_655
    assert count(make("fno", space=grid).network) == 2 * 10_240  # complex ones
    assert count(make("spin_network").network) == 1250


def test_seed_makes_the_weights():
    one, same, other = (Dense([3, 8, 2], seed=s).state_dict() for s in (1, 1, 2))
    assert all(torch.equal(one[k], same[k]) for k in one)
    assert not torch.equal(one["weights.0"], other["weights.0"])


def test_dense_is_the_formula():
    net = Dense([2, 4, 3], "tanh", seed=0).double()
    x = torch.rand(2, 5, 6, dtype=torch.float64)
    hidden = torch.tanh(torch.einsum("oi,ixy->oxy", net.weights[0], x) + net.biases[0][..., None])
    expected = torch.einsum("oi,ixy->oxy", net.weights[1], hidden) + net.biases[1][..., None]
    assert torch.allclose(net(x), expected)


def by_fft(net, u):
    """Return one spectral layer by whole transforms."""
    m, (nx, ny) = net.modes[0], u.shape[-2:]
    hat = torch.fft.rfft2(u)
    weight = torch.view_as_complex(net.weights[0])
    out = torch.zeros(weight.shape[1], nx, ny // 2 + 1, dtype=hat.dtype)
    rows = torch.arange(-m, m) % nx
    out[:, rows, :m] = torch.einsum("ixy,ioxy->oxy", hat[:, rows, :m], weight)
    return torch.fft.irfft2(out, s=(nx, ny))


def test_operator_acts_on_the_low_modes():
    net = LowModes([3, 2], modes=4, seed=1).double()
    net.bind([Axis(12), Axis(16)])
    u = torch.rand(3, 12, 16, dtype=torch.float64)
    assert torch.allclose(net(u), by_fft(net, u), rtol=0, atol=1e-13)


def test_operator_is_the_same_on_a_finer_grid():
    """A field of low modes gives the same values at common points."""
    net = LowModes([1, 2, 1], modes=3, seed=1).double()
    coarse = {}
    for n in (48, 96):
        x = torch.arange(n, dtype=torch.float64) * (2 * torch.pi / n)
        net.bind([Axis(n), Axis(n)])
        coarse[n] = net((torch.sin(x)[:, None] * torch.cos(x) + torch.cos(2 * x)[:, None])[None])
    assert torch.allclose(coarse[96][:, ::2, ::2], coarse[48], rtol=0, atol=1e-12)


def test_operator_needs_a_grid_that_holds_its_modes():
    with pytest.raises(InputError, match="16 modes need 32 cells"):
        make("fno", space=Cells(16, 16))


def test_gradient_input_is_computed_where_the_model_does_not_give_it():
    from plexus.spaces.fourier import Fourier

    space = Fourier((32, 32), (2 * torch.pi, 2 * torch.pi))
    x, y = space.points()
    fields = state((32, 32), 1)
    fields["f1"] = 0.3 * torch.exp(1j * (x + 2 * y)) + 0.2j
    closure = make("spin_network", {"inputs": ["gradient"]}, space=space)
    with_field = closure.evaluate(fields | {"grad_f1": torch.full((32, 32), 0.3 * 5**0.5).double()})["f2"]
    del fields["grad_f1"]
    assert torch.allclose(closure.evaluate(fields)["f2"], with_field, atol=1e-5)


def test_blocks_of_points_change_nothing():
    net = Dense([3, 8, 2], seed=0)
    x = torch.rand(3, 5000)
    with torch.no_grad():
        assert torch.allclose(net(x), net._layers(x), rtol=1e-5, atol=1e-6)
    assert net(x).requires_grad
