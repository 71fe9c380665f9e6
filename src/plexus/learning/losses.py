"""What training makes small.

Offline: the mean square error of the closed moment, relative to the moment's own mean square. In a
roll-out: the same for the moments f_1..f_K and the strain rate where the model gets to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from plexus.learning.frames import Frames, Later
from plexus.learning.rollouts import Reached, rolled, start_from, start_within
from plexus.learning.team import Team

Tensor = torch.Tensor


def squares(error: Mapping[str, Tensor] | Tensor) -> Tensor:
    """Return |error|², summed over closure fields where there are several."""
    if isinstance(error, Tensor):
        return (error * error.conj()).real if error.is_complex() else error * error
    return sum((squares(e) for e in error.values()), start=torch.zeros(()))


def errors(closure: Any, fields: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
    """Return |answer - target|² of the network point by point."""
    given = closure.raw(fields)
    return squares({name: given[name] - target[name] for name in target})


def sizes(frames: Frames) -> Tensor:
    """Return the mean square of each own frame's target, (F,)."""
    if not len(frames):
        return torch.zeros(0, dtype=torch.float64)
    return squares(frames.target).flatten(1).mean(1)


def mean_size(team: Team, frames: Frames, chosen: Tensor) -> float:
    """Return the mean square of the target over the chosen frames of all ranks. Collective."""
    return float(team.sum(sizes(frames)[frames.places(chosen)].sum())) / max(len(chosen), 1)


def noisy(fields: Mapping[str, Tensor], share: float, generator: torch.Generator) -> dict[str, Tensor]:
    """Return fields whose moments and strain rate carry noise, a share of their root mean square."""
    changed = dict(fields)
    for name, value in fields.items():
        if value.is_complex() and value.numel():
            shake = torch.randn((2, *value.shape), generator=generator, dtype=value.real.dtype).to(
                value.device
            )
            size = share * squares(value).mean().sqrt() * 0.5**0.5
            changed[name] = value + size * torch.complex(shake[0], shake[1])
    return changed


@dataclass(frozen=True)
class RollOuts:
    """Roll-outs of a model from own frames, beside the kinetic run that the frames are of.

    Parameters
    ----------
    model :
        The model, its constants those of the frames that are asked for.
    frames :
        Frames of this rank.
    dt :
        Step.
    truncate :
        Steps through which gradients flow back; all without it.
    """

    model: Any
    frames: Frames
    dt: float
    truncate: int | None = None

    def from_flow(self, places: Tensor, lead: int) -> Ends:
        """Return the ends after ``lead`` steps from the frames at ``places``, in the kinetic run's flow."""
        fields = self.frames.fields
        flow = fields["e"][places], fields["W"][places]
        return self._ends(start_within(self.model, self._moments(places), *flow), places, lead)

    def from_moments(self, places: Tensor, lead: int) -> Ends:
        """Return the same where the first flow is that which the frames' moments drive."""
        return self._ends(start_from(self.model, self._moments(places)), places, lead)

    def _moments(self, places: Tensor) -> Tensor:
        """Return f_0..f_K of frames, (roll-outs, K+1, nx, ny)."""
        fields = self.frames.fields
        carried = [fields[f"f{m}"][places] for m in range(1, self.model.order + 1)]
        return torch.stack([fields["c"][places] + 0j, *carried], -3)

    def _ends(self, start: Reached, places: Tensor, lead: int) -> Ends:
        end = rolled(self.model, start, self.dt, (lead,), self.truncate)[lead]
        true = self.frames.later[lead]
        return Ends(self.model, lead * self.dt, end, Later(true.moments[places], true.e[places]))


class Ends(NamedTuple):
    """Where roll-outs got to, and where the kinetic run is then."""

    model: Any
    time: float
    reached: Reached
    true: Later

    def moments(self) -> Tensor:
        """Return the mean square errors of f_1..f_K, added up, (roll-outs,)."""
        found = self.model.space.inverse(self.reached.modes)
        wrong = squares(found[..., 1:, :, :] - self.true.moments[..., 1:, :, :])
        return wrong.mean((-1, -2)).sum(-1)

    def strain(self) -> Tensor:
        """Return the mean square errors of the strain rate, (roll-outs,); costs the flow at the end."""
        e = self.model.snapshot(self.reached.modes, self.time, self.reached.memory).flow.e
        return squares(e - self.true.e).mean((-1, -2))
