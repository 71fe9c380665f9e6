"""The benchmark of gradients on a handful of cells: what its rows say, with and without SciPy."""

import pytest

from plexus.bench import gradients, inverse
from plexus.bench.assembly import interpreter
from plexus.solvers.packages import available


def test_every_kind_of_solve_has_a_row() -> None:
    if not {"mumps", "hypre"} <= set(available()):
        pytest.skip("this PETSc has no mumps or hypre")
    rows = gradients.elements(turns=1, side=4)
    assert [row.bound for row in rows] == [1.5] * 4 + [1.0] * 2 + [2.5] * 2 + [1.5, None]
    assert all(row.measured is not None for row in rows)


def test_both_sides_find_the_same_gradient() -> None:
    if interpreter("scipy") is None:
        pytest.skip("needs SciPy")
    rows = [row for item in inverse.CASES for row in inverse.beside_scipy(item, side=6, turns=1)]
    assert [row.unit for row in rows] == ["x", "1"] * 2
    assert all(row.holds for row in rows if row.unit == "1")


def test_without_scipy_the_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inverse, "interpreter", lambda module: None)
    (row,) = inverse.beside_scipy("k(x)", side=4, turns=1)
    assert row.unit == "s" and row.holds is None and "not installed" in row.peer
