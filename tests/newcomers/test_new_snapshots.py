"""A reader of another program's displacements is one file and one deck: a table of numbers."""

import numpy as np

MEMBER = '''
"""Displacements as one text table: rows of t, x, y, z, u, v, w, the nodes of each time in the same order."""

from typing import Any

import numpy as np

from plexus.registry import register
from plexus.snapshots.base import FileParams, FileSnapshots

EXAMPLE: dict[str, Any] = {"type": "table", "file": "history.txt", "unit": "mm"}


@register("snapshots", "table", FileParams)
class Table(FileSnapshots):
    """All times of a text table."""

    def open(self, path):
        """Read it."""
        return Rows(np.loadtxt(path))


class Rows:
    """The rows by time."""

    digits = 15

    def __init__(self, rows):
        self.times = sorted(set(rows[:, 0].tolist()))
        self.rows = [rows[rows[:, 0] == t] for t in self.times]
        self.count = len(self.rows[0])

    def points(self, start, stop):
        """Return positions."""
        return self.rows[0][start:stop, 1:4]

    def values(self, step, start, stop):
        """Return displacements."""
        return self.rows[step][start:stop, 4:]
'''
BAR = """
plexus: 1
tables: {pull: {times: [0 s, 2 s, 4 s], values: [0, 1, 0], period: 4 s}}
mesh: {type: box, cell: hexahedron, cells: [2, 1, 1], size: [2 mm, 1 mm, 1 mm]}
physics:
  type: elastoviscoplastic
  degree: 1
  law:
    type: j2
    young_modulus: 200 GPa
    poisson_ratio: 0.3
    yield_stress: 200 MPa
    hardening: {slope: 20 GPa}
boundary:
  - {on: left, displacement_x: 0}
  - {on: bottom, displacement_y: 0}
  - {on: back, displacement_z: 0}
  - {on: right, traction: ["220e6*pull(t)", 0, 0]}
time: {stepper: quasistatic, step: 0.5 s, cycles: 1}
solver: {displacement: mumps}
quantities: {p: {type: maximum, of: p}}
reduce: {type: galerkin, snapshots: {type: table, file: history.txt, unit: mm}}
"""


def test_one_file_and_one_deck(newcomer):
    """A bar: σ = F, p = (σ - R₀)/H = 1e-3 at 220 MPa, ε = σ/E + p, ε' = -ν σ/E - p/2 across it."""
    newcomer.install("snapshots", "table", MEMBER)
    x = np.array([[i, j, k] for k in (0, 1) for j in (0, 1) for i in (0, 1, 2)], dtype=float)[::-1]
    rows, p = [], 0.0
    for t in 0.5 * np.arange(1, 9):
        stress = 220e6 * (t / 2 if t <= 2 else 2 - t / 2)
        p = max(p, (stress - 200e6) / 20e9, 0.0)
        along, across = stress / 200e9 + p, -0.3 * stress / 200e9 - p / 2
        rows.append(np.column_stack([np.full(len(x), t), x, x * [along, across, across]]))
    np.savetxt(newcomer.folder / "history.txt", np.concatenate(rows), fmt="%.17g")
    told = newcomer.run(BAR, task="reduce")
    assert abs(told["quantities"]["p"] - 1e-3) < 1e-12
    assert told["reduced"]["imbalance"] < 1e-10 and told["reduced"]["modes"] == 2
    assert "text table" in newcomer.explained()
