"""The assembly benchmark on a handful of cells: what its rows say, with and without DOLFINx."""

from __future__ import annotations

import os

import pytest

from plexus.bench import assembly


def test_without_dolfinx_the_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "interpreter", lambda: None)
    rows = assembly.run(cells=2, repetitions=1)
    assert [row.item for row in rows] == [f"{item}, 48 tets" for item in assembly.CASES]
    assert all(row.holds is None and row.unit == "s" and row.measured > 0 for row in rows)
    assert all("not installed" in row.peer for row in rows)


def test_both_sides_assemble_the_same_matrix() -> None:
    """The benchmark compares the norms itself and would raise."""
    if assembly.interpreter() is None:
        pytest.skip("needs DOLFINx")
    row = assembly.measure("P1 elasticity", cells=2, repetitions=1)
    assert row.unit == "x" and row.bound == 2.0 and row.peer.startswith("DOLFINx")


def test_one_core_is_given_back() -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system has no processor affinity")
    before = os.sched_getaffinity(0)
    with assembly.one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
