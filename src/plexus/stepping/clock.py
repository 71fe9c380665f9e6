"""The clock of a run: compensated time that lands exactly on prescribed times.

Adding n steps of size dt loses about n·ε·t; Neumaier's compensation keeps the sum exact to one
rounding, so that ``end`` is reached after the number of steps that a person expects.
"""

from __future__ import annotations

from math import ulp

SLIVER = 1e-6
"""Part of a step by which it may be stretched or cut to land on a prescribed time."""


class Clock:
    """Time [s] and step number of a run.

    Parameters
    ----------
    start, end:
        Interval of the simulation [s]. ``start == end`` means a steady run of one step.
    """

    def __init__(self, start: float, end: float):
        self.start, self.end = start, end
        self.t, self.step = start, 0
        self._sum, self._lost = start, 0.0

    @property
    def done(self) -> bool:
        """True when the end time is reached (a steady run: after its one step)."""
        return self.step > 0 and self.t >= self.end

    def fit(self, dt: float, target: float | None = None) -> float:
        """Return ``dt`` shortened so that the step does not pass ``target`` or the end.

        A step that would stop just short of the target is stretched onto it instead of leaving a
        sliver behind; `tick` then sets the time to the target itself.
        """
        room = self._target(target) - self.t
        return room if room <= dt + self._sliver(dt) else dt

    def tick(self, dt: float, target: float | None = None) -> None:
        """Advance by ``dt``; when that reaches the target or the end, take over its exact value."""
        self.step += 1
        goal = self._target(target)
        new = self._sum + dt
        # Neumaier: what the addition rounded away, recovered from the larger summand.
        larger, smaller = (self._sum, dt) if abs(self._sum) >= abs(dt) else (dt, self._sum)
        self._lost += (larger - new) + smaller
        self._sum = new
        self.t = self._sum + self._lost
        if abs(goal - self.t) <= self._sliver(dt):
            self.t, self._sum, self._lost = goal, goal, 0.0

    def _sliver(self, dt: float) -> float:
        """Return the rest of a step that is none: relative to the step, so that late small ones do not jump.

        Far from zero the rounding of the time itself may be more, up to a tenth of a step.
        """
        return max(SLIVER * abs(dt), min(4 * ulp(self.t), 0.1 * abs(dt)))

    def _target(self, target: float | None) -> float:
        """Return the next time that must be hit."""
        return self.end if target is None else min(target, self.end)

    def state(self) -> dict[str, float]:
        """Return step, time and its compensation for a checkpoint."""
        return {"step": self.step, "t": self.t, "sum": self._sum, "lost": self._lost}

    def restore(self, state: dict[str, float]) -> None:
        """Continue from what `state` returned."""
        self.step, self.t = int(state["step"]), float(state["t"])
        self._sum, self._lost = float(state["sum"]), float(state["lost"])
