"""A training on this rank: part, data, where it stands, its history, and what a restart needs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from plexus import registry
from plexus.errors import InputError
from plexus.io.series import Series
from plexus.learning import memo, parts
from plexus.learning.goingon import going_on
from plexus.learning.objective import Objective
from plexus.learning.position import Position, Stopped
from plexus.learning.samples import Samples, dealt, everywhere
from plexus.learning.team import Team
from plexus.learning.trained import Trained
from plexus.runtime.summary import write_progress

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.stages.base import StageParams
    from plexus.runtime.context import Context

Tensor = torch.Tensor
WEIGHTS, VARIABLES, OPTIMIZER = "network/", "variables/", "optimizer/"
"""What the checkpoint's tensors belong to: the part, the stage under way, its optimiser."""


class Session:
    """One training.

    Attributes
    ----------
    deck, plan, ctx, team : what is asked for, its block `train`, surroundings, ranks.
    data, validation : where samples come from; the second is None without a validation.
    space : grid on which the samples live, None for loose points.
    part : the learned part, prepared.
    samples : this rank's samples.
    position : where the training stands.
    series : its history; kept in memory until it is given a file.
    """

    def __init__(self, deck: Deck, ctx: Context):
        assert deck.train is not None
        plan = self.plan = deck.train
        self.deck, self.ctx, self.team = deck, ctx, Team(ctx.comm, plan.ranks.per_sample)
        self.data = registry.build("data", plan.data)
        self.validation = None if plan.validation is None else registry.build("data", plan.validation)
        self.space = self.data.space(deck, ctx)
        self.part: Any = parts.made(deck, self.space, ctx, self.team)
        self.position = Position()
        self.samples: Samples = dealt(self.team, [])
        self.series = Series(None)
        self._saved = time.monotonic()
        self._optimizer: Any = None
        self._variables: Mapping[str, Tensor] = {}
        self._kept: dict[str, Tensor] = {}

    def prepare(self) -> None:
        """Get the samples, and set the scales of a part that has none yet. Collective."""
        self.samples = self.data.samples(self, self.plan.leads())
        if not self.part.metadata and self.samples.total:
            inputs, targets = (everywhere(self.team, self.samples, side) for side in ("inputs", "targets"))
            self.part.calibrate(inputs, targets)

    def chosen(self) -> Tensor:
        """Return the numbers of the samples that are trained on."""
        picked = self.position.chosen
        return torch.arange(self.samples.total) if picked is None else torch.tensor(picked)

    def weights(self) -> dict[str, Tensor]:
        """Return the weights of the part by name."""
        return dict(self.part.network.named_parameters())

    def trained(self) -> Trained:
        """Return the part as models take it while it is trained."""
        return Trained(self.part)

    # the loop of every stage

    def loop(self, stage: StageParams, variables: Mapping[str, Tensor], objective: Objective) -> float:
        """Take the steps of a stage and return the last loss. Collective.

        Raises
        ------
        Stopped
            When all ranks agree to stop, after a checkpoint.
        """
        p = self.position
        optimizer = self._optimizer = registry.build("optimizer", stage.optimizer)
        self._variables = variables
        optimizer.start(variables, self.team)
        if p.step:
            self._recall(optimizer)
        every = max(1, stage.steps // 100)
        with self.ctx.timers("training"):
            while p.step < stage.steps and not p.settled:
                p.latest = optimizer.step(objective, p.step, stage.steps)
                p.step, p.total, p.settled = p.step + 1, p.total + 1, optimizer.settled
                if p.step % every == 0 or p.step in (1, stage.steps) or p.settled:
                    self.note(stage, p.latest)
                self._pause()
        p.step, p.settled = 0, False
        return p.latest

    def _pause(self) -> None:
        """Save now and then; stop where that is asked for. Collective."""
        verdict = self.ctx.stop.agree()
        if verdict.reason:
            self.save()
            raise Stopped(verdict.reason)
        # the first rank's clock decides, for the file is its own
        if self.ctx.root and time.monotonic() - self._saved >= self.plan.checkpoint:
            self.save()

    def note(self, stage: StageParams, loss: float) -> None:
        """Add a row to the history and tell how far the training is."""
        p, series, optimizer = self.position, self.series, self._optimizer
        row = {"step": p.total, "time": self.ctx.timers.elapsed, "stage": p.stage, "loss": loss,
               "rate": optimizer.rate, "gradient": optimizer.gradient}  # fmt: skip
        if self.ctx.root:
            series.add("training", row, {"time": "s"})
            series.flush()
            share = (p.stage + p.step / stage.steps) / len(self.plan.stages)
            write_progress(self.ctx, step=p.total, t=self.ctx.timers.elapsed, share=share, left=None)
        text = f"{stage.type} step {p.step}, loss {loss:.4g}"
        self.ctx.log.progress(p.step / stage.steps, text)
        if p.step % max(1, stage.steps // 5) == 0 or p.step == 1:
            self.ctx.log.info(f"  {text}")

    def numbers(self, what: Mapping[str, float]) -> None:
        """Say some numbers in the log."""
        self.ctx.log.info("  " + ", ".join(f"{k} {v:.5g}" for k, v in what.items()))

    # restarts

    def save(self) -> None:
        """Write the checkpoint; the first rank only."""
        self._saved = time.monotonic()
        if not self.ctx.root:
            return
        # a checkpoint never knows of more than the history, which a restart cuts back to it
        self.series.flush(force=True)
        own = {id(p) for p in self.part.network.parameters()}
        tensors = {WEIGHTS + k: v for k, v in self.part.network.state_dict().items()}
        tensors |= {VARIABLES + k: v for k, v in self._variables.items() if id(v) not in own}
        if self._optimizer is not None:
            tensors |= {OPTIMIZER + k: v for k, v in self._optimizer.memory().items()}
        facts = {
            "position": asdict(self.position),
            "scales": self.part.scales,
            "deck": self.ctx.texts["deck"],
        }
        memo.write(self.ctx.folder / memo.NAME, facts, tensors)

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
            self.part.scales = {k: float(v) for k, v in facts["scales"].items()}
            earlier = str(facts["deck"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{memo.NAME}: not a checkpoint of a training ({error})") from None
        changed = going_on(earlier, self.ctx.texts["deck"], self.position)
        try:
            self.part.network.load_state_dict(_below(WEIGHTS, tensors))
        except RuntimeError as error:
            raise InputError(f"{memo.NAME}: {str(error).splitlines()[-1].strip()}") from None
        self._kept = tensors
        return changed

    def _recall(self, optimizer: Any) -> None:
        """Put back what a stage under way had: its own variables, and what its optimiser remembers."""
        optimizer.restore(_below(OPTIMIZER, self._kept))
        with torch.no_grad():
            for name, value in _below(VARIABLES, self._kept).items():
                self._variables[name].copy_(value)


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
