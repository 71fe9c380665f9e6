"""The Z-set cube against every column and step that was released with Mordicus (single precision)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

DECK = Path(__file__).parents[2] / "input_decks/verification/zset_cube.yaml"
# t, |U|_2, largest component, u(1, 1, 1), u_x(1, .5, .5) [mm], p_max, p_mean, von Mises max and mean [MPa]
RELEASED = """
0.2 1.078797e-2 7.7635e-4 2.37175e-4 6.47298e-4 9.45641e-5 5.82463e-4 0 0 137.134 75.701
0.4 2.25026e-2 1.5653e-3 7.45429e-4 1.25864e-3 1.15312e-4 1.31675e-3 3.78654e-5 2.06426e-7 239.087 141.805
0.6 3.525446e-2 2.45278e-3 1.20561e-3 1.99978e-3 1.32831e-4 2.03776e-3 5.37066e-4 3.52362e-5 291.405 205.181
0.8 5.021338e-2 3.5415e-3 1.57355e-3 2.98928e-3 1.43111e-4 2.73836e-3 1.3887e-3 2.35133e-4 325.366 246.954
1.0 6.949829e-2 4.97565e-3 1.87325e-3 4.36119e-3 1.2994e-4 3.39687e-3 2.91168e-3 5.80899e-4 349.885 275.066
1.2 6.017214e-2 4.3347e-3 1.33601e-3 3.92617e-3 1.02001e-4 2.65504e-3 3.07624e-3 5.8495e-4 331.141 212.088
1.4 5.139134e-2 3.73096e-3 7.98835e-4 3.49505e-3 7.37144e-5 1.91326e-3 3.16222e-3 5.89138e-4 326.604 152.656
1.6 4.365949e-2 3.14814e-3 2.61718e-4 3.08045e-3 4.51998e-5 1.1714e-3 3.31274e-3 5.95208e-4 332.116 102.655
1.8 3.769338e-2 2.69488e-3 -2.74867e-4 2.68999e-3 1.65586e-5 4.29174e-4 3.58397e-3 6.04657e-4 341.678 87.819
2.0 3.459461e-2 2.34106e-3 -8.1557e-4 2.34106e-3 -1.13509e-5 -3.1407e-4 4.0325e-3 6.22275e-4 350.258 123.914
"""


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """March the deck; return the released columns as it has them, in mm and MPa."""
    from mpi4py import MPI

    from plexus.compose import compose
    from plexus.deck.load import load
    from plexus.runtime import context

    run = compose(load(DECK), context.create(MPI.COMM_SELF, tmp_path_factory.mktemp("cube")))
    run.observers = []
    rows = []
    for _ in run.march():
        u = 1e3 * run.state.values["displacement"]
        run.fields.look(run.state)
        found = {name: q.evaluate(run) for name, q in run.quantities.items()}
        lengths = [1e3 * found[n] for n in ("corner_x", "corner_y", "corner_z", "face_x")]
        stresses = [1e-6 * found[n] for n in ("mises_max", "mises_mean")]
        rows.append([run.state.t, np.linalg.norm(u), np.abs(u).max(), *lengths,
                     found["p_max"], found["p_mean"], *stresses])  # fmt: skip
    return np.array(rows), run


def released():
    return np.array([[float(v) for v in line.split()] for line in RELEASED.strip().splitlines()])


def test_displacements_are_those_of_z_set(history):
    rows, expected = history[0], released()
    assert np.allclose(rows[:, 0], expected[:, 0])
    for one, other in zip(rows, expected, strict=True):
        assert abs(one[1] - other[1]) <= 1e-5 * other[1]
        assert np.abs(one[2:7] - other[2:7]).max() <= 1e-5 * other[2], one[0]


def test_plastic_strain_and_stress_are_those_of_z_set(history):
    rows, expected = history[0], released()
    assert np.all(rows[0, 7:9] < 1e-10)
    # the first step that flows is held in fewer digits
    tolerance = np.where(np.arange(1, 10) == 1, 1e-3, 1e-4)[:, None]
    assert (np.abs(rows[1:, 7:9] - expected[1:, 7:9]) <= tolerance * expected[1:, 7:9]).all()
    assert (np.abs(rows[:, 9:] - expected[:, 9:]) <= 1e-4 * expected[:, 9:]).all()


def test_newton_ends_quadratically(history):
    """Each of the last steps of a solve squares the residual, relative to the first, up to rounding."""
    found = []
    for norms in (info.residuals for info in history[1].system.solvers["displacement"].drain()):
        r = np.array(norms) / norms[0]
        found += [(a, b) for a, b in pairwise(r) if b > 1e-7 and a < 1e-2]
    assert found and all(b <= 50 * a**2 for a, b in found)
