"""Small problems with known solutions, one for each thing that a stepper can need of a system."""

from __future__ import annotations

import math
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hosts import composed

from plexus import registry
from plexus.errors import InputError
from plexus.fields.state import State
from plexus.protocols import Choosy, Explicit, Implicit, Split, TimeIntegrable

BOX = {
    "plexus": 1,
    "mesh": {"type": "box", "cell": "quadrilateral", "cells": [3, 2]},
    "boundary": [{"on": "exterior", "u": "(2 + sin(t))*x^2"}],
    "initial": {"u": "(2 + sin(t))*x^2"},
    "solver": {"u": {"ksp": "preonly", "preconditioner": "lu"}},
}


class OnElements:
    """u = (2 + sin t) x² of degree 2, with prescribed values that change; at rest the rate is left out."""

    counts = 10, 20

    def __init__(self, folder: Any, stepper: Any):
        source = "-2*(2 + sin(t))" if stepper.order == 0 else "cos(t)*x^2 - 2*(2 + sin(t))"
        physics = {"type": "diffusion", "coefficient": 1, "degree": 2, "source": source}
        time = {"stepper": "bdf2", "end": 1, "step": 0.1}
        run = composed(BOX | {"physics": physics, "time": time}, folder)
        self.system, self._start = run.system, run.state
        self._x = run.system.spaces["u"].points[:, :1]

    def start(self) -> State:
        """Return the state at t = 0."""
        return deepcopy(self._start)

    def exact(self, t: float) -> dict[str, Any]:
        """Return the solution."""
        return {"u": (2 + math.sin(t)) * self._x**2}


class OnModes:
    """Modes that relax to s = sin t at different rates λ, the stiff part: u' = λ(u - s) + s' + (s - u)²."""

    counts, unknown = (40, 80), "u"

    def __init__(self, folder: Any, stepper: Any):
        self.system = self
        self.linear = torch.tensor((0.0, -1.0, -3.0), dtype=torch.float64)

    def start(self) -> State:
        """Return the state at t = 0."""
        return State(self.exact(0.0))

    def exact(self, t: float) -> dict[str, Any]:
        """Return the solution."""
        return {"u": torch.full_like(self.linear, math.sin(t)) + 0j}

    def explicit(self, hat: Any, t: float) -> Any:
        """Return what is not stiff."""
        return -self.linear * math.sin(t) + math.cos(t) + (math.sin(t) - hat) ** 2

    def rms(self, hat: Any) -> float:
        """Return the root mean square."""
        return float(hat.abs().square().mean().sqrt())


class OfRates:
    """Two unknowns that know each other: u' = w - u² + u_e² + u_e' - w_e, w' = -u + u_e + w_e'."""

    counts, evolving = (40, 80), ("u", "w")

    def __init__(self, folder: Any, stepper: Any):
        self.system = self

    def start(self) -> State:
        """Return the state at t = 0."""
        return State(self.exact(0.0))

    def exact(self, t: float) -> dict[str, Any]:
        """Return the solution."""
        one = torch.ones(3, 1, dtype=torch.float64)
        return {"u": (2 + math.sin(t)) * one, "w": math.cos(2 * t) * one}

    def rates(self, values: Any, t: float) -> dict[str, Any]:
        """Return the rates."""
        u, w, e = values["u"], values["w"], self.exact(t)
        return {
            "u": w - u**2 + e["u"] ** 2 + math.cos(t) - e["w"],
            "w": e["u"] - u - 2 * math.sin(2 * t),
        }

    def longest(self, values: Any, t: float) -> float:
        """Return no limit."""
        return math.inf

    def rms(self, name: str, array: Any) -> float:
        """Return the root mean square."""
        return float((array**2).mean() ** 0.5)

    def largest(self, name: str, array: Any) -> float:
        """Return the largest magnitude."""
        return float(abs(array).max())


PROBLEMS: dict[type, Any] = {
    Implicit: OnElements, TimeIntegrable: OnElements, Split: OnModes, Explicit: OfRates,
}  # fmt: skip


def made(name: str, given: dict[str, Any], tolerance: float | None = None) -> Any:
    """Return a stepper; skip the test where it has no error estimate."""
    component = registry.component("stepper", name)
    params = component.params.model_validate({k: v for k, v in given.items() if k != "type"})
    try:
        stepper = component.cls(params, tolerance)
    except InputError as error:
        pytest.skip(str(error))
    why = stepper.refusal([("u",)]) if isinstance(stepper, Choosy) else None
    if why is not None:
        pytest.skip(why)
    return stepper


def problem(stepper: Any, folder: Any) -> Any:
    """Return the problem of what a stepper needs."""
    assert stepper.needs in PROBLEMS, f"no problem offers {stepper.needs.__name__}: write one here"
    found = PROBLEMS[stepper.needs](folder, stepper)
    assert isinstance(found.system, stepper.needs)
    return found


def march(system: Any, stepper: Any, state: State, times: Any) -> State:
    """Take the steps between the times."""
    for t, after in pairwise(times):
        result = stepper.step(system, state, t, after - t)
        state = State(result.values, after, state.step + 1, result.internal)
    return state


def difference(one: Any, two: Any) -> float:
    """Return the largest difference of two sets of values."""
    assert one.keys() == two.keys()
    return max(float(abs(np.asarray(one[k]) - np.asarray(two[k])).max()) for k in one)
