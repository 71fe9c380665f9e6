"""What draws do at few points of a body: the law marched there along the displacements that are known.

Largest values of the memory and shortest lives are those of the worst point. Which points may be the worst is
told by some draws that are looked at everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import at_path
from plexus.life._cycle import Cycle, six
from plexus.reduction.model import strains_of
from plexus.reduction.points import ReducedPoints, Sites
from plexus_kernels.native.viscoplastic import Given, respond

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.offline.drawn import Drawn
    from plexus.protocols import Criterion

Array = np.ndarray
FULL = (0, 3, 5, 3, 1, 4, 5, 4, 2)
"""Where the nine numbers of a tensor stand among its six."""
CHUNK = 2048
"""Points that are looked at together where all are."""


@dataclass(frozen=True, eq=False)
class Judged:
    """p at the end and damage of the last cycle at own points, (D, s); damage is zero without a criterion.

    ``missed`` says of each draw at how many own points data of the criterion do not reach.
    """

    p: Array
    damage: Array
    missed: Sequence[Mapping[str, int]] = ()


@dataclass(frozen=True)
class Lifing:
    """A criterion, the time at which the cycle begins that it judges [s], the cells in its region, and the
    deck path of its output.
    """

    criterion: Criterion
    begin: float
    cells: Array
    path: str


class Places:
    """Some quadrature points of a reduced body. Construction is collective.

    Parameters
    ----------
    system : ReducedSystem
        The body.
    names : array of int64
        Names of the points, on all ranks.
    times : sequence of float
        Start and ends of all steps [s].
    lifing : Lifing, optional
        How lives are judged.
    """

    def __init__(self, system: ReducedSystem, names: Array, times: Sequence[float], lifing: Lifing | None):
        form, points = system.full.forms[system.name], system.full.quadrature
        self.system, self.times, self.lifing = system, np.array(times), lifing
        self.points = ReducedPoints(points, np.sort(names), np.zeros(len(names)))
        self.sites = Sites(form, self.points, system.given)
        self.strains = strains_of(form, points, system.model.basis, self.points.rows)
        inside = np.empty(0, dtype=np.int64) if lifing is None else lifing.cells
        self.inside = np.isin(self.points.cell, inside)
        self.backs = len(system.points) - 2

    def judge(self, drawn: Drawn, numbers: Sequence[int], g: Array) -> Judged:
        """Return what draws with coordinates (D, T, n) do here."""
        d, s = len(numbers), self.points.n_local
        if not s or not d:
            return Judged(np.zeros((d, s)), np.zeros((d, s)), [{}] * d)
        known = [
            self.system.steps.conditions(self.sites, self.times, drawn.values(number)) for number in numbers
        ]
        data = np.stack([c.data for c in known], axis=1)
        offset = np.stack([c.offset for c in known], axis=1)[:, :, FULL].swapaxes(2, 3)
        warm = [c.temperature for c in known if c.temperature is not None]
        heat = np.stack(warm, axis=1) if warm else None
        begin, instants = (np.inf if self.lifing is None else self.lifing.begin), list[tuple[Array, ...]]()
        for k, (strain, stress, memory) in enumerate(self._march(g, data, offset)):
            if self.times[k] >= begin:
                instants.append((stress, strain, memory[0], memory[1]))
        p = memory[1]
        if self.lifing is None or not self.inside.any():
            return Judged(p, np.zeros_like(p), [{}] * d)
        last = len(self.times) - len(instants)
        cycle = self._cycle(instants, data[last:], None if heat is None else heat[last:])
        criterion, found = self.lifing.criterion, np.zeros((d, s))
        with at_path(self.lifing.path):
            found[:, self.inside] = criterion.damage(cycle).reshape(d, -1)
        if not any(criterion.misses(cycle).values()):
            return Judged(p, found, [{}] * d)
        each = np.arange(d * int(self.inside.sum())).reshape(d, -1)
        return Judged(p, found, [criterion.misses(cycle.at(rows)) for rows in each])

    def _march(self, g: Array, data: Array, offset: Array) -> Iterator[tuple[Array, Array, list[Array]]]:
        """Yield strain of the displacement, stress and memory at each time, the start first."""
        d, s = len(g), self.points.n_local
        memory = [np.zeros((d, s, 9)), np.zeros((d, s)), *(np.zeros((d, s, 9)) for _ in range(self.backs))]
        path = np.concatenate([np.zeros((d, 1, g.shape[2])), g], axis=1)
        lengths = np.concatenate([[0.0], np.diff(self.times)])
        for k, dt in enumerate(lengths):
            strain = np.einsum("kan,dn->dka", self.strains, path[:, k], optimize=True)
            here = [np.ascontiguousarray(data[k, :, i]) for i in range(data.shape[2])]
            seen = np.ascontiguousarray(strain + offset[k])
            given = Given(here, *seen.shape[:2])
            found = respond(seen, memory[0], memory[1], memory[2:], given, float(dt), False, True)
            memory = [found.plastic, found.p, *found.backs]  # type: ignore[list-item]
            yield strain, found.stress, memory

    def _cycle(self, instants: Sequence[Any], data: Array, heat: Array | None) -> Cycle:
        """Return the cycle of instants at the points in the region, draw after draw."""
        inside = self.inside

        def flat(rows: Array) -> Array:
            return rows[:, inside].reshape(-1, *rows.shape[2:])

        stress, strain, plastic = (np.array([six(flat(row[i])) for row in instants]) for i in range(3))
        p = np.array([flat(row[3]) for row in instants])
        bulk, shear = (np.array([flat(rows[:, i]) for rows in data]) for i in range(2))
        modulus = 9.0 * bulk * shear / (3.0 * bulk + shear)
        warm = None if heat is None else np.array([flat(rows) for rows in heat])
        times = self.times[len(self.times) - len(instants) :]
        return Cycle(times, stress, strain, plastic, p, modulus, warm)


def scouted(
    system: ReducedSystem, drawn: Drawn, numbers: Sequence[int], g: Array, times: Sequence[float],
    lifing: Lifing | None, count: int,
) -> Places:  # fmt: skip
    """Return the points at which p or damage of some draws come nearest to their largest. Collective.

    These draws are looked at everywhere.
    """
    points, comm = system.full.quadrature, system.comm
    own = points.names()[: points.n_owned]
    pieces = max(comm.allgather(-(-len(own) // CHUNK)))
    parts = []
    for k in range(pieces):
        mine = own[k * CHUNK : (k + 1) * CHUNK]
        place = Places(system, np.concatenate(comm.allgather(mine)), times, lifing)
        rows = [place.judge(drawn, [number], path[None]) for number, path in zip(numbers, g, strict=True)]
        parts.append(
            (place.points.names(), *(np.concatenate([getattr(r, n) for r in rows]) for n in ("p", "damage")))
        )
    names = np.concatenate([part[0] for part in parts])
    score = np.zeros(len(names))
    for i in (1, 2):
        values = np.concatenate([part[i] for part in parts], axis=1)
        most = np.max(comm.allgather(values.max(axis=1, initial=0.0)), axis=0)
        share = values / np.where(most > 0, most, 1.0)[:, None]
        score = np.maximum(score, share.max(axis=0, initial=0.0))
    best = np.argsort(-score, kind="stable")[:count]
    every = [np.concatenate(comm.allgather(rows[best])) for rows in (-score, names)]
    # of equal ones those of the lowest names, whatever the partition
    return Places(system, every[1][np.lexsort(every[::-1])[:count]], times, lifing)
