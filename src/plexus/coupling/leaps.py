"""Whole steps of a model on cells by an operator, and what can be measured of them.

The measures are of the whole domain, one number per member of an ensemble: whether all values are finite; how
far the means of the fields have moved where nothing enters or leaves, in units of their root mean squares;
and the residual of the midpoint rule over the step, relative to the change,

    ‖(a(v) - a(u))/dt - R((a(u) + a(v))/2)‖ dt / ‖a(v) - a(u)‖,

see `plexus.coupling.residuals`, which is small only where the step resolves the time.
"""

from __future__ import annotations

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
    restored
        Whether the means that a step has moved are put back, after they have been judged.
    """

    def __init__(self, part: Any, restored: bool = False):
        self.part, self.restored = part, restored

    def take(self, system: VolumeSystem, values: Values, t: float, dt: float) -> tuple[Values, Tensor]:
        """Return what cells hold at the end of a step, and who must not take it, (N,). Collective."""
        guard, part = self.part.guard, self.part
        with torch.no_grad():
            old = system.seen(values)
            fields = {port.name: old[port.name][:, 0] for port in part.inputs}
            new = {**old, **{name: value[:, None] for name, value in part.apply(fields).items()}}
            held = system.held(new)
            measures = self._measures(values, held)
            if guard.params.residual is not None:
                rows = system.residuals().step(old, new, t, dt)
                measures["residual"] = self._left(rows, values, held, dt)
            features = part.features(fields)
            if self.restored:
                held = {
                    n: v + self._drift(values[n], v).view(-1, 1, *[1] * (v.dim() - 2))
                    for n, v in held.items()
                }
        failed = guard.judge(features, measures)
        # what is only counted is taken, unless it is no number
        refused = measures["finite"] > 0 if guard.params.outside == "log" else failed
        return {**values, **held}, refused

    def _measures(self, old: Values, new: Values) -> dict[str, Tensor]:
        """Return what the guard asks about the amounts alone. Collective."""
        measures = {}
        bad = torch.stack([(~v.isfinite()).flatten(1).sum(1) for v in new.values()]).sum(0)
        measures["finite"] = self.part.mean(bad[:, None].double())
        if self.part.guard.params.balance is not None:
            measures["balance"] = self._largest(
                self._drift(old[n], v).abs() / (self._mean(old[n].square()).sqrt() + TINY)
                for n, v in new.items()
            )
        return measures

    def _left(self, rows: Values, old: Values, new: Values, dt: float) -> Tensor:
        """Return residuals relative to the changes, (N,). Collective."""
        return self._largest(
            dt * (self._mean(r.square()) / (self._mean((new[n] - old[n]).square()) + TINY)).sqrt()
            for n, r in rows.items()
        )

    def _drift(self, old: Tensor, new: Tensor) -> Tensor:
        """Return what the means of members have lost, (N,). Collective."""
        return self._mean(old) - self._mean(new)

    def _mean(self, u: Tensor) -> Tensor:
        """Return the means of members over the domain, (N,). Collective."""
        found: Tensor = self.part.mean(u.flatten(1))
        return found

    @staticmethod
    def _largest(values: Any) -> Tensor:
        """Return the largest of several fields, (N,)."""
        return torch.stack(list(values)).amax(0)
