"""Whole steps of a model on cells by an operator, and what can be measured of them.

The measures are of the whole domain, one number per member of an ensemble: whether all values are finite; how
far the means of the fields have moved where nothing enters or leaves, in units of their root mean squares;
and the residual of the trapezoidal rule over the step, relative to the change,

    ‖(a(v) - a(u))/dt - R‖ dt / ‖a(v) - a(u)‖,

see `plexus.coupling.residuals`, which is small only where the step resolves the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from plexus.coupling.volumes import VolumeSystem
    from plexus.protocols import Values

Tensor = torch.Tensor
TINY = 1e-300


class Leap:
    """The operator of one run.

    Parameters
    ----------
    part
        The operator, prepared.
    closed
        Whether nothing enters or leaves the domain.
    """

    def __init__(self, part: Any, closed: bool):
        self.part, self.closed = part, closed

    def take(self, system: VolumeSystem, values: Values, t: float, dt: float) -> tuple[Values, Tensor]:
        """Return the values at the end of a step, and which members must not take it, (N,). Collective."""
        guard, part = self.part.guard, self.part
        fields = {port.name: values[port.name][:, 0] for port in part.inputs}
        with torch.no_grad():
            found = {name: value[:, None] for name, value in part.apply(fields).items()}
            features = part.features(fields)
            measures = self._measures(system, values, found, t, dt)
        failed = guard.judge(features, measures)
        # what is only counted is taken, unless it is no number
        refused = measures["finite"] > 0 if guard.params.outside == "log" else failed
        return {**values, **found}, refused

    def _measures(
        self, system: VolumeSystem, old: Values, new: Values, t: float, dt: float
    ) -> Mapping[str, Tensor]:
        """Return the measures that the guard asks for. Collective."""
        p, measures = self.part.guard.params, {}
        bad = torch.stack([(~v.isfinite()).flatten(1).sum(1) for v in new.values()]).sum(0)
        measures["finite"] = self.part.mean(bad[:, None].double())
        closed = p.balance is not None and self.closed
        if closed or p.residual is not None:
            left = system.residuals()
            # totals and rates are those of what cells hold
            u, v = (left.fields(left.amounts(values)) for values in (old, new))
            change = {n: v[n] - u[n] for n in v}
        if closed:
            measures["balance"] = self._largest(
                self._mean(change[n]).abs() / (self._mean(u[n].square()).sqrt() + TINY) for n in v
            )
        if p.residual is not None:
            rows = left.step(old, new, t, dt)
            measures["residual"] = self._largest(
                dt * (self._mean(rows[n].square()) / (self._mean(change[n].square()) + TINY)).sqrt()
                for n in v
            )
        return measures

    def _mean(self, u: Tensor) -> Tensor:
        """Return the means of members over the domain, (N,). Collective."""
        found: Tensor = self.part.mean(u.flatten(1))
        return found

    @staticmethod
    def _largest(values: Any) -> Tensor:
        """Return the largest of several fields, (N,)."""
        return torch.stack(list(values)).amax(0)
