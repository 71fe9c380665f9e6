"""The run as a function of the numbers of its controls, seen at the places and times of the measurements.

    y_i(m) = (1 - s) H_i u_n + s H_i u_(n+1),    s = (t_i - t_n)/(t_(n+1) - t_n)

H_i interpolates at the place. Every rank computes its share of the readings; the gradient of a weighted sum
of them is one march back (`plexus.run.trace`), and their change along a direction the tangent of the march
(`plexus.solvers.adjoint.node`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.errors import InputError, at_path
from plexus.run.trace import Trace

if TYPE_CHECKING:
    from plexus.coupling.base import BaseSystem
    from plexus.coupling.numbers import Numbers
    from plexus.fields.state import State
    from plexus.measurements.base import Readings
    from plexus.run import Run

Array = np.ndarray
TOGETHER = 32
"""Directions that go forward through the march together."""
ROUNDING = 1e-13
"""Share of the readings up to which what they change by is rounding."""


class Sensor:
    """Readings of one measurement on one rank. Construction is collective.

    Parameters
    ----------
    readings
        What was measured.
    first
        Place of its first reading among all.
    """

    def __init__(self, readings: Readings, system: BaseSystem, first: int):
        self.reader = system.reader(readings.of, readings.x)
        which = self.reader.which
        self.rows, self.t = first + torch.from_numpy(which), readings.t[which]
        self.every = readings.t

    def look(self, trace: Trace, state: State, chosen: Array) -> torch.Tensor:
        """Return this rank's share of the chosen readings in a state of a march. Collective."""
        return self.reader.look(trace.system, state, chosen)


