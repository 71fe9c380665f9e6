"""Directions as `plexus train` sees them: a network, its bundle, a validation by counts of iterations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus.protocols import Port, Setting
from plexus.solvers.trainable import TrainableBase

if TYPE_CHECKING:
    from plexus.learning.session import Session

RTOL, MOST = 1e-4, 2000
"""Reduction of the residual that is counted, and iterations at most."""


class Trainable(TrainableBase):
    """What a training asks of its part (`plexus.protocols.Trainable`), around `params` of directions."""

    params: Any
    inputs = (Port("residual", "1", "scalar", "cell"),)
    outputs = (Port("direction", "1", "scalar", "cell"),)

    def prepare(self, setting: Setting) -> None:
        """Make a network, or take that of the bundle. Collective."""
        from plexus.nets.directions import Directions, Plan
        from plexus.solvers.directions import bundle

        p = self.params
        self.scales: dict[str, float] = {}
        self.metadata: dict[str, Any] = {}
        network = bundle.load(p.checkpoint, p.sha256, setting.comm) if p.checkpoint else None
        plan = Plan(p.profile, p.channels, p.form, p.levels)
        self.network = (network or Directions(plan, p.seed)).to(setting.device)

    def raw(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return directions for residuals of norm one, (samples, nx, ny, nz)."""
        return {"direction": self.network(fields["residual"])}

    def range_of(self, fields: Any, widen: float = 0.0) -> dict[str, Any]:
        """Return no range: each answer is compared with the residual instead."""
        return {}

    def use_range(self, box: Any) -> None:
        """Do nothing."""

    def describe(self, box: Any) -> dict[str, Any]:
        """Return what the bundle says of the part."""
        from plexus.solvers.directions import bundle

        return bundle.described(self.network.plan)

    def golden(self, fields: Any) -> Any:
        """Return a residual and its answer."""
        from plexus.solvers.directions import bundle

        return bundle.golden(self.network)

    def judged(self, session: Session) -> list[dict[str, Any]]:
        """Return iterations to 1e-4 on each problem of the validation, and those of conjugate gradients."""
        from plexus.solvers.directions.counts import counts

        data: Any = session.validation
        table = []
        for number in range(data.total):
            found, share = counts(data.system(number), self.network, RTOL, MOST)
            beside, _ = counts(data.system(number), None, RTOL, MOST)
            case, rivals = data.case(data.group(number)), {"conjugate gradients": beside}
            row = {"case": case, "metric": "iterations to 1e-4", "value": found, "baselines": rivals}
            table.append(row | {"fallback": share})
        return table
