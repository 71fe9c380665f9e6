"""Order in time of the steppers on nonlinear heat conduction.

The exact temperature is linear in space, so that the elements represent it and the error is that of the
time integration alone.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import study

EXACT = "2 + (x + 0.5*y)*exp(-2*t)"
MATERIAL = {"density": 2, "specific_heat": "1 + 0.3*temperature", "conductivity": "0.2 + 0.1*temperature"}
STEPPERS = [({"type": "theta", "theta": 1.0}, 1), ({"type": "theta", "theta": 0.5}, 2), ({"type": "bdf2"}, 2)]


def deck(stepper: dict[str, Any], step: float) -> dict[str, Any]:
    """Return the transient deck with a fixed step."""
    return {
        "plexus": 1,
        "mesh": {"type": "box", "cell": "quadrilateral", "cells": [3, 3]},
        "physics": {
            "type": "manufactured",
            "model": {"type": "heat", "material": MATERIAL},
            "exact": {"temperature": EXACT},
        },
        "boundary": [{"on": ["left", "right"], "temperature": EXACT}, *mixed()],
        "initial": {"temperature": EXACT},
        "time": {"stepper": stepper, "end": 0.4, "step": step},
        "solver": {"default": {"ksp": "preonly", "preconditioner": "lu", "snes_rtol": 1e-12}},
        "quantities": {"error": {"type": "error", "of": "temperature", "exact": EXACT}},
    }


def mixed() -> list[dict[str, Any]]:
    """Return the exact flux k ∂T/∂n on bottom (n = -y) and top."""
    inflow = "(0.2 + 0.1*temperature)*0.5*exp(-2*t)"
    return [{"on": "bottom", "flux": f"-{inflow}"}, {"on": "top", "flux": inflow}]


@pytest.mark.parametrize(("stepper", "order"), STEPPERS, ids=["backward Euler", "Crank-Nicolson", "bdf2"])
def test_order_in_time(stepper: dict[str, Any], order: int, tmp_path: Path) -> None:
    coarse, fine = (study.solve(deck(stepper, step), tmp_path)["error"] for step in (0.04, 0.02))
    observed = math.log2(coarse / fine)
    assert order - 0.1 <= observed <= order + 0.5, f"order {observed:.2f}, error {fine:.2e}"