class RunMisfit:
    """`plexus.calibration.objective.Misfit` of a run. Construction is collective.

    Attributes
    ----------
    data, deviation : (k,) what was measured.
    runs, pulls, pushes : how often the run was marched, how often back, how many directions forward.
    """

    def __init__(self, run: Run, numbers: Numbers, readings: Sequence[Readings]):
        self.run, self.numbers, self.sensors = run, numbers, []
        first = 0
        for i, part in enumerate(readings):
            with at_path(f"calibrate.data[{i}]"):
                self.sensors.append(Sensor(part, run.system, first))
            first += len(part.values)
        self.data = np.concatenate([part.values for part in readings])
        self.deviation = np.concatenate([part.deviation for part in readings])
        self.runs = self.pulls = self.pushes = 0
        self._at: tuple[Array, torch.Tensor, torch.Tensor] | None = None

    def residuals(self, m: Array) -> Array:
        """Return (y(m) - d)/σ, (k,). Collective."""
        if self._at is None or not np.array_equal(self._at[0], m):
            self._at = None  # the graph of another place is let go before a new one grows
            tensor = torch.tensor(m, requires_grad=True)
            self._at = m.copy(), tensor, self._computed(tensor)
        return self._whitened(self._at[2])

    def computed(self, m: Array) -> Array:
        """Return y(m), (k,). Collective."""
        return self.residuals(m) * self.deviation + self.data

    def _whitened(self, y: torch.Tensor) -> Array:
        return (self.numbers.total(y.detach().numpy()) - self.data) / self.deviation

    def _computed(self, m: torch.Tensor) -> torch.Tensor:
        """Return the rank's share of y(m). Collective."""
        self.runs += 1
        y = torch.zeros(len(self.data), dtype=torch.float64)
        trace = Trace.of(self.run, self.numbers.own(m))
        before = trace.state if trace.stepper.marches else None
        if before is not None:
            for sensor in self.sensors:
                y = _added(y, sensor, trace, before, np.flatnonzero(sensor.t <= before.t))
        for state in trace.march():
            for sensor in self.sensors:
                y = self._between(y, sensor, trace, before, state)
            before = state
        return y

    @staticmethod
    def _between(
        y: torch.Tensor, sensor: Sensor, trace: Trace, before: State | None, state: State
    ) -> torch.Tensor:
        """Return y with the readings between two states; all of them in the one of a steady run."""
        if before is None:
            return _added(y, sensor, trace, state, np.arange(len(sensor.t)))
        # where one rank has readings, the way back through this step is collective
        if not _between(sensor.every, before, state).any():
            return y
        chosen = np.flatnonzero(_between(sensor.t, before, state))
        s = torch.from_numpy((sensor.t[chosen] - before.t) / (state.t - before.t))
        here = (1 - s) * sensor.look(trace, before, chosen) + s * sensor.look(trace, state, chosen)
        return y.index_add(0, sensor.rows[chosen], here)

    def pulled(self, m: Array, w: Array) -> Array:
        """Return Jᵀ w, (n,). Collective."""
        self.residuals(m)
        assert self._at is not None
        self.pulls += 1
        _, tensor, y = self._at
        local = (y * torch.from_numpy(w / self.deviation)).sum()
        (part,) = torch.autograd.grad(local, tensor, retain_graph=True, allow_unused=True)
        return self.numbers.total(np.zeros(len(m)) if part is None else part.numpy())

    def pushed(self, m: Array, directions: Array) -> Array:
        """Return J v for directions v (c, n), (c, k). Collective."""
        self.residuals(m)
        assert self._at is not None
        self.pushes += len(directions)
        _, tensor, y = self._at
        # Jᵀw is linear in w: its derivative along v, at any w, is J v
        w = torch.zeros(len(self.data), dtype=torch.float64, requires_grad=True)
        local = (y * (w / torch.from_numpy(self.deviation))).sum()
        (slope,) = torch.autograd.grad(local, tensor, create_graph=True, materialize_grads=True)

        def along(v: torch.Tensor) -> torch.Tensor:
            return torch.autograd.grad(slope, w, v, retain_graph=True, materialize_grads=True)[0]

        parts = [torch.func.vmap(along)(torch.from_numpy(v)) for v in _split(directions)]
        return self.numbers.total(torch.cat(parts).numpy())

    def jacobian(self, m: Array) -> Array:
        """Return J, (k, n), by rows backwards or by columns forwards, whichever are fewer. Collective.

        Where something has no tangent, all rows are taken backwards.
        """
        if len(self.data) <= len(m) or not self.run.system.pushes:
            return np.stack([self.pulled(m, row) for row in np.eye(len(self.data))])
        return self.pushed(m, np.eye(len(m))).T


def _split(directions: Array) -> list[Array]:
    """Return directions in pieces that go forward together."""
    return [directions[i : i + TOGETHER] for i in range(0, len(directions), TOGETHER)]


def _between(t: Array, before: State, state: State) -> Array:
    """Return which times lie after one state and not after another."""
    return np.asarray((t > before.t) & (t <= state.t))


def _added(y: torch.Tensor, sensor: Sensor, trace: Trace, state: State, chosen: Array) -> torch.Tensor:
    """Return y with the chosen readings of a sensor as a state has them."""
    return y.index_add(0, sensor.rows[chosen], sensor.look(trace, state, chosen))


def refuse_unread(numbers: Numbers, gradient: Array, size: float) -> None:
    """Refuse a control that no measurement depends on.

    Parameters
    ----------
    numbers
        The controls.
    gradient
        Of a weighted sum of the readings, (n,).
    size
        Of the sum of their absolute values, which rounding is measured by.

    Raises
    ------
    InputError
        With its name.
    """
    start = numbers.start()
    for name, part in numbers.parts.items():
        # a start of zero tells no size: there only an exact zero is believed
        seen = np.abs(gradient[part]).max(initial=0.0)
        moved = seen * (np.abs(start[part]).max(initial=0.0) or np.inf) if seen else 0.0
        if moved <= ROUNDING * size and numbers.stated[name].params.regularisation is None:
            raise InputError(
                f"controls.{name}: no measurement depends on it: measure elsewhere, leave it out of "
                "`calibrate.controls`, or give it a regularisation"
            )
