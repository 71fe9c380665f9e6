"""A controller is one file and one deck: steps that grow by a factor, to the longest that is allowed."""

MEMBER = '''
"""Growing steps: dt_n = dt_0 q^n, at most `max`. Source: geometric series."""

from typing import Annotated, Any

from plexus.deck.params import Field, Params, Unit
from plexus.registry import register
from plexus.stepping.controllers.base import Steady

EXAMPLE: dict[str, Any] = {"type": "growing", "factor": 1.5, "max": "1 s"}


class GrowingParams(Params):
    """Parameters of the controller."""

    factor: float = Field(ge=1, description="factor q")
    max: Annotated[float, Unit("s")] = Field(gt=0, description="longest step")


@register("controller", "growing", GrowingParams)
class Growing(Steady):
    """A geometric series of steps."""

    def __init__(self, params, step, span):
        super().__init__(params, step, span)
        self.params = params

    @staticmethod
    def longest(params, time):
        """Return the longest step."""
        return params.max

    def accept(self, dt, error, order):
        """Accept every step; the next is longer."""
        self.step = min(self.step * self.params.factor, self.params.max)
        return True

    def state(self):
        """Return the step."""
        return {"step": self.step}

    def restore(self, state):
        """Take it back."""
        self.step = float(state["step"])
'''
DECK = """
plexus: 1
mesh: {type: interval, cells: 4}
physics: {type: diffusion, coefficient: 1, source: 1}
boundary: [{on: exterior, u: 0}]
time: {stepper: theta, end: END s, step: 0.1 s, controller: {type: growing, factor: 2, max: 0.5 s}}
quantities: {top: {type: maximum, of: u}}
output: [{type: checkpoint, every: 2 steps, keep: 99}]
"""


def test_one_file_and_one_deck(newcomer):
    """0.1 + 0.2 + 0.4 + 0.5 + 0.5 + ... reach 2.7 s after seven steps, 0.7 s after three."""
    newcomer.install("controller", "growing", MEMBER)
    assert newcomer.run(DECK.replace("END", "2.7"))["steps"] == 7
    assert newcomer.run(DECK.replace("END", "0.7"), out="half")["steps"] == 3
    # the length of the next step is remembered over a restart
    told = newcomer.run(DECK.replace("END", "2.7"), "--restart", "latest", out="half")
    assert told["steps"] == 7
    assert abs(told["quantities"]["top"] - 0.125) < 1e-3
    assert "longest step" in newcomer.explained()
