"""A measurement is one file and one deck: numbers that stand in the deck itself."""

import json

import pytest

from plexus.cli import main

MEMBER = '''
"""One number at one place, in a file that holds nothing else: y = u(x)."""

from pathlib import Path
from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.measurements.base import Measurement, MeasurementParams, Readings
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"file": "number.txt", "of": "u", "deviation": 0.1, "at": [0.5]}


class SingleParams(MeasurementParams):
    """Parameters of a single number."""

    at: tuple[float, ...] = Field(description="where")


@register("measurement", "single", SingleParams)
class Single(Measurement):
    """One number."""

    def __init__(self, params):
        self.params = params

    def read(self, deck, unit):
        """Return the one reading."""
        p = self.params
        value = np.array([float(Path(p.file).read_text())])
        return Readings(p.of, np.zeros(1), np.array([p.at]), value, np.array([p.deviation]))
'''
DECK = """
plexus: 1
controls: {q: {type: scalar, start: 1}}
mesh: {type: interval, cells: 10}
physics: {type: diffusion, coefficient: 1, source: q}
boundary: [{on: exterior, u: 0}]
calibrate: {data: [{type: single, file: number.txt, of: u, deviation: 0.01, at: [0.5]}]}
"""


def test_one_file_and_one_deck(newcomer):
    """u = q x (1 - x)/2, so that u(1/2) = 0.5 asks for q = 4, with eight times the deviation."""
    newcomer.install("measurement", "single", MEMBER)
    (newcomer.folder / "number.txt").write_text("0.5")
    newcomer.run(DECK)
    assert main(["calibrate", str(newcomer.folder / "deck.yaml"), "-o", str(newcomer.folder / "fit")]) == 0
    told = json.loads((newcomer.folder / "fit/summary.json").read_text())["calibration"]
    assert told["controls"]["q"]["values"] == pytest.approx([4.0], rel=1e-6)
    assert told["controls"]["q"]["std"] == pytest.approx([0.08], rel=1e-6)
    assert "One number at one place" in newcomer.explained()
