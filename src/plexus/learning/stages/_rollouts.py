"""Roll-outs of the reduced model from samples of kinetic runs, and how far they are from these.

The error is the mean square one of the moments f_1..f_K, or that of the strain rate, where the model gets to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from plexus import registry
from plexus.learning.samples import Named
from plexus.learning.squares import squares
from plexus.learning.stages._march import Reached, rolled, start_from, start_within

if TYPE_CHECKING:
    from plexus.learning.session import Session

Tensor = torch.Tensor


def model(session: Session, closure: Any) -> Any:
    """Return the reduced model of a training's deck with a closure."""
    physics = session.deck.physics
    cls: Any = registry.component("physics", physics.type).cls
    return cls(physics).model(session.space, closure)


@dataclass(frozen=True)
class RollOuts:
    """Roll-outs of a model from own samples, beside the kinetic runs that these are of.

    Parameters
    ----------
    model :
        The model, its constants those of the samples that are asked for.
    session :
        The training, with samples that know the truth after each length of roll-out.
    truncate :
        Steps through which gradients flow back; all without it.
    """

    model: Any
    session: Session
    truncate: int | None = None

    def from_flow(self, places: Tensor, lead: int) -> Ends:
        """Return the ends after ``lead`` steps from the samples at ``places``, in the kinetic run's flow."""
        fields = self.session.samples.inputs
        flow = fields["e"][places], fields["W"][places]
        return self._ends(start_within(self.model, self._moments(places), *flow), places, lead)

    def from_moments(self, places: Tensor, lead: int) -> Ends:
        """Return the same where the first flow is that which the samples' moments drive."""
        return self._ends(start_from(self.model, self._moments(places)), places, lead)

    def _moments(self, places: Tensor) -> Tensor:
        """Return f_0..f_K of samples, (roll-outs, K+1, nx, ny)."""
        fields = self.session.samples.inputs
        carried = [fields[f"f{m}"][places] for m in range(1, self.model.order + 1)]
        return torch.stack([fields["c"][places] + 0j, *carried], -3)

    def _ends(self, start: Reached, places: Tensor, lead: int) -> Ends:
        time = self.session.deck.time
        assert time is not None
        end = rolled(self.model, start, time.step, (lead,), self.truncate)[lead]
        true = self.session.samples.later[lead]
        return Ends(self.model, lead * time.step, end, {k: v[places] for k, v in true.items()})


class Ends(NamedTuple):
    """Where roll-outs got to, and where the kinetic run is then."""

    model: Any
    time: float
    reached: Reached
    true: Named

    def moments(self) -> Tensor:
        """Return the mean square errors of f_1..f_K, added up, (roll-outs,)."""
        found = self.model.space.inverse(self.reached.modes)
        wrong = squares(found[..., 1:, :, :] - self.true["moments"][..., 1:, :, :])
        return wrong.mean((-1, -2)).sum(-1)

    def strain(self) -> Tensor:
        """Return the mean square errors of the strain rate, (roll-outs,); costs the flow at the end."""
        e = self.model.snapshot(self.reached.modes, self.time, self.reached.memory).flow.e
        return squares(e - self.true["e"]).mean((-1, -2))
