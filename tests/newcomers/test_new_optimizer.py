"""An optimiser is one file and one deck: steps against the sign of the gradient; so is a schedule."""

from training_deck import FIT, deck, losses

MEMBER = '''
"""Steps r against the sign of the gradient. Source: M. Riedmiller, H. Braun, doi:10.1109/ICNN.1993.298623."""

from typing import Any

from plexus.deck.params import Field, Params
from plexus.learning.optimizers.base import OptimizerBase
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "signs", "rate": 0.001}


class SignsParams(Params):
    """Parameters of the optimiser."""

    rate: float = Field(0.001, gt=0, description="length r of every step")


@register("optimizer", "signs", SignsParams)
class Signs(OptimizerBase):
    """Steps of one length."""

    def step(self, objective, step, steps):
        """Take one step. Collective."""
        loss, gradient = self.team.gradient(objective.part(step), self.variables)
        self.rate, self.gradient = self.params.rate, float(gradient.norm())
        self.put(self.values() - self.rate * gradient.sign())
        return loss
'''
SCHEDULE = '''
"""A rate that is halved n times: r = r0 / 2^floor((n + 1) s). Source: none."""

from typing import Any

from plexus.deck.params import Field, Params
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "stairs", "stairs": 3}


class StairsParams(Params):
    """Parameters of the schedule."""

    stairs: int = Field(3, ge=1, description="number n of halvings")


@register("schedule", "stairs", StairsParams)
class Stairs:
    """A falling staircase."""

    def __init__(self, params):
        self.params = params

    def rate(self, share, first, last):
        """Return r."""
        return first / 2 ** min(int((self.params.stairs + 1) * share), self.params.stairs)
'''


def test_one_file_and_one_deck(newcomer):
    newcomer.install("optimizer", "signs", MEMBER)
    stage = FIT.replace("{type: adam, rate: 0.02}", "{type: signs, rate: 0.01}").replace(
        "batch: 128", "batch: all"
    )
    newcomer.run(deck(stage=stage), task="train")
    found = losses(newcomer.folder / "out")
    assert found[-1] < found[0]
    assert "length r" in newcomer.explained()
    assert "must be > 0, not -1" in newcomer.refused(deck(stage=stage.replace("0.01", "-1")))


def test_a_schedule_is_one_file_and_one_deck(newcomer):
    import h5py

    newcomer.install("schedule", "stairs", SCHEDULE)
    stage = FIT.replace("rate: 0.02", "rate: 0.02, schedule: {type: stairs, stairs: 3}")
    newcomer.run(deck(stage=stage), task="train")
    with h5py.File(newcomer.folder / "out" / "series.h5") as file:
        rates = [round(0.02 / r) for r in file["training/rate"][:]]
    assert rates == sorted(rates) and {*rates} == {1, 2, 4, 8}
