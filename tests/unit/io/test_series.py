"""Histories: rows, missing columns, restart, what is on the disk."""

import h5py
import numpy as np
import pytest

from plexus.errors import OutputError
from plexus.io.series import Series


def filled(path):
    series = Series(path)
    for step in range(5):
        series.add("quantities", {"step": step, "time": 0.1 * step, "mean": step**2}, {"time": "s"})
    series.flush(force=True)
    return series


def test_columns_and_units(tmp_path):
    filled(tmp_path / "series.h5")
    with h5py.File(tmp_path / "series.h5") as file:
        assert file["quantities/mean"][:].tolist() == [0, 1, 4, 9, 16]
        assert file["quantities/step"].dtype == np.int64
        assert file["quantities/time"].attrs["unit"] == b"s"


def test_column_that_comes_or_goes_is_padded():
    series = Series(None)
    series.add("t", {"step": 0, "a": 1.0})
    series.add("t", {"step": 1, "b": 2.0})
    assert np.array_equal(series.tables["t"]["a"], [1.0, np.nan], equal_nan=True)
    assert np.array_equal(series.tables["t"]["b"], [np.nan, 2.0], equal_nan=True)


def test_restart_continues_after_its_step(tmp_path):
    filled(tmp_path / "series.h5")
    series = Series.resume(tmp_path / "series.h5", 2)
    assert series.last("quantities") == 2
    series.add("quantities", {"step": 3, "time": 0.3, "mean": 9.0})
    assert list(series.tables["quantities"]["mean"]) == [0, 1, 4, 9]


def test_visible_file_is_complete_and_survives_a_failure(tmp_path):
    path = tmp_path / "series.h5"
    series = filled(path)
    before = path.read_bytes()
    series.add("quantities", {"step": 5, "time": 0.5, "mean": 25.0})
    series.flush()  # too soon after the last one
    assert path.read_bytes() == before
    (tmp_path / "series.h5.partial").mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*series\.h5"):
        series.flush(force=True)
    assert path.read_bytes() == before
