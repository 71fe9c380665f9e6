"""What training makes small.

Offline: the mean square error of the closed moment, relative to the moment's own mean square. In a
roll-out: the same for the moments f_1..f_K and the strain rate where the model gets to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from plexus.learning.frames import Frames
from plexus.learning.rollouts import rolled, start_from
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


def of_rollouts(
    model: Any,
    frames: Frames,
    places: Tensor,
    lead: int,
    dt: float,
    flow: bool = True,
    truncate: int | None = None,
    known: bool = True,
) -> tuple[Tensor, Tensor]:
    """Return the mean square errors of moments and strain rate of roll-outs from frames, (roll-outs,) each.

    They start from the own frames at ``places`` and take ``lead`` steps of ``dt``. Without ``flow`` the
    strain rate is not looked at. Gradients flow back through ``truncate`` steps at most. The first strain
    rate is the kinetic run's if that is to be ``known``, else it is solved for.
    """
    names = [f"f{m}" for m in range(1, model.order + 1)]
    first = torch.stack([frames.fields["c"][places] + 0j, *(frames.fields[n][places] for n in names)], -3)
    seen = (frames.fields["e"][places], frames.fields["W"][places]) if known else (None, None)
    hat, memory = start_from(model, first, *seen)
    state, kept = rolled(model, hat, memory, dt, (lead,), truncate)[lead]
    true, found = frames.later[lead][places], model.space.inverse(state)
    moments = squares(found[..., 1:, :, :] - true[..., 1:-1, :, :]).mean((-1, -2)).sum(-1)
    if not flow:
        return moments, torch.zeros_like(moments)
    e = model.snapshot(state, lead * dt, kept).flow.e
    return moments, squares(e - true[..., -1, :, :]).mean((-1, -2))
