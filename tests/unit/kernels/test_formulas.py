"""The reference itself against integrals known by hand, and the gradients of the torch version."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import basis, case

import plexus_kernels
from plexus_kernels import Tables

reference = plexus_kernels.backend("reference")


def test_stiffness_and_mass_of_the_unit_triangle() -> None:
    """∫∇φ_i·∇φ_j = [[2,-1,-1],[-1,1,0],[-1,0,1]]/2 and ∫φ_iφ_j = (1+δ_ij)/24, nodes in lattice order."""
    mid = np.array([[0.5, 0], [0, 0.5], [0.5, 0.5]])  # exact for degree 2
    tables = basis("triangle", 1, mid)
    T = Tables(np.full(3, 1 / 6), *tables, *tables, affine=True)
    points, cells = np.array([[0.0, 0], [0, 1], [1, 0]]), np.array([[0, 1, 2]], np.int32)
    slots = np.arange(9, dtype=np.int32).reshape(1, 3, 3)
    K, M = np.zeros((9, 1, 1)), np.zeros((9, 1, 1))
    reference.matrix(points, cells, T, None, None, None, np.eye(2).reshape(1, 1, 1, 2, 1, 2), None, slots, K)
    reference.matrix(points, cells, T, np.ones((1, 1, 1, 1)), None, None, None, None, slots, M)
    np.testing.assert_allclose(
        K.reshape(3, 3), np.array([[2, -1, -1], [-1, 1, 0], [-1, 0, 1]]) / 2, atol=1e-15
    )
    np.testing.assert_allclose(M.reshape(3, 3), (1 + np.eye(3)) / 24, atol=1e-15)


def test_tangent_times_field_is_the_vector_of_its_flux() -> None:
    """A(c) u equals the element vector of f0 = c00 u + c01:∇u, f1 = c10 u + c11:∇u."""
    k = case("hexahedron", 2, 2)
    m, d, rng = 2, 3, np.random.default_rng(3)
    C, Q = len(k.cells), len(k.T.weights)
    c00, c01, c10, c11 = (
        rng.standard_normal((C, Q, *s)) for s in ((m, m), (m, m, d), (m, d, m), (m, d, m, d))
    )
    row_ptr, cols, slots = reference.pattern(k.cell_nodes, k.n_nodes)
    values, u, r = np.zeros((len(cols), m, m)), rng.standard_normal((k.n_nodes, m)), np.zeros((k.n_nodes, m))
    reference.matrix(k.points, k.cells, k.T, c00, c01, c10, c11, None, slots, values)
    value, grad = reference.sample(k.points, k.cells, k.T, k.cell_nodes, u)
    f0 = np.einsum("cqab,cqb->cqa", c00, value) + np.einsum("cqabl,cqbl->cqa", c01, grad)
    f1 = np.einsum("cqakb,cqb->cqak", c10, value) + np.einsum("cqakbl,cqbl->cqak", c11, grad)
    reference.vector(k.points, k.cells, k.T, k.cell_nodes, f0, f1, None, r)
    rows = np.repeat(np.arange(k.n_nodes), np.diff(row_ptr))
    Au = np.zeros_like(u)
    np.add.at(Au, rows, np.einsum("pab,pb->pa", values, u[cols]))
    np.testing.assert_allclose(Au, r, atol=1e-12 * np.abs(r).max())


def test_torch_gradients() -> None:
    """Derivatives with respect to coefficients, field and mesh points pass torch's own check."""
    torch_impl = plexus_kernels.backend("torch")
    k = case("triangle", 2, 1, n_cells=2, Q=3)
    slots = reference.pattern(k.cell_nodes, k.n_nodes)[2]
    pairs = int(slots.max()) + 1

    def total(points: torch.Tensor, u: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, ...]:
        value, grad = torch_impl.sample(points, k.cells, k.T, k.cell_nodes, u)
        r = torch_impl.vector(
            points, k.cells, k.T, k.cell_nodes, c * value, c[..., None] * grad, None,
            torch.zeros(k.n_nodes, 1, dtype=torch.float64),
        )  # fmt: skip
        A = torch_impl.matrix(
            points, k.cells, k.T, c[..., None], None, None, None, None, slots,
            torch.zeros(pairs, 1, 1, dtype=torch.float64),
        )  # fmt: skip
        return r, A

    u, c = torch.rand(k.n_nodes, 1, dtype=torch.float64), torch.rand(2, 1, 1, dtype=torch.float64)
    inputs = [x.requires_grad_() for x in (torch.tensor(k.points), u, c)]
    assert torch.autograd.gradcheck(total, inputs)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_torch_on_a_gpu_equals_the_reference() -> None:
    torch_impl = plexus_kernels.backend("torch")
    k = case("tetrahedron", 2, 1)
    _, cols, slots = reference.pattern(k.cell_nodes, k.n_nodes)
    values = torch.zeros(len(cols), 1, 1, dtype=torch.float64, device="cuda")
    expected = np.zeros((len(cols), 1, 1))
    c11 = np.eye(3).reshape(1, 1, 1, 3, 1, 3)
    torch_impl.matrix(k.points, k.cells, k.T, None, None, None, c11, None, slots, values)
    reference.matrix(k.points, k.cells, k.T, None, None, None, c11, None, slots, expected)
    np.testing.assert_allclose(values.cpu().numpy(), expected, atol=1e-12)
