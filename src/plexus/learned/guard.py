"""What watches a learned part: cells outside its training range take the fallback's value.

A cell is outside when one of its features leaves the box of the training data or when the network's value
is not finite. Counts stay on the device: nothing waits for them within a step. Only `Guard.look`, which
decides itself when it looks, `Guard.suspect` and `Guard.counts` read them and add them over ranks.
"""

from __future__ import annotations

import cmath
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from plexus.deck.params import Field, Params
from plexus.learned.account import Account
from plexus.learned.box import middle_of

if TYPE_CHECKING:
    import torch
    from mpi4py.MPI import Comm

LOOK = 32
"""Steps between two looks at the counts; twice as many are kept, so that no trip is missed in between."""


class Fallback(Protocol):
    """What stands in for a learned part, prepared already."""

    def evaluate(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the same outputs by name."""


class GuardParams(Params):
    """What happens to cells outside the range that a learned part was trained for.

    A kind of part says in a subclass which components may be its fallback.
    """

    outside: Literal["fallback", "blend", "log", "stop"] = Field(
        "fallback",
        description="cells outside: classical value, gradual mix, count only, or stop the run when it trips",
    )
    fallback: Params | None = Field(None, description="classical part that stands in; none: the kind's usual")
    max_fraction: float = Field(0.01, ge=0, le=1, description="largest tolerable fraction of cells outside")
    patience: int = Field(100, ge=0, description="steps in a row beyond max_fraction until the guard trips")
    margin: float = Field(
        0.1, ge=0, description="blend: distance from the box, in half widths, at which all is classical"
    )


class Guard(Account):
    """Counts, mask and trip rule of one learned part (`plexus.protocols.Guarded`).

    Parameters
    ----------
    params:
        Policy and limits.
    fallback:
        The prepared classical part.
    comm:
        Ranks that share the fields; None for this process alone.
    name, beyond:
        Class of the part, and what of the model lies outside its training.
    """

    def __init__(
        self,
        params: GuardParams,
        fallback: Fallback,
        comm: Comm | None = None,
        name: str = "",
        beyond: Sequence[str] = (),
    ):
        self.params, self.fallback, self.comm = params, fallback, comm
        self.name, self.beyond = name, tuple(beyond)
        self.mask: torch.Tensor | None = None
        """Which cells did not take the network's value as it is, in the latest step; None before one."""
        self.replaced: torch.Tensor | None = None
        """Which cells the fallback has answered, in whole or in part, in the latest evaluation."""
        self.using_fallback = False
        self.steps = 0
        self.range: tuple[tuple[float, ...], tuple[float, ...]] | None = None
        """Middle and inverse half width of each feature; None without a box."""
        self._box: tuple[torch.Tensor, torch.Tensor] | None = None
        self._ring: torch.Tensor | None = None
        self._total: torch.Tensor | None = None
        self._none: torch.Tensor | None = None
        self._witnesses: torch.Tensor | None = None
        """Cells of the mask that were given something finite."""
        self._cells = 0
        """Cells that the counts of a checkpoint are of, on the first rank; a mask knows its own."""
        self._fresh = True

    @property
    def stops(self) -> bool:
        """Return whether a trip ends the run instead of switching to the fallback."""
        return self.params.outside == "stop"

    def use_box(self, low: Sequence[float], high: Sequence[float], like: torch.Tensor) -> None:
        """Take the training range of the features."""
        middle, half = zip(*map(middle_of, low, high), strict=True)
        self._box = like.new_tensor(middle), 1 / like.new_tensor(half)
        self.range = (middle, tuple(1 / h for h in half))

    def use_fallback(self) -> None:
        """From now on only the fallback is evaluated."""
        self.using_fallback = True

    def apply(self, fields: Mapping[str, Any], features: Any, out: dict[str, Any]) -> dict[str, Any]:
        """Return the outputs with guarded cells replaced; ``features`` is (features, ...)."""
        main = next(iter(out.values()))
        away = self._away(features)
        sound = main.device.type == "cpu" and self._sound(away, main)
        return self.judged(fields, None if away is None or sound else away.amax(0) - 1, out, sound)

    def judged(
        self, fields: Mapping[str, Any], beyond: Any, out: dict[str, Any], sound: bool
    ) -> dict[str, Any]:
        """Return the outputs with guarded cells replaced, given how far each cell is outside.

        ``beyond`` counts half widths from the edge of the box, <= 0 inside; ``sound`` states that nothing
        needs replacing.
        """
        main = next(iter(out.values()))
        if sound:
            self.replaced = self._nowhere(main)
            self._note(self.replaced, self.replaced)
            return out
        broken = ~main.isfinite()
        outside = broken if beyond is None else broken | ~(beyond <= 0)
        self._note(outside, outside if beyond is None else outside & beyond.isfinite())
        replace = self.replaced = broken if self.params.outside == "log" else outside
        weight = replace
        if self.params.outside == "blend" and beyond is not None and self.params.margin > 0:
            weight = (beyond / self.params.margin).clamp(0, 1).nan_to_num(1.0).where(~broken, 1.0)
        classical = self.fallback.evaluate(fields)
        return {name: _mixed(value, classical[name], replace, weight) for name, value in out.items()}

    def _away(self, features: Any) -> Any:
        """Return how far each feature is from the middle of the box, in half widths."""
        if self._box is None:
            return None
        middle, inverse = (b.view(-1, *[1] * (features.dim() - 1)) for b in self._box)
        return ((features.detach() - middle) * inverse).abs()

    @staticmethod
    def _sound(away: Any, main: Any) -> bool:
        """Return whether no cell needs replacing: two sums on the host, where looking costs nothing.

        One value that is not finite makes its sum not finite.
        """
        return (away is None or float(away.max()) <= 1) and cmath.isfinite(main.detach().sum().item())

    def _note(self, outside: torch.Tensor, witnesses: torch.Tensor) -> None:
        """Join the masks of all evaluations of one step."""
        before = (None, None) if self._fresh else (self.mask, self._witnesses)
        self.mask = _joined(before[0], outside.detach())
        self._witnesses = _joined(before[1], witnesses.detach())
        self._fresh = False

    def _nowhere(self, like: torch.Tensor) -> torch.Tensor:
        """Return the mask of no cell, the same one as long as the shape stays."""
        if self._none is None or self._none.shape != like.shape or self._none.device != like.device:
            self._none = like.new_zeros(like.shape, dtype=_bool())
        return self._none

    def tick(self) -> None:
        """End a step: put its count into the ring. Neither collective nor waiting for the device."""
        if self.mask is None:
            return
        if self._ring is None or self._total is None:
            self._ring, self._total = self._empty(), self._empty()[0].clone()
        if self._ring.device != self.mask.device:
            self._ring, self._total = self._ring.to(self.mask.device), self._total.to(self.mask.device)
        if not self.using_fallback and not self._fresh:
            # a step in which nothing was guarded needs no sum
            if self.mask is self._none:
                self._ring[self.steps % len(self._ring)] = 0
            else:
                count = self.mask.sum()
                self._ring[self.steps % len(self._ring)] = count
                self._total += count
            self.steps += 1
        self._fresh = True

    def _history(self) -> tuple[list[int], int, int]:
        """Return the latest steps' counts, oldest first, their total, and the cells. Collective."""
        if self._ring is None or self._total is None:
            return [], 0, 1
        start = self.steps % len(self._ring)
        ring = self._ring.roll(-start).tolist()
        numbers = [*ring, int(self._total), self._cells if self.mask is None else self.mask.numel()]
        if self.comm is not None and self.comm.size > 1:
            numbers = [sum(parts) for parts in zip(*self.comm.allgather(numbers), strict=True)]
        counts = numbers[:-2][-min(self.steps, len(ring)) :] if self.steps else []
        return counts, numbers[-2], max(numbers[-1], 1)

    def look(self, step: int) -> str | None:
        """Return why the part must not go on, None while all is well or no look is due. Collective."""
        if step % LOOK or not self.tripped:
            return None
        p = self.params
        return f"more than {p.max_fraction:.3g} of the cells were outside its range for {p.patience} steps"

    @property
    def tripped(self) -> bool:
        """Whether too many cells were outside too many steps in a row. Collective."""
        counts, _, cells = self._history()
        run = longest = 0
        for count in counts:
            run = run + 1 if count > self.params.max_fraction * cells else 0
            longest = max(longest, run)
        return longest > self.params.patience

    @property
    def suspect(self) -> bool:
        """Whether too many cells are outside in this unfinished step, or were in the latest. Collective.

        Cells that were given something not finite speak of the state, not of this part.
        """
        here = [0, 0, 0]
        if self.mask is not None:
            ring, at = self._ring, self.steps - 1
            latest = int(ring[at % len(ring)]) if ring is not None and self.steps else 0
            witnesses = self._witnesses
            unfinished = 0 if self._fresh or witnesses is None else int(witnesses.sum())
            here = [unfinished, latest, self.mask.numel()]
        if self.comm is not None and self.comm.size > 1:
            here = [sum(parts) for parts in zip(*self.comm.allgather(here), strict=True)]
        return max(here[:2]) > self.params.max_fraction * here[2]

    def counts(self) -> dict[str, float]:
        """Return steps watched, the latest and the mean fraction of cells outside. Collective."""
        counts, total, cells = self._history()
        return {
            "steps": float(self.steps),
            "outside": counts[-1] / cells if counts else 0.0,
            "mean_outside": total / cells / max(self.steps, 1),
            "fallback": float(self.using_fallback),
        }

    def state(self) -> dict[str, Any]:
        """Return what a restart needs, plain numbers. Collective."""
        counts, total, cells = self._history()
        return {
            "using_fallback": self.using_fallback,
            "steps": self.steps,
            "counts": counts,
            "total": total,
            "cells": cells,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned, on any number of ranks; the first keeps the old counts."""
        self.using_fallback, self.steps = bool(state["using_fallback"]), int(state["steps"])
        ring = self._empty()
        total = ring.new_zeros(())
        if self.comm is None or self.comm.rank == 0:
            total += int(state["total"])
            self._cells = int(state["cells"])
            for back, count in enumerate(reversed(state["counts"][-len(ring) :]), start=1):
                ring[(self.steps - back) % len(ring)] = int(count)
        self._ring, self._total = ring, total

    def _empty(self) -> torch.Tensor:
        """Return a ring of zeros in host memory."""
        import torch

        return torch.zeros(self.params.patience + 2 * LOOK, dtype=torch.long)


def _joined(before: torch.Tensor | None, now: torch.Tensor) -> torch.Tensor:
    """Return the cells that are in either mask; the later mask where they are of different cells."""
    if before is None or before is now or before.shape != now.shape:
        return now
    return before | now


def _mixed(value: Any, classical: Any, replace: Any, weight: Any) -> Any:
    """Return the classical value where ``replace``; with a weight in between, a mix."""
    if weight is not replace:
        finite = value.where(value.isfinite(), classical)
        return finite + weight * (classical - finite)
    return classical.where(replace, value)


def _bool() -> Any:
    import torch

    return torch.bool


def in_effect(params: GuardParams, away: float) -> str:
    """Return what becomes of cells under a constant that no training had, ``away`` half widths outside."""
    if away <= 0:
        return "cells are guarded by their state alone"
    every = "this alone puts every cell outside its range"
    if params.outside == "log":
        return f"{every}: all are counted, and the network answers all the same"
    share = min(away / params.margin, 1.0) if params.outside == "blend" and params.margin > 0 else 1.0
    if share < 1:
        return f"{every}: at least {share:.0%} of every value is the fallback's"
    return f"{every}: the network is never used, the fallback answers everywhere"
