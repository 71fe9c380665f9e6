"""The example decks on cells, in Fourier space and of points find what their readings were made with."""

from pathlib import Path

import h5py
import numpy as np
import pytest

DECKS = Path(__file__).parents[2] / "input_decks" / "calibration"


def start(x):
    return 2 + np.cos(np.pi * x / 4) + 0.7 * np.sin(2 * x + 1)


def diffusivity(x):
    return 0.01 * (1 + 0.6 * np.sin(2 * np.pi * x))


TRUTHS = {
    "lorenz96_forcing": {"F": 8.0, "x0": start},
    "viscosity": {"nu": 0.05, "g": 0.2, "u0": 0.5},
    "diffusivity_field": {"a": 0.4, "d": diffusivity},
}


@pytest.mark.parametrize("name", TRUTHS)
def test_the_truth_lies_within_the_deviations(desk, name):
    """Nine of ten numbers are within two standard deviations, each scalar within three."""
    told = desk.do("calibrate", DECKS / f"{name}.yaml", out=name)["calibration"]
    assert told["converged"] and 0.6 <= told["rms"] <= 1.2
    with h5py.File(desk.folder / name / "calibration.h5") as file:
        for control, truth in TRUTHS[name].items():
            group = file[f"controls/{control}"]
            values, std = group["values"][...], group["std"][...]
            known = truth(group["places"][:, 0]) if callable(truth) else np.array([truth])
            away = np.abs(values - known) / std
            assert np.mean(away <= 2) >= 0.9 if callable(truth) else away[0] <= 3
            assert np.linalg.norm(values - known) <= 0.25 * np.linalg.norm(known)
