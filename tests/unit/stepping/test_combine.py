"""The compiled sum of a step beside that of torch."""

import pytest
import torch

from plexus.stepping.combine import combine4

FACTORS = (-0.5, -0.01, 2.0, 0.02)


def modes(*shape):
    draw = torch.Generator().manual_seed(5)
    parts = torch.randn(2, 4, *shape, generator=draw, dtype=torch.float64)
    return list(torch.complex(*parts))


@pytest.mark.parametrize("shape", [(3, 5, 7), (2, 16, 16)])
def test_both_ways_give_the_same(shape):
    u, table = modes(*shape), torch.rand(*shape, dtype=torch.float64)
    plain = combine4(table, u, FACTORS)
    graph = combine4(table, [x.clone().requires_grad_() for x in u], FACTORS)
    assert graph.requires_grad
    assert torch.allclose(plain, graph.detach(), rtol=1e-14, atol=1e-14)
    expected = table * sum(a * x for a, x in zip(FACTORS, u, strict=True))
    assert torch.allclose(plain, expected, rtol=1e-14, atol=1e-14)


def test_other_layouts_and_kinds():
    u, table = modes(4, 6), torch.rand(6, dtype=torch.float64)
    expected = table * sum(a * x for a, x in zip(FACTORS, u, strict=True))
    assert torch.allclose(combine4(table, u, FACTORS), expected)  # a table that broadcasts
    turned = [x.t().contiguous().t() for x in u]
    wide = table.expand(4, 6)
    assert torch.allclose(combine4(wide, turned, FACTORS), expected)
    assert torch.allclose(combine4(wide, [x.conj().resolve_conj().conj() for x in u], FACTORS), expected)
    single = combine4(table.float(), [x.to(torch.complex64) for x in u], FACTORS)
    assert single.dtype == torch.complex64
