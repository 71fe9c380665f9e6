"""The objective of a regression: a loss of batches drawn from the chosen samples of all ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from plexus import registry
from plexus.errors import InputError
from plexus.learning.batch import Batch
from plexus.learning.draws import draw
from plexus.learning.objective import Objective
from plexus.learning.squares import squares

if TYPE_CHECKING:
    from plexus.learning.samples import Named, Samples
    from plexus.learning.session import Session

Tensor = torch.Tensor
POINTS, FIELDS = 4096, 4
"""Points per step, or whole samples where loose points will not do, unless the deck says otherwise."""


class Regression(Objective):
    """A loss of batches.

    Parameters
    ----------
    stage :
        Parameters of a `plexus.learning.stages.fit.Fit`.
    chosen :
        Numbers of the samples.
    key :
        Tells the random numbers of this regression from those of others.
    """

    def __init__(self, session: Session, stage: Any, chosen: Tensor, key: int):
        self.session, self.chosen, self.noise = session, chosen, stage.noise
        self.seed = (session.plan.seed, key)
        cls: Any = registry.component("optimizer", stage.optimizer.type).cls
        self.loss = registry.build("loss", stage.loss or session.plan.loss)
        self.loose = session.part.loose and not self.loss.fields
        self.size = stage.batch or ("all" if cls.whole else POINTS if self.loose else FIELDS)
        if cls.whole and not self.loss.exact:
            raise InputError(
                f"stages: {stage.optimizer.type} needs the whole gradient, and pushforward cuts it; use adam"
            )
        self.loss.start(session, chosen)

    def part(self, step: int) -> Tensor:
        """Return this rank's part of the loss of one batch."""
        batch = self.batch(step)
        return self.loss.part(batch) if len(batch.place) else torch.zeros(())

    def rows(self, step: int) -> Tensor:
        """Return this rank's residuals of one batch."""
        batch = self.batch(step)
        return self.loss.rows(batch) if len(batch.place) else torch.zeros(0)

    def batch(self, step: int) -> Batch:
        """Return this rank's share of the batch of a step."""
        random, session, samples = draw((*self.seed, step)), self.session, self.session.samples
        inputs, targets, place, size = self._drawn(samples, random)
        if self.noise and len(place):
            shake = draw((*self.seed, step, session.team.rank))
            inputs = noisy(inputs, samples.measured, self.noise, shake)
        return Batch(session.part, session.space, inputs, targets, place, size)

    def _drawn(self, samples: Samples, random: torch.Generator) -> tuple[Named, Named, Tensor, int]:
        """Return inputs, targets, places and the number of rows over all ranks."""
        if self.size == "all":
            return *samples.whole(self.chosen), len(self.chosen)
        count = int(self.size)
        picked = self.chosen[torch.randint(len(self.chosen), (count,), generator=random)]
        if not self.loose or not len(samples):
            return *samples.whole(picked), count
        cells = torch.randint(samples.cells, (count,), generator=random)
        return *samples.points(picked, cells), count


def noisy(inputs: Named, measured: tuple[str, ...], share: float, generator: torch.Generator) -> Named:
    """Return inputs of which those that are measured carry noise, a share of their root mean square."""
    changed = dict(inputs)
    for name in measured:
        value = inputs[name]
        size = share * squares(value).mean().sqrt()
        shape = (2, *value.shape) if value.is_complex() else value.shape
        kind = value.real.dtype if value.is_complex() else value.dtype
        shake = torch.randn(shape, generator=generator, dtype=kind).to(value.device)
        if value.is_complex():
            changed[name] = value + size * 0.5**0.5 * torch.complex(shake[0], shake[1])
        else:
            changed[name] = value + size * shake
    return changed
