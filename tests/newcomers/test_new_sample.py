"""A sample is one file and one deck: a plane wave of a phase that is drawn."""

MEMBER = '''
"""A wave f = cos(2π x/L + 2π u), u uniform by seed and number. Source: none."""

from typing import Annotated, Any

from plexus.deck.params import Field, Unit
from plexus.registry import register
from plexus.samples.base import SampleBase, SampleParams

EXAMPLE: dict[str, Any] = {"type": "wave", "seed": 1, "length": 1}


class WaveParams(SampleParams):
    """Parameters of the sample."""

    length: Annotated[float, Unit("m")] = Field(gt=0, description="wave length L")


@register("sample", "wave", WaveParams)
class Wave(SampleBase):
    """A wave."""

    axes = ("x",)

    def values(self, x):
        """Return f."""
        import numpy as np

        from plexus.samples._counter import uniform

        p = self.params
        return np.cos(2 * np.pi * (x / p.length + uniform(p.seed, p.number)))
'''
DECK = """
plexus: 1
samples: {wave: {type: wave, seed: 3, number: 0, length: 1 m}}
mesh: {type: interval, cells: 200}
physics: {type: diffusion, coefficient: 1}
boundary: [{on: exterior, u: 0}]
initial: {u: wave^2}
time: {stepper: bdf2, end: 2e-9 s, step: 1e-9 s}
quantities: {mean: {type: mean, of: u}, top: {type: maximum, of: u}}
"""


def test_one_file_and_one_deck(newcomer):
    """The square of a whole wave is 1/2 in the mean, wherever it begins."""
    newcomer.install("sample", "wave", MEMBER)
    tops = []
    for number in range(2):
        found = newcomer.run(DECK.replace("number: 0", f"number: {number}"))["quantities"]
        assert abs(found["mean"] - 0.5) < 0.01
        tops.append(found["top"])
    assert 0.98 < min(tops) <= max(tops) < 1.01
    assert "wave length L" in newcomer.explained()
    assert "samples.wave.seed: required" in newcomer.refused(DECK.replace("seed: 3, ", ""))
