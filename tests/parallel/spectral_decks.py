"""Decks of spectral models and readers of what their runs leave, for tests."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

FLUID = """\
plexus: 1
mesh: {type: periodic, cells: [24, 20], size: [10, 8]}
physics: {type: active_fluid, order: 2, alpha: -3, zeta: 1}
closure: autoregressive
time: {stepper: sbdf2, end: 1.2 s, step: 0.02 s}
quantities:
  order: {type: mean, of: order}
  fastest: {type: maximum, of: velocity_x}
  slowest: {type: minimum, of: velocity_x}
  vortices: {type: norm, of: vorticity}
  work: {type: integral, of: "stress_xx*strain_xx + stress_xy*strain_xy"}
  there: {type: value, of: "velocity_x + 0*x", at: [3.3, 7.9]}
output:
  - {type: fields, every: 0.4 s, fields: [concentration, order, director, nematic, velocity, outside]}
  - {type: probe, points: [[3.3, 7.9], [9.9, 0.1]], fields: [velocity, order], every: 10 steps}
  - {type: spectrum, fields: [velocity], every: 0.4 s}
  - {type: checkpoint, every: 0.4 s, keep: 99}
"""

VORTICES = """\
plexus: 1
mesh: {type: periodic, cells: [12, 10, 8], size: [6.283185307179586, 6.283185307179586, 3.141592653589793]}
physics: {type: navier_stokes, viscosity: 0.05, start: random}
time: {stepper: {type: imex_rk, order: 3}, end: 0.3 s, step: 0.01 s, adaptive: {tolerance: 1e-5}}
quantities:
  energy: {type: mean, of: kinetic_energy}
  there: {type: value, of: velocity_z, at: [1, 2, 3]}
output:
  - {type: fields, every: 0.1 s, fields: [velocity]}
  - {type: checkpoint, every: 0.1 s, keep: 99}
"""


LINE = """\
plexus: 1
mesh: {type: periodic, cells: [48], size: [22]}
physics: {type: kuramoto_sivashinsky}
initial: {u: "0.2 + cos(2*pi*x/22)*(1 + sin(4*pi*x/22))"}
time: {stepper: STEPPER, end: 8 s, step: 0.1 s}
quantities:
  mean: {type: mean, of: u}
  steepest: {type: maximum, of: slope}
  there: {type: value, of: "u + x", at: [3.3]}
output:
  - {type: fields, every: 2 s, fields: [u, slope]}
  - {type: probe, points: [[3.3], [21.9]], fields: [u, curvature], every: 10 steps}
  - {type: spectrum, fields: [u], every: 2 s}
  - {type: checkpoint, every: 2 s, keep: 99}
"""


def last_fields(folder: Path) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return the times in fields.vtkhdf, places and values of all points at the last one, sorted by place."""
    with h5py.File(folder / "fields.vtkhdf") as file:
        steps, vtk = file["VTKHDF/Steps"], file["VTKHDF"]
        parts, part, point = (steps[n][-1] for n in ("NumberOfParts", "PartOffsets", "PointOffsets"))
        size = vtk["NumberOfPoints"][part : part + parts].sum()
        places, which = np.unique(vtk["Points"][point : point + size].round(9), axis=0, return_index=True)
        found = {}
        for name, data in vtk["PointData"].items():
            first = steps[f"PointDataOffsets/{name}"][-1]
            found[name] = data[first : first + size][which]
        return steps["Values"][:], places, found


def series(folder: Path, table: str) -> dict[str, np.ndarray]:
    """Return the columns of a table of histories."""
    with h5py.File(folder / "series.h5") as file:
        return {name: data[:] for name, data in file[table].items()}


def summary(folder: Path) -> dict:
    """Return ``summary.json``."""
    return json.loads((folder / "summary.json").read_text())


def assert_same(one: Path, two: Path, tolerance: float, tables: tuple[str, ...] = ("quantities",)) -> None:
    """Compare final fields and whole histories, relative to the largest value of each."""
    a, b = last_fields(one), last_fields(two)
    np.testing.assert_allclose(a[0], b[0], rtol=1e-12)
    np.testing.assert_array_equal(a[1], b[1])
    assert a[2].keys() == b[2].keys()
    for name, values in a[2].items():
        scale = np.abs(values).max() + 1e-300
        # a director's sign means nothing, and where nothing is ordered it points anywhere
        if name != "director":
            assert np.abs(values - b[2][name]).max() / scale <= tolerance, name
    for table in tables:
        old, new = series(one, table), series(two, table)
        assert old.keys() == new.keys()
        for name in old:
            # shells that are empty hold rounding
            same = [n for n in old if n.startswith("shell")] if name.startswith("shell") else [name]
            scale = max(np.nanmax(np.abs(old[n])) for n in same) + 1e-300
            np.testing.assert_allclose(new[name] / scale, old[name] / scale, rtol=0, atol=tolerance)
