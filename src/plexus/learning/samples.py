"""Samples: what a part is trained on, named tensors that the ranks keep in turn.

A sample holds what the part sees, what it should answer, and, for roll-outs, where the truth is some steps
later. Samples are numbered over all ranks; sample n belongs to rank n modulo the number of ranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from plexus.learning.team import Team

Tensor = torch.Tensor
Named = dict[str, Tensor]


@dataclass
class Samples:
    """Samples of one rank; the first axis of all tensors counts them.

    Attributes
    ----------
    number, group, time :
        Number over all ranks; number of the case, file or run that it comes from; time [s].
    inputs :
        What the part sees, by port, (S, ...).
    targets :
        What it should answer, by port, (S, ...).
    later :
        Steps -> named fields of the truth so many steps later.
    total :
        Number of samples on all ranks.
    measured :
        Inputs that a measurement would blur; all others are known.
    """

    number: Tensor
    group: Tensor
    time: Tensor
    inputs: Named
    targets: Named
    later: dict[int, Named] = field(default_factory=dict)
    total: int = 0
    rank: int = 0
    ranks: int = 1
    measured: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of own samples."""
        return len(self.number)

    @property
    def cells(self) -> int:
        """Number of points of a sample."""
        return next(iter(self.inputs.values()))[0].numel()

    def points(self, samples: Tensor, cells: Tensor) -> tuple[Named, Named, Tensor]:
        """Return inputs, targets and places of those points of samples that this rank has, (points,)."""
        mine = samples % self.ranks == self.rank
        place = self.places(samples)
        at = place * self.cells + cells[mine] if len(self) else place
        return _taken(self.inputs, at), _taken(self.targets, at), place

    def whole(self, numbers: Tensor) -> tuple[Named, Named, Tensor]:
        """Return inputs, targets and places of those whole samples that this rank has, (samples, ...)."""
        return self.at(self.places(numbers))

    def at(self, places: Tensor) -> tuple[Named, Named, Tensor]:
        """Return inputs and targets of the own samples at some places, and these places."""
        return _rows(self.inputs, places), _rows(self.targets, places), places

    def places(self, numbers: Tensor) -> Tensor:
        """Return where this rank keeps those of the numbered samples that it has."""
        mine = numbers[numbers % self.ranks == self.rank]
        return torch.div(mine, self.ranks, rounding_mode="floor")

    def one(self, place: int) -> Samples:
        """Return one own sample, still with the first axis."""
        at = slice(place, place + 1)

        def cut(named: Mapping[str, Tensor]) -> Named:
            return {k: v[at].clone() for k, v in named.items()}

        later = {n: cut(named) for n, named in self.later.items()}
        return Samples(self.number[at], self.group[at], self.time[at], cut(self.inputs), cut(self.targets),
                       later, measured=self.measured)  # fmt: skip


def _rows(named: Mapping[str, Tensor], at: Tensor) -> Named:
    return {name: value[at] for name, value in named.items()}


def _taken(named: Mapping[str, Tensor], at: Tensor) -> Named:
    return {name: value.reshape(-1)[at] for name, value in named.items()}


def dealt(team: Team, parts: Sequence[Samples]) -> Samples:
    """Return this rank's share of samples that the ranks hold in any order, numbered from 0. Collective.

    ``parts`` are this rank's; their ``group`` and ``time`` decide the numbers, so that these do not depend on
    the number of ranks.
    """
    keys = [(int(g), float(t)) for p in parts for g, t in zip(p.group, p.time, strict=True)]
    everything = [keys] if team.comm is None else team.comm.allgather(keys)
    number = {key: n for n, key in enumerate(sorted(k for part in everything for k in part))}
    boxes: list[list[tuple[int, Samples]]] = [[] for _ in range(team.size)]
    for part in parts:
        for i in range(len(part)):
            n = number[int(part.group[i]), float(part.time[i])]
            boxes[n % team.size].append((n, part.one(i)))
    boxes = boxes if team.comm is None else team.comm.alltoall(boxes)
    mine = sorted((pair for box in boxes for pair in box), key=lambda pair: pair[0])
    return _joined([sample for _, sample in mine], [n for n, _ in mine], len(number), team)


def _joined(samples: Sequence[Samples], numbers: Sequence[int], total: int, team: Team) -> Samples:
    """Return samples as one set."""
    one = torch.tensor(numbers, dtype=torch.long)
    if not samples:
        return Samples(one, one, one.double(), {}, {}, {}, total, team.rank, team.size)

    def join(pieces: Sequence[Mapping[str, Tensor]]) -> Named:
        return {k: torch.cat([p[k] for p in pieces]) for k in pieces[0]}

    first = samples[0]
    later = {n: join([s.later[n] for s in samples]) for n in first.later}
    return Samples(one, torch.cat([s.group for s in samples]), torch.cat([s.time for s in samples]),
                   join([s.inputs for s in samples]), join([s.targets for s in samples]), later,
                   total, team.rank, team.size, first.measured)  # fmt: skip


def everywhere(team: Team, samples: Samples, side: Literal["inputs", "targets"] = "inputs") -> Named:
    """Return a side of all samples on every rank, in the order of their numbers. Collective."""
    own: Named = getattr(samples, side)
    told = {n: (v.dtype, tuple(v.shape[1:])) for n, v in sorted(own.items())}
    if team.comm is not None:
        told = next((t for t in team.comm.allgather(told) if t), told)
    # a rank without samples still takes part, with no rows of the right kind
    rows = own or {n: torch.zeros((0, *shape), dtype=kind) for n, (kind, shape) in told.items()}
    return {n: team.together(rows[n], samples.number) for n in told}
