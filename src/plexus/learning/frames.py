"""Frames of kinetic runs: what a closure is trained on, kept in memory by the ranks in turn.

A frame holds the fields that a closure sees, what it should answer, and, for roll-outs, where the kinetic run
is some steps later. Frames are numbered over all cases; frame n belongs to rank n modulo the number of ranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from plexus.learning.team import Team

Tensor = torch.Tensor
ROUNDING = 1e-6
"""By how much the order of aligned rods may pass 1."""


class Later(NamedTuple):
    """Where the kinetic run is some steps after each frame."""

    moments: Tensor
    """f_0..f_K, (F, K+1, nx, ny)."""
    e: Tensor
    """Strain rate, (F, nx, ny)."""


@dataclass
class Frames:
    """Frames of one rank; the first axis of all tensors counts them.

    Attributes
    ----------
    number, case, time :
        Number over all ranks, number of the case, time.
    fields :
        What closures see: ``c``, ``f1``, ..., ``e``, ``W`` and constants such as ``zeta``, (F, nx, ny).
    target :
        Closure fields of the kinetic run, by name.
    later :
        Steps -> where the kinetic run is so many steps later.
    total :
        Number of frames on all ranks.
    """

    number: Tensor
    case: Tensor
    time: Tensor
    fields: dict[str, Tensor]
    target: dict[str, Tensor]
    later: dict[int, Later] = field(default_factory=dict)
    total: int = 0
    rank: int = 0
    ranks: int = 1

    def __len__(self) -> int:
        """Return the number of own frames."""
        return len(self.number)

    @property
    def shape(self) -> tuple[int, ...]:
        """Grid points of a frame."""
        return tuple(self.fields["c"].shape[1:])

    @property
    def cells(self) -> int:
        """Number of grid points of a frame."""
        return self.fields["c"][0].numel()

    def points(self, frames: Tensor, cells: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
        """Return fields, targets and places of those grid points of frames that this rank has, (points,)."""
        mine = frames % self.ranks == self.rank
        place = self.places(frames)
        at = place * self.cells + cells[mine] if len(self) else place
        return _taken(self.fields, at), _taken(self.target, at), place

    def whole(self, numbers: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
        """Return fields, targets and places of those whole frames that this rank has, (frames, nx, ny)."""
        place = self.places(numbers)
        return (
            {k: v[place] for k, v in self.fields.items()},
            {k: v[place] for k, v in self.target.items()},
            place,
        )

    def places(self, numbers: Tensor) -> Tensor:
        """Return where this rank keeps those of the numbered frames that it has."""
        mine = numbers[numbers % self.ranks == self.rank]
        return torch.div(mine, self.ranks, rounding_mode="floor")


def _taken(fields: Mapping[str, Tensor], at: Tensor) -> dict[str, Tensor]:
    return {name: value.reshape(-1)[at] for name, value in fields.items()}


def dealt(team: Team, parts: Sequence[Frames]) -> Frames:
    """Return this rank's share of frames that the ranks hold in any order, numbered from 0. Collective.

    ``parts`` are this rank's; their ``case`` and ``time`` decide the numbers, so that these do not depend on
    the number of ranks.
    """
    keys = [(int(c), float(t)) for p in parts for c, t in zip(p.case, p.time, strict=True)]
    everything = [keys] if team.comm is None else team.comm.allgather(keys)
    number = {key: n for n, key in enumerate(sorted(k for part in everything for k in part))}
    boxes: list[list[tuple[int, Frames]]] = [[] for _ in range(team.size)]
    for part in parts:
        for i in range(len(part)):
            n = number[int(part.case[i]), float(part.time[i])]
            boxes[n % team.size].append((n, _one(part, i)))
    boxes = boxes if team.comm is None else team.comm.alltoall(boxes)
    mine = sorted((pair for box in boxes for pair in box), key=lambda pair: pair[0])
    return _joined([frame for _, frame in mine], [n for n, _ in mine], len(number), team)


def _one(part: Frames, i: int) -> Frames:
    """Return one frame, still with the first axis."""

    def cut(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {k: v[i : i + 1].clone() for k, v in named.items()}

    later = {n: Later(*(v[i : i + 1].clone() for v in run)) for n, run in part.later.items()}
    return Frames(part.number[i : i + 1], part.case[i : i + 1], part.time[i : i + 1], cut(part.fields),
                  cut(part.target), later)  # fmt: skip


def _joined(frames: Sequence[Frames], numbers: Sequence[int], total: int, team: Team) -> Frames:
    """Return frames as one set."""
    one = torch.tensor(numbers, dtype=torch.long)
    if not frames:
        return Frames(one, one, one.double(), {}, {}, {}, total, team.rank, team.size)

    def join(pieces: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        return {k: torch.cat([p[k] for p in pieces]) for k in pieces[0]}

    later = {
        n: Later(*(torch.cat(parts) for parts in zip(*(f.later[n] for f in frames), strict=True)))
        for n in frames[0].later
    }
    return Frames(one, torch.cat([f.case for f in frames]), torch.cat([f.time for f in frames]),
                  join([f.fields for f in frames]), join([f.target for f in frames]), later,
                  total, team.rank, team.size)  # fmt: skip


def impossible(fields: Mapping[str, Tensor]) -> str | None:
    """Return how many points have an order |f_1|/c above 1, as no distribution has; None without any."""
    if not {"c", "f1"} <= fields.keys():
        return None
    order = fields["f1"].abs() / fields["c"]
    # a training must not learn from what truncation and grid have made up
    outside = int((order > 1 + ROUNDING).sum())
    if not outside:
        return None
    share, most = outside / order.numel(), float(order.max())
    what = f"{outside:,} of {order.numel():,} points ({share:.2%}) have an order above 1, up to {most:.4g}"
    return f"{what}: no distribution has these moments; a finer grid, more moments or more substeps help"
