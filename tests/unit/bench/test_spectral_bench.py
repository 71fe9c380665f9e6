"""The spectral benchmarks run in small, and both sides of their comparisons find the same numbers."""

import pytest

from plexus.bench import device, fft
from plexus.bench.assembly import interpreter


@pytest.mark.parametrize(("real", "ranks"), [(False, 1), (True, 2)])
def test_transforms_beside_the_peer(monkeypatch, real, ranks):
    job = {"cells": [10, 12], "batch": 2, "real": real, "repetitions": 3}
    monkeypatch.setattr(fft, "CASES", {"small": job})
    row = fft.transform("small", ranks, 1)
    assert row.measured > 0
    if interpreter("mpi4py_fft") is None:
        assert "not installed" in row.peer
    else:
        assert "mpi4py-fft" in row.peer
        assert row.holds is not None


def test_step_beside_numpy(tmp_path):
    """The comparison itself raises when the moments of both sides differ."""
    row = fft.step(16, 1, tmp_path)
    assert row.measured > 0
    assert "steps/s" in row.peer


def test_device_bench_in_small():
    rows = device.run(device.Place("cpu", "test", 16, 16, 2))
    assert len(rows) == 1 + 3 * len(device.CASES)
    assert all(row.measured == 0 and row.holds for row in rows if row.item.endswith("copies per step"))
    assert all(row.measured > 0 for row in rows if row.unit in ("1/s", "%"))
