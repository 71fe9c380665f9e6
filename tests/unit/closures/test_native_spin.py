"""The compiled spin network against the one in torch: values, range, what is not finite, stepping aside."""

import pytest
import torch
from closure_cases import make, state

from plexus_kernels.native.loader import library

try:
    library("pattern")
except RuntimeError as error:
    pytest.skip(f"no compiled kernels here: {error}", allow_module_level=True)

CASES = [
    {"moment": 2},
    {"moment": 3},
    {"moment": 2, "inputs": ["zeta", "d_R", "gradient", "vorticity"], "width": 24, "depth": 3},
    {"moment": 3, "inputs": ["vorticity", "zeta"], "width": 7, "depth": 1},
    {"moment": 3, "activation": "tanh"},
]


def both(closure, fields):
    """Return moment and distance from the range, in torch and compiled."""
    with torch.no_grad():
        out, features = closure.answer(fields)
        away = closure.guard._away(features)
        beyond = None if away is None else away.amax(0) - 1
        found = closure.native.evaluate(fields)
    assert found is not None
    return out[f"f{closure.closes}"], beyond, found


@pytest.mark.parametrize("given", CASES, ids=str)
@pytest.mark.parametrize("shape", [(64,), (1,), (33,), (3, 7, 5)])
def test_is_the_network_in_torch(given, shape):
    order = given["moment"] - 1
    closure, fields = make("spin_network", given), state(shape, order)
    closure.calibrate(fields, {})
    closure.use_range(closure.range_of(state((4, 4), order, seed=8)))
    value, beyond, (found, distance, guarded) = both(closure, fields)
    assert (value - found).abs().max() <= 3e-6
    assert (beyond - distance).abs().max() <= 1e-5
    assert guarded == int((distance > 0).sum())


@pytest.mark.parametrize("moment", [2, 3])
def test_extreme_states(moment):
    """Nothing ordered, all ordered, more ordered than possible, and strains from nothing to huge."""
    r = torch.tensor([0.0, 1e-18, 1e-9, 0.5, 1 - 1e-9, 1.0, 1.3]).double()
    strain = torch.tensor([0.0, 1e-12, 1.0, 1e12]).double()
    r, strain = (v.flatten() for v in torch.meshgrid(r, strain, indexing="ij"))
    c = torch.full_like(r, 1.1)
    fields = {"c": c, "f1": c * r * (0.6 + 0.8j), "e": strain * (0.8 - 0.6j), "f2": c * r * r * (0.3 - 0.4j)}
    value, _, (found, _, guarded) = both(make("spin_network", {"moment": moment}), fields)
    assert value.isfinite().all() and guarded == 0
    assert (value - found).abs().max() <= 1e-5


@pytest.mark.parametrize("name", ["c", "f1", "e"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_guarded(name, bad):
    closure, fields = make("spin_network"), state((40,), 1)
    closure.use_range(closure.range_of(fields, widen=0.1))
    fields[name][7] = bad
    _, _, (_, distance, guarded) = both(closure, fields)
    assert guarded == 1
    assert not distance[7] <= 0
    closure.evaluate(fields)
    assert closure.guard.mask.nonzero().tolist() == [[7]]


def test_weights_that_are_not_finite_are_guarded():
    closure, fields = make("spin_network"), state((40,), 1)
    for p in closure.network.parameters():
        p.data.fill_(float("nan"))
    with torch.no_grad():
        out = closure.evaluate(fields)["f2"]
    assert torch.equal(out, make("bingham").evaluate(fields)["f2"])


def test_steps_aside():
    """Derivatives, single-precision fields and double-precision networks take the way of torch."""
    fields = state((8, 8), 1)
    closure = make("spin_network")
    assert not closure.native.fits(fields)  # its weights want derivatives
    closure.network.requires_grad_(False)
    assert closure.native.fits(fields)
    assert not closure.native.fits(fields | {"e": fields["e"].clone().requires_grad_()})
    single = {k: v.to(torch.complex64 if v.is_complex() else torch.float32) for k, v in fields.items()}
    assert not closure.native.fits(single)
    exact = make("spin_network", {"precision": "fp64"})
    exact.network.requires_grad_(False)
    assert not exact.native.fits(fields)


def test_without_a_compiler_torch_takes_over(monkeypatch):
    def none(*args, **kwargs):
        raise RuntimeError("there is no C compiler")

    monkeypatch.setattr("plexus_kernels.native.spin.function", none)
    closure, fields = make("spin_network"), state((8, 8), 1)
    with torch.no_grad():
        assert torch.equal(closure.evaluate(fields)["f2"], closure.raw(fields)["f2"])
    assert not closure.native.works


def test_an_activation_that_the_kernel_lacks():
    closure, fields = make("spin_network", {"activation": "gelu"}), state((8, 8), 1)
    with torch.no_grad():
        assert torch.equal(closure.evaluate(fields)["f2"], closure.raw(fields)["f2"])


def test_changed_weights_are_seen():
    closure, fields = make("spin_network"), state((8, 8), 1)
    for _ in range(2):
        for p in closure.network.parameters():
            p.data.mul_(1.5)
        value, _, (found, _, _) = both(closure, fields)
        assert (value - found).abs().max() <= 1e-5
