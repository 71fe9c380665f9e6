"""A training on this rank: closure, source of frames, history, and what a restart needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus import registry
from plexus.deck import parts
from plexus.errors import InputError, at_path
from plexus.io.series import Series
from plexus.learning import losses, memo
from plexus.learning.descent import Descent, rate_at
from plexus.learning.frames import Frames, dealt, impossible
from plexus.learning.goingon import going_on
from plexus.learning.rollouts import Trained
from plexus.learning.source import Source
from plexus.learning.team import Team
from plexus.runtime.summary import write_progress
from plexus.spaces.fourier import Fourier

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.deck.train import Frames as Times
    from plexus.deck.train import KineticCase, Stage
    from plexus.runtime.context import Context

Tensor = torch.Tensor
SAVE = 60.0
"""Seconds between two checkpoints."""


class Stopped(Exception):
    """A request to stop, after the checkpoint was written."""


@dataclass
class Position:
    """Where a training stands, plain data."""

    stage: int = 0
    round: int = 0
    step: int = 0
    chosen: list[int] | None = None
    """Frames that are trained on; None for all."""
    inferred: dict[str, float] = field(default_factory=dict)
    worst: list[float] = field(default_factory=list)
    """Largest error of any frame after each round."""
    losses: list[float] = field(default_factory=list)
    """Loss at the end of each stage."""
    total: int = 0
    """Steps of the optimiser so far."""


class Session:
    """One training.

    Attributes
    ----------
    deck, ctx, team : what is asked for, surroundings, ranks.
    closure : the learned closure, prepared.
    source, frames : the kinetic runs and this rank's frames of them.
    position : where the training stands.
    series : its history; kept in memory until it is given a file.
    """

    def __init__(self, deck: Deck, ctx: Context):
        self.deck, self.ctx, self.team = deck, ctx, Team(ctx.comm)
        assert deck.train is not None and deck.time is not None
        self.plan, self.dt = deck.train, deck.time.step
        with at_path("mesh"):
            dealias: Any = getattr(deck.physics, "dealias", "two_thirds")
            mesh: Any = deck.mesh
            self.space = Fourier(mesh.cells, mesh.size, None, ctx.device, dealias=dealias)
        self.closure = self._closure()
        plan, closes = self.plan, self.closure.closes
        self.source = Source(self.space, deck.physics, closes, plan.moments, self.dt, plan.leads())
        self.position, self.frames = Position(), dealt(self.team, [])
        self.series = Series(None)
        self._saved = time.monotonic()
        self._descent: Descent | None = None
        self._kept: Mapping[str, Tensor] = {}

    def _closure(self) -> Any:
        """Return the deck's closure, ready to be trained. Collective."""
        gap = parts.gap(self.deck.physics)
        with at_path("closure"):
            if gap is None or self.deck.closure is None or not self.deck.closure.learned:
                raise InputError("a training needs a learned closure, e.g. {type: spin_network, moment: 3}")
            closure = registry.build("closure", self.deck.closure)
            # comm stays out: a rank evaluates its own frames
            closure.prepare(gap.setting(space=self.space, device=self.ctx.device))
        closure.network.requires_grad_(True)
        return closure

    # data

    def gather(self, cases: tuple[KineticCase, ...], times: Times, source: Source | None = None) -> Frames:
        """Return this rank's share of the frames of kinetic runs, which ranks take in turn. Collective."""
        source, at = source or self.source, [times.start + n * times.every for n in range(times.count())]
        parts = []
        with self.ctx.timers("kinetic runs"):
            for n, case in enumerate(cases):
                if n % self.team.size == self.team.rank:
                    begin = time.monotonic()
                    parts.append(source.record(case, n, at))
                    spent = time.monotonic() - begin
                    self.ctx.log.info(f"kinetic run {_named(case)}: {len(at)} frames, {spent:.1f} s")
                    wrong = impossible(parts[-1].fields)
                    if wrong is not None:
                        self.ctx.log.warn(f"kinetic run {_named(case)}: {wrong}")
            return dealt(self.team, parts)

    def prepare(self) -> None:
        """Compute the kinetic runs, and set the scales of a closure that has none yet. Collective."""
        self.frames = self.gather(self.plan.cases, self.plan.frames)
        if not self.closure.metadata:
            self.closure.normalise(self.everywhere())

    def everywhere(self) -> dict[str, Tensor]:
        """Return the fields of all training frames on every rank. Collective."""
        f = self.frames
        names = self.team.comm.bcast(sorted(f.fields)) if self.team.comm is not None else sorted(f.fields)
        if not len(f):  # a rank without frames still takes part, with rows of the right kind
            like = {n: torch.zeros((0, *self.space.shape), dtype=_kind(n)) for n in names}
            return {n: self.team.together(like[n], f.number) for n in names}
        return {n: self.team.together(f.fields[n], f.number) for n in names}

    def chosen(self) -> Tensor:
        """Return the numbers of the frames that are trained on."""
        picked = self.position.chosen
        return torch.arange(self.frames.total) if picked is None else torch.tensor(picked)

    @property
    def pointwise(self) -> bool:
        """Whether the closure may be trained on loose points."""
        return bool(
            self.closure.properties.locality == "pointwise"
            and "gradient" not in self.closure.hyper.get("inputs", ())
        )

    # models

    def model(self, closure: Any, medium: Any = None) -> Any:
        """Return the reduced model with a closure, with other constants if given."""
        member = registry.component("physics", self.deck.physics.type)
        model: Any = member.cls(self.deck.physics).model(self.space, closure)
        if medium is not None:
            model.change(medium)
        return model

    def trained(self) -> Trained:
        """Return the closure as roll-outs take it while it is trained."""
        return Trained(self.closure)

    # the loop of every stage

    def loop(
        self, stage: Stage, variables: Mapping[str, Tensor], part: Callable[[int], Tensor], clip: float = 1e9
    ) -> float:
        """Take the steps of a stage down a loss and return the last loss. Collective.

        ``part(step)`` is this rank's part of the loss.

        Raises
        ------
        Stopped
            When all ranks agree to stop, after a checkpoint.
        """
        p, loss = self.position, float("nan")
        descent = self._descent = Descent(self.team, variables, clip)
        if p.step:
            descent.restore(self._kept)
        every = max(1, stage.steps // 100)
        with self.ctx.timers("training"):
            while p.step < stage.steps:
                rate = rate_at(p.step, stage.steps, stage.rate, stage.final_rate)
                loss = descent.step(part(p.step), rate)
                p.step, p.total = p.step + 1, p.total + 1
                if p.step % every == 0 or p.step in (1, stage.steps):
                    self.note(stage, loss, rate)
                self._pause()
        p.step = 0
        return loss

    def _pause(self) -> None:
        """Save now and then; stop where that is asked for. Collective."""
        verdict = self.ctx.stop.agree()
        if verdict.reason:
            self.save()
            raise Stopped(verdict.reason)
        # the first rank's clock decides, for the file is its own
        if self.ctx.root and time.monotonic() - self._saved > SAVE:
            self.save()

    def note(self, stage: Stage, loss: float, rate: float) -> None:
        """Add a row to the history and tell how far the training is."""
        p, series = self.position, self.series
        row = {"step": p.total, "time": self.ctx.timers.elapsed, "stage": p.stage, "loss": loss, "rate": rate}
        if self.ctx.root:
            series.add("training", row, {"time": "s"})
            series.flush()
            share = (p.stage + p.step / stage.steps) / len(self.plan.stages)
            write_progress(self.ctx, step=p.total, t=self.ctx.timers.elapsed, share=share, left=None)
        text = f"{stage.mode} step {p.step}, loss {loss:.4g}"
        self.ctx.log.progress(p.step / stage.steps, text)
        if p.step % max(1, stage.steps // 5) == 0 or p.step == 1:
            self.ctx.log.info(f"  {text}")

    # restarts

    def save(self) -> None:
        """Write the checkpoint; the first rank only."""
        self._saved = time.monotonic()
        if not self.ctx.root:
            return
        weights = {f"network/{k}": v for k, v in self.closure.network.state_dict().items()}
        memory = self._descent.memory() if self._descent is not None else {}
        facts = {
            "position": asdict(self.position),
            "scales": self.closure.scales,
            "deck": self.ctx.texts["deck"],
        }
        memo.write(self.ctx.folder / memo.NAME, facts, weights | memory)
        self.series.flush(force=True)

    def restore(self) -> list[str]:
        """Continue from the checkpoint of the run folder; return how the deck has changed. Collective.

        Raises
        ------
        InputError
            If there is none, or it belongs to another network or another training.
        """
        facts, tensors = memo.read(self.ctx.folder / memo.NAME, self.ctx.comm)
        try:
            self.position = Position(**facts["position"])
            self.closure.scales = {k: float(v) for k, v in facts["scales"].items()}
            earlier = str(facts["deck"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{memo.NAME}: not a checkpoint of a training ({error})") from None
        changed = going_on(earlier, self.ctx.texts["deck"], self.position)
        weights = {k.removeprefix("network/"): v for k, v in tensors.items() if k.startswith("network/")}
        try:
            self.closure.network.load_state_dict(weights)
        except RuntimeError as error:
            raise InputError(f"{memo.NAME}: {str(error).splitlines()[-1].strip()}") from None
        self._kept = {k: v for k, v in tensors.items() if k.startswith("adam/")}
        return changed

    def numbers(self, what: Mapping[str, float]) -> None:
        """Say some numbers in the log."""
        self.ctx.log.info("  " + ", ".join(f"{k} {v:.5g}" for k, v in what.items()))

    def offline_error(self, closure: Any, frames: Frames, chosen: Tensor) -> Tensor:
        """Return the relative mean square error on each chosen frame, on all ranks. Collective."""
        found = torch.zeros(frames.total, dtype=torch.float64)
        with torch.no_grad():
            for number, place in zip(
                chosen[chosen % frames.ranks == frames.rank], frames.places(chosen), strict=True
            ):
                at = place.reshape(1)
                fields = {k: v[at] for k, v in frames.fields.items()}
                target = {k: v[at] for k, v in frames.target.items()}
                given = closure.evaluate(fields)
                wrong = losses.squares({k: given[k] - v for k, v in target.items()}).mean()
                found[number] = wrong / losses.squares(target).mean()
        return self.team.sum(found)[chosen]


def _kind(name: str) -> torch.dtype:
    return torch.complex128 if name == "e" or name.startswith("f") else torch.float64


def _named(case: KineticCase) -> str:
    return f"alpha {case.alpha:g}, zeta {case.zeta:g}, seed {case.seed}"


def quantile(values: Tensor, share: float) -> float:
    """Return the value below which a share of all values lies."""
    return float(np.quantile(values.numpy(), share))
