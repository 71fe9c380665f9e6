"""`plexus train`: fit the learned part of a deck."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from plexus.fileformat import TRAINING
from plexus.tasks.base import Request, Task

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context

LEARNING = 0.8e9
"""Bytes for torch, gradients, batches (measured on 64²: 0.7 to 1.1 GB)."""


class Train(Task):
    """The training that the deck's block `train` describes."""

    name = "train"
    tip = "train a learned part of a deck, as its block `train` says"
    more = "Its data are computed or read and learned from; the result is a bundle with its validation table."
    memory = TRAINING

    def options(self, parser: ArgumentParser) -> None:
        """Add restart in the same folder."""
        parser.add_argument(
            "--restart",
            action="store_const",
            const="latest",
            help="go on with the training in the run folder",
        )

    def problem(self, deck: Deck) -> str | None:
        """Refuse a deck without the block `train`, and sweeps whose members are no trainings."""
        if deck.train is None:
            return "--train needs a block `train`; `plexus explain train` shows one"
        if deck.sweep is not None and deck.sweep.run != self.name:
            return "--train: the members of the deck's sweep are runs; `sweep: {run: train}` trains them"
        return None

    def room(self, deck: Deck, unknowns: int) -> tuple[float, float]:
        """Return what gradients take, and the samples, spread over the ranks."""
        from plexus import registry

        assert deck.train is not None
        data = deck.train.data
        cls: Any = registry.component("data", data.type).cls
        return LEARNING, cls.room(data, unknowns)

    def restarting(self, choice: str | None) -> list[str]:
        """Return the bare flag: a training goes on in its own folder."""
        return ["--restart"] if choice else []

    def execute(self, deck: Deck, ctx: Context, request: Request) -> int:
        """Train and return the exit code. Collective."""
        from plexus.learning.main import train

        return train(deck, ctx, request.restart, request.dry)


TASK = Train()
