"""The compiled recursion against the one in torch: values, the edge of the possible, stepping aside."""

import pytest
import torch
from closure_cases import make, state

from plexus.models.suspension import toeplitz
from plexus_kernels.native import levinson
from plexus_kernels.native.loader import library

try:
    library("pattern")
except RuntimeError as error:
    pytest.skip(f"no compiled kernels here: {error}", allow_module_level=True)


def by_torch(closure, fields, order):
    moments = [fields[f"f{m}"] / fields["c"] for m in range(1, order + 1)]
    return fields["c"] * toeplitz.disk(moments, closure.params.cap).center


def moments(order, shape=(40,), size=0.3, seed=0):
    draw = torch.Generator().manual_seed(seed)
    parts = torch.randn(2, order, *shape, generator=draw, dtype=torch.float64) * size
    c = 1 + 0.2 * torch.rand(shape, generator=draw, dtype=torch.float64)
    return {"c": c, **{f"f{m + 1}": torch.complex(*parts[:, m]) for m in range(order)}}


def same(closure, fields, order):
    found = closure.evaluate(fields)[f"f{order + 1}"]
    assert closure.compiles
    expected = by_torch(closure, fields, order)
    assert torch.allclose(found, expected, rtol=1e-12, atol=1e-12)
    return found


@pytest.mark.parametrize("order", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("shape", [(64,), (1,), (33,), (3, 7, 5)])
def test_is_the_recursion_in_torch(order, shape):
    same(make("autoregressive", order=order), moments(order, shape), order)


@pytest.mark.parametrize("cap", [0.5, 0.999, 1.0])
def test_beyond_the_possible(cap):
    """Moments that no distribution has meet the cap and the least room."""
    fields = moments(2, size=2.0)
    fields["f1"][:3] = fields["c"][:3] * torch.tensor([1.0, 1.3, 0.0])
    same(make("autoregressive", {"cap": cap}, order=2), fields, 2)


def test_slices_and_conjugates():
    """Planes of a stack and lazy conjugates, as a model hands them over."""
    stack = torch.stack([v + 0j for v in moments(2, (6, 6)).values()])
    fields = {"c": stack[0].real, "f1": stack[1].conj(), "f2": stack[2].T}
    same(make("autoregressive", order=2), fields, 2)


def test_what_is_not_finite_stays_where_it_is():
    fields = moments(2)
    fields["f2"][7] = float("nan")
    found = make("autoregressive", order=2).evaluate(fields)["f3"]
    assert (~found.isfinite()).nonzero().tolist() == [[7]]


def test_derivatives_and_single_precision_go_the_way_of_torch(monkeypatch):
    monkeypatch.setattr(levinson, "levinson", None)
    closure, fields = make("autoregressive", order=2), state((8, 8), 2)
    learns = fields | {"f1": fields["f1"].clone().requires_grad_()}
    assert closure.evaluate(learns)["f3"].requires_grad
    single = {k: v.to(torch.complex64 if v.is_complex() else torch.float32) for k, v in fields.items()}
    assert closure.evaluate(single)["f3"].dtype == torch.complex64


def test_without_a_compiler_torch_takes_over(monkeypatch):
    def none(*args, **kwargs):
        raise RuntimeError("there is no C compiler")

    monkeypatch.setattr(levinson, "library", none)
    monkeypatch.setattr(levinson, "_function", levinson._function.__wrapped__)
    closure, fields = make("autoregressive", order=2), moments(2)
    assert torch.equal(closure.evaluate(fields)["f3"], by_torch(closure, fields, 2))
    assert not closure.compiles
