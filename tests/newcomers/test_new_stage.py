"""A stage is one file and one deck: weights are shaken, and a fit after it forgets that."""

from training_deck import FIT, deck, losses

MEMBER = '''
"""Noise on the weights, of one size. Source: none."""

from typing import Any

from plexus.deck.params import Field, Params
from plexus.learning.stages.base import StageBase
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "shake", "size": 0.1}


class ShakeParams(Params):
    """Parameters of the stage."""

    size: float = Field(0.1, ge=0, description="standard deviation of the noise")


@register("stage", "shake", ShakeParams)
class Shake(StageBase):
    """Weights are moved at random."""

    def work(self, session):
        """Move them, on all ranks alike."""
        import torch

        from plexus.learning.draws import draw

        random = draw((session.plan.seed, session.position.stage))
        with torch.no_grad():
            for weight in session.weights().values():
                weight += self.params.size * torch.randn(weight.shape, generator=random, dtype=weight.dtype)
        return float("nan")
'''


def test_one_file_and_one_deck(newcomer):
    newcomer.install("stage", "shake", MEMBER)
    newcomer.run(deck(), task="train", out="plain")
    told = newcomer.run(deck(stage=f"{{type: shake, size: 0.3}}, {FIT}"), task="train")
    assert losses(newcomer.folder / "out")[0] != losses(newcomer.folder / "plain")[0]
    assert list(told["quantities"]) == ["loss.1"]  # the first has none
    still = newcomer.run(deck(stage=f"{{type: shake, size: 0}}, {FIT}"), task="train", out="still")
    assert still["quantities"]["loss.1"] > 0
    assert "standard deviation" in newcomer.explained()
    assert "unknown key" in newcomer.refused(deck(stage="{type: shake, sizes: 1}"))
