"""Runs on cells: 1 and 3 ranks agree, and restarts on other numbers of ranks equal the whole run."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from io_jobs import plexus
from spectral_decks import series, summary

from plexus import driver

DECK = """\
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [15, 12], size: [1, 1], periodic: [y]}
physics: {type: burgers, viscosity: 0.02, direction: [1, 0.5], reconstruction: RECONSTRUCTION}
boundary: [{on: left, velocity: "1 + 0.2*sin(2*pi*y - 9*t)"}, {on: right, outflow: {}}]
initial: {velocity: "1 + 0.5*sin(2*pi*(x + y))"}
solver: {velocity: {ksp: preonly, preconditioner: lu, snes_rtol: 1e-13}}
time: TIME
quantities:
  amount: {type: integral, of: velocity}
  fastest: {type: maximum, of: velocity}
  there: {type: value, of: "velocity + x", at: [0.51, 0.98]}
output:
  - {type: fields, every: 0.02 s}
  - {type: probe, points: [[0.3, 0.02], [0.99, 0.5]], every: 1 steps}
  - {type: checkpoint, every: 0.02 s, keep: 99}
"""
VAN_LEER = "{type: muscl, limiter: van_leer}"
CASES = {
    "ssp": ("weno5", "{stepper: ssp_rk, controller: {type: courant, number: 0.4}, end: 0.06, step: 0.01}"),
    "adaptive": ("muscl", "{stepper: ssp_rk, end: 0.06 s, step: 0.001 s, adaptive: {tolerance: 1e-4}}"),
    "theta": (VAN_LEER, "{stepper: {type: theta, theta: 0.5}, end: 0.06 s, step: 0.01 s}"),
    "bdf2": ("upwind", "{stepper: bdf2, end: 0.06 s, step: 0.005 s, adaptive: {tolerance: 1e-3}}"),
}


def deck(case: str) -> str:
    reconstruction, time = CASES[case]
    return DECK.replace("RECONSTRUCTION", reconstruction).replace("TIME", time)


def last_fields(folder: Path) -> dict[int, float]:
    """Return cell -> velocity of the last output."""
    with h5py.File(folder / "fields.vtkhdf") as file:
        steps = file["VTKHDF/Steps"]
        cell, n = steps["CellOffsets"][-1, 0], steps["CellDataOffsets/velocity"][-1]
        ids = file["plexus/cell_ids"][cell : cell + 180]
        return dict(zip(ids.tolist(), file["VTKHDF/CellData/velocity"][n : n + 180].tolist(), strict=True))


def assert_same(one: Path, two: Path, tolerance: float) -> None:
    a, b = last_fields(one), last_fields(two)
    assert a.keys() == b.keys()
    np.testing.assert_allclose([b[k] for k in a], list(a.values()), rtol=0, atol=tolerance)
    for table in ("quantities", "probes/probe"):
        old, new = series(one, table), series(two, table)
        assert old.keys() == new.keys()
        for name in old:
            np.testing.assert_allclose(new[name], old[name], rtol=0, atol=tolerance, err_msg=name)
    assert summary(one)["steps"] == summary(two)["steps"]


@pytest.mark.parametrize("case", CASES)
def test_ranks_agree_and_restarts_equal_the_whole_run(case, tmp_path):
    (tmp_path / "deck.yaml").write_text(deck(case))
    whole, half = tmp_path / "whole", tmp_path / "half"
    assert driver.run(tmp_path / "deck.yaml", folder=whole) == 0
    code, err = plexus(tmp_path, deck(case), "-o", "three", ranks=3)
    assert code == 0, err
    assert_same(whole, tmp_path / "three", 1e-12)
    # a run folder as a run leaves it that died some time after its first checkpoints
    half.mkdir()
    middle = sorted(whole.glob("checkpoint_*.h5"))[1]
    for path in (whole / "fields.vtkhdf", whole / "series.h5", middle):
        shutil.copy(path, half / path.name)
    code, err = plexus(tmp_path, deck(case), "-o", "half", "--restart", "latest", ranks=2)
    assert code == 0, err
    assert_same(whole, half, 1e-12)
