"""Small strain in one pass, beside the formula on sampled gradients."""

import numpy as np
import pytest
from kernel_cases import case

import plexus_kernels

native = plexus_kernels.backend("native")


@pytest.mark.parametrize(("cell", "geometry"), [("tetrahedron", 1), ("hexahedron", 1), ("hexahedron", 2)])
@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("count", [1, 4, 11])
def test_formula(cell: str, geometry: int, even: bool, count: int) -> None:
    k = case(cell, 2, geometry, count)
    rng = np.random.default_rng(count)
    u = rng.normal(size=(k.n_nodes, 3))
    factors = rng.normal(size=(*k.cell_nodes.shape, 3)) if even else None
    where = k.points, k.cells, k.T, k.cell_nodes, u
    grad = native.sample(*where)[1]
    strain = 0.5 * (grad + grad.swapaxes(2, 3))
    for shape in ((1, 1), (count, 1), grad.shape[:2]):
        change = rng.normal(size=shape)
        rest = 0.0 if factors is None else np.einsum("cna,cna->c", u[k.cell_nodes], factors)[:, None]
        added = change if factors is None else change + (rest - np.einsum("cqaa->cq", grad)) / 3
        expected = strain + added[:, :, None, None] * np.eye(3)
        np.testing.assert_allclose(native.strain(*where, change, factors), expected, rtol=1e-12, atol=1e-12)
