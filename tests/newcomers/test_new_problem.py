"""A problem is one file and one deck: a cube with one layer that hardly conducts."""

MEMBER = '''
"""A layer z = const of a cube conducts less than the rest. Source: none."""

from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.problems.base import COEFFICIENT, CubeParams, GridProblem
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "layer", "cells": [8, 8, 8], "ratio": 0.01}


class LayerParams(CubeParams):
    """Parameters of the problem."""

    ratio: float = Field(gt=0, description="conductivity of the layer relative to the rest")


@register("problem", "layer", LayerParams)
class Layer(GridProblem):
    """A layer."""

    held = ((2, 0), (2, 1))
    shows = (COEFFICIENT,)

    def coefficient(self):
        """Return k of all cells."""
        k = np.ones(self.cells)
        k[:, :, self.cells[2] // 2] = self.params.ratio
        return k
'''
DECK = """
plexus: 1
physics: {type: matrix, problem: {type: layer, cells: [8, 8, 8], ratio: 0.01}}
solver: {u: {ksp: cg, rtol: 1e-10, preconditioner: jacobi}}
quantities:
  least: {type: minimum, of: coefficient}
  mean: {type: mean, of: u}
output: [{type: fields, fields: [u, coefficient]}]
"""


def test_one_file_and_one_deck(newcomer):
    newcomer.install("problem", "layer", MEMBER)
    one = newcomer.run(DECK)
    assert one["quantities"]["least"] == 0.01
    two = newcomer.run(DECK, out="two", ranks=2)
    assert abs(one["quantities"]["mean"] - two["quantities"]["mean"]) < 1e-8
    assert "conductivity of the layer" in newcomer.explained()
    assert "physics.problem.ratio: " in newcomer.refused(DECK.replace("0.01", "-1"))
