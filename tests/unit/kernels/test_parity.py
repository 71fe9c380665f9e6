"""The three versions of every kernel agree on all elements, components, broadcasts and absent terms."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from kernel_cases import ELEMENTS, Case, case

import plexus_kernels

reference = plexus_kernels.backend("reference")
FAST = ("native", "torch")
every_element = pytest.mark.parametrize("element", ELEMENTS, ids=lambda e: f"{e[0]}-{e[1]}-geometry{e[2]}")
each = pytest.mark.parametrize("name", FAST)


def agree(got: object, expected: np.ndarray) -> None:
    """Equal to 1e-12 of the largest number, in shape and type too."""
    got = np.asarray(got)
    assert got.shape == expected.shape and got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * max(1.0, np.abs(expected).max(initial=0)))


@each
@every_element
def test_geometry(name: str, element: tuple) -> None:
    k = case(*element)
    for got, expected in zip(
        plexus_kernels.backend(name).geometry(k.points, k.cells, k.T),
        reference.geometry(k.points, k.cells, k.T),
        strict=True,
    ):
        agree(got, expected)


@each
@every_element
@pytest.mark.parametrize("m", [1, 3])
def test_sample(name: str, element: tuple, m: int) -> None:
    k = case(*element)
    u = np.random.default_rng(1).standard_normal((k.n_nodes, m))
    args = (k.points, k.cells, k.T, k.cell_nodes, u)
    for got, expected in zip(
        plexus_kernels.backend(name).sample(*args), reference.sample(*args), strict=True
    ):
        agree(got, expected)


@each
@every_element
@pytest.mark.parametrize("m", [1, 3])
def test_interpolate(name: str, element: tuple, m: int) -> None:
    k = case(*element)
    u = np.random.default_rng(1).standard_normal((k.n_nodes, m))
    agree(
        plexus_kernels.backend(name).interpolate(k.T, k.cell_nodes, u),
        reference.sample(k.points, k.cells, k.T, k.cell_nodes, u)[0],
    )


def coefficient(k: Case, lead: tuple[int, int], *shape: int, seed: int = 0) -> np.ndarray:
    """Random numbers (C|1, Q|1, ...); ``lead`` says which of the two axes are full."""
    C, Q = len(k.cells), len(k.T.weights)
    return np.random.default_rng(seed).standard_normal((C if lead[0] else 1, Q if lead[1] else 1, *shape))


def vector(name: str, k: Case, m: int, given: tuple, leads: list) -> np.ndarray:
    """Return the element vectors with the terms that ``given`` marks."""
    d = k.points.shape[1]
    terms = [
        coefficient(k, lead, *s, seed=i)
        for i, (lead, s) in enumerate(zip(leads, [(m,), (m, d), ()], strict=True))
    ]
    terms = [c if g else None for c, g in zip(terms, given, strict=True)]
    out = np.ones((k.n_nodes, m))
    plexus_kernels.backend(name).vector(k.points, k.cells, k.T, k.cell_nodes, *terms, out)
    return out


def matrix(name: str, k: Case, m: int, given: tuple, leads: list, slots: np.ndarray, n: int) -> np.ndarray:
    """Return the element matrices with the terms that ``given`` marks."""
    d = k.points.shape[1]
    shapes = [(m, m), (m, m, d), (m, d, m), (m, d, m, d), ()]
    terms = [coefficient(k, lead, *s, seed=i) for i, (lead, s) in enumerate(zip(leads, shapes, strict=True))]
    terms = [c if g else None for c, g in zip(terms, given, strict=True)]
    values = np.ones((n, m, m))
    plexus_kernels.backend(name).matrix(k.points, k.cells, k.T, *terms, slots, values)
    return values


@each
@every_element
def test_vector_on_every_element(name: str, element: tuple) -> None:
    k = case(*element)
    for m in (1, 2, 3):
        agree(vector(name, k, m, (1, 1, 1), [(1, 1)] * 3), vector("reference", k, m, (1, 1, 1), [(1, 1)] * 3))


@each
@every_element
def test_matrix_on_every_element(name: str, element: tuple) -> None:
    k = case(*element)
    _, cols, slots = reference.pattern(k.cell_nodes, k.n_nodes)
    for m, leads in ((1, [(1, 1)] * 5), (k.points.shape[1], [(1, 0)] * 5)):
        args = (k, m, (1, 1, 1, 1, 1), leads, slots, len(cols))
        agree(matrix(name, *args), matrix("reference", *args))


@each
@pytest.mark.parametrize(
    "element", [("tetrahedron", 2, 1), ("quadrilateral", 1, 1)], ids=["affine", "curved"]
)
@pytest.mark.parametrize("m", [1, 2])
def test_absent_and_repeated_coefficients(name: str, element: tuple, m: int) -> None:
    """Every subset of terms, each with the same and with mixed repeated axes."""
    k = case(*element)
    _, cols, slots = reference.pattern(k.cell_nodes, k.n_nodes)
    leads = [[lead] * 5 for lead in product((0, 1), repeat=2)] + [[(0, 0), (1, 0), (0, 1), (1, 1), (1, 0)]]
    for given in product((0, 1), repeat=5):
        for lead in leads:
            args = (k, m, given, lead, slots, len(cols))
            agree(matrix(name, *args), matrix("reference", *args))
    for given, lead in product(product((0, 1), repeat=3), leads):
        agree(vector(name, k, m, given, lead[-3:]), vector("reference", k, m, given, lead[-3:]))


@each
@pytest.mark.parametrize("element", [("tetrahedron", 1, 1), ("hexahedron", 2, 2), ("triangle", 2, 2)])
@pytest.mark.parametrize("m", [1, 3])
def test_symmetric_half_gives_the_whole(name: str, element: tuple, m: int) -> None:
    k = case(*element)
    d = k.points.shape[1]
    _, cols, slots = reference.pattern(k.cell_nodes, k.n_nodes)
    for lead in ((0, 0), (1, 1)):
        c11 = coefficient(k, lead, m, d, m, d)
        c11 = np.ascontiguousarray(c11 + c11.transpose(0, 1, 4, 5, 2, 3))
        c00 = coefficient(k, lead, m, m)
        c00 = np.ascontiguousarray(c00 + c00.swapaxes(2, 3))
        c01 = coefficient(k, lead, m, m, d)
        c10 = np.ascontiguousarray(c01.transpose(0, 1, 3, 4, 2))  # the transposed term
        for terms in ((None, None, None, c11), (c00, None, None, None), (c00, c01, c10, c11)):
            got, expected = np.zeros((len(cols), m, m)), np.zeros((len(cols), m, m))
            args = (k.points, k.cells, k.T, *terms, None, slots)
            plexus_kernels.backend(name).matrix(*args, got, symmetric=True)
            reference.matrix(*args, expected)
            agree(got, expected)


@each
@pytest.mark.parametrize("seed", range(5))
def test_pattern_and_skipped_slots(name: str, seed: int) -> None:
    """Rows beyond the owned ones get slot -1 and leave no trace in the values."""
    k = case("tetrahedron", 2, 1, n_cells=20, seed=seed)
    fast = plexus_kernels.backend(name)
    n_rows = np.random.default_rng(seed).integers(0, k.n_nodes + 1)
    expected = reference.pattern(k.cell_nodes, n_rows)
    for got, e in zip(fast.pattern(k.cell_nodes, int(n_rows)), expected, strict=True):
        agree(got, e)
    slots = expected[2].copy()
    slots[np.random.default_rng(seed).random(slots.shape) < 0.3] = -1
    args = (k, 2, (1, 1, 1, 1, 1), [(1, 1)] * 5, slots, len(expected[1]))
    agree(matrix(name, *args), matrix("reference", *args))


@each
@pytest.mark.parametrize("k", [1, 4])
def test_joint_and_skipped_slots(name: str, k: int) -> None:
    """A rank-k matrix per cell, b not contiguous; a skipped pair leaves no trace, one beyond is told."""
    some = case("tetrahedron", 2, 1, n_cells=20)
    cells = some.cell_nodes
    _, cols, slots = reference.pattern(cells, some.n_nodes // 2)
    rng = np.random.default_rng(k)
    b = rng.standard_normal((*cells.shape, k, 3)).swapaxes(2, 3)
    weight = rng.standard_normal((len(cells), k, k))
    expected, got = np.ones((len(cols), 3, 3)), np.ones((len(cols), 3, 3))
    reference.joint(b, weight, slots, expected)
    plexus_kernels.backend(name).joint(b, weight, slots, got)
    assert (slots < 0).any() and np.abs(expected).max() > 2
    agree(got, expected)
    if name == "native":
        with pytest.raises(IndexError, match="exceed the"):
            plexus_kernels.backend(name).joint(b, weight, slots + len(cols), got)


@each
def test_pattern_with_repeated_nodes_and_long_rows(name: str) -> None:
    """A periodic cell may hold a node twice; a hub node may touch thousands of others."""
    rng = np.random.default_rng(0)
    nodes = rng.integers(1, 3000, (900, 4)).astype(np.int32)
    nodes[:, 0] = 0
    nodes[5] = nodes[5, 1]
    for n_rows in (1, 2000, 3000):
        expected = reference.pattern(nodes, n_rows)
        for got, e in zip(plexus_kernels.backend(name).pattern(nodes, n_rows), expected, strict=True):
            agree(got, e)


@each
def test_no_cells(name: str) -> None:
    """A rank without cells adds nothing."""
    k = case("triangle", 1, 1)
    fast = plexus_kernels.backend(name)
    cells, nodes = k.cells[:0], k.cell_nodes[:0]
    x, jxw, grad_map = fast.geometry(k.points, cells, k.T)
    assert (x.shape, jxw.shape, grad_map.shape) == ((0, 5, 2), (0, 5), (0, 5, 2, 2))
    row_ptr, cols, slots = fast.pattern(nodes, 3)
    assert list(row_ptr) == [0, 0, 0, 0] and len(cols) == 0 and tuple(slots.shape) == (0, 3, 3)
    out, values = np.ones((3, 1)), np.ones((0, 1, 1))
    fast.vector(k.points, cells, k.T, nodes, np.ones((1, 1, 1)), None, None, out)
    fast.matrix(
        k.points, cells, k.T, np.ones((1, 1, 1, 1)), None, None, None, None, np.asarray(slots), values
    )
    assert np.all(out == 1)
