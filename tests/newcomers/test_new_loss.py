"""A loss is one file and one deck: the p-norm of the errors, which for p = 2 is a shipped one."""

from training_deck import deck, losses

MEMBER = '''
"""Errors to the power p: 1/B Σ ⟨|e|^p⟩ / ⟨|target|²⟩^(p/2). Source: the definition of a p-norm."""

from typing import Any

from plexus.deck.params import Field, Params
from plexus.learning.losses.base import LossBase
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "power", "p": 4}


class PowerParams(Params):
    """Parameters of the loss."""

    p: float = Field(2, ge=1, description="power p")


@register("loss", "power", PowerParams)
class Power(LossBase):
    """Errors to a power."""

    def start(self, session, chosen):
        """Set the size of the targets. Collective."""
        from plexus.learning.sizes import mean_size

        self.size = mean_size(session.team, session.samples, chosen)

    def rows(self, batch):
        """Return the roots of the powers."""
        from plexus.learning.squares import squares

        square = squares(batch.errors()) / self.size
        return (square.clamp_min(1e-300) ** (self.params.p / 4)).flatten() / (batch.size**0.5)
'''


def test_one_file_and_one_deck(newcomer):
    newcomer.install("loss", "power", MEMBER)
    newcomer.run(deck(), task="train", out="shipped")
    newcomer.run(deck(loss="{type: power, p: 2}"), task="train")
    pairs = zip(losses(newcomer.folder / "out"), losses(newcomer.folder / "shipped"), strict=True)
    assert all(abs(a / b - 1) < 1e-6 for a, b in pairs)
    newcomer.run(deck(loss="{type: power, p: 4}"), task="train", out="four")
    found = losses(newcomer.folder / "four")
    assert found[-1] < found[0] and found[0] != losses(newcomer.folder / "out")[0]
    assert "power p" in newcomer.explained()
    assert "must be >= 1, not 0.5" in newcomer.refused(deck(loss="{type: power, p: 0.5}"))
