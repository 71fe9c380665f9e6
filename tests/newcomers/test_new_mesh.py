"""A mesh source is one file and one deck: a quarter of a ring, on one rank and on two."""

import math

MEMBER = '''
"""Quarter of a ring: (s, w) of a unit square become r = inner + s (outer - inner), angle = w π/2.

Source: any book on polar coordinates.
"""

from typing import Annotated, Any

import numpy as np

from plexus.deck.context import Known
from plexus.deck.params import Field, Params, Unit
from plexus.mesh.lattice import build_box
from plexus.mesh.mesh import EXTERIOR, Estimate
from plexus.registry import register

NAMES = {"left": "inner", "right": "outer", "bottom": "first", "top": "last"}
EXAMPLE: dict[str, Any] = {"type": "ring", "cells": [4, 6], "inner": 1, "outer": 2}


class RingParams(Params):
    """Parameters of the ring."""

    cells: tuple[int, int] = Field(description="cells along the radius and around")
    inner: Annotated[float, Unit("m")] = Field(1.0, gt=0, description="inner radius")
    outer: Annotated[float, Unit("m")] = Field(2.0, gt=0, description="outer radius")


@register("mesh", "ring", RingParams)
class Ring:
    """Quadrilaterals between two circles, with curved edges."""

    def __init__(self, params: RingParams):
        self.params = params

    def build(self, comm):
        """Return this rank's part."""
        p = self.params
        ticks = [np.linspace(0, 1, 2 * n + 1) for n in p.cells]
        mesh = build_box(comm, "quadrilateral", 2, ticks, (False, False))
        r = p.inner + (p.outer - p.inner) * mesh.points[:, 0]
        angle = 0.5 * np.pi * mesh.points[:, 1]
        mesh.points = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
        mesh.boundaries = {NAMES.get(name, name): pairs for name, pairs in mesh.boundaries.items()}
        return mesh

    def known(self):
        """Return dimension and names."""
        return Known(2, (), (*NAMES.values(), EXTERIOR))

    def estimate(self):
        """Return the sizes."""
        n, m = self.params.cells
        nodes = (n + 1) * (m + 1), (2 * n + 1) * (2 * m + 1)
        return Estimate(2, "quadrilateral", n * m, nodes[1], (), (*NAMES.values(), EXTERIOR), nodes)
'''
EXACT = "log(sqrt(x^2 + y^2)) / log(2)"
DECK = f"""
plexus: 1
mesh: {{type: ring, cells: [6, 8], inner: 1 m, outer: 2 m}}
physics: {{type: diffusion, coefficient: 1, degree: 2}}
boundary: [{{on: inner, u: 0}}, {{on: outer, u: 1}}]
solver: {{u: cg+jacobi}}
quantities:
  error: {{type: error, of: u, exact: "{EXACT}"}}
  area: {{type: integral, of: "1 + 0*u"}}
  through: {{type: reaction, of: u, on: outer}}
  sealed: {{type: flux, of: u_flux, on: last}}
"""


def test_one_file_and_one_deck(newcomer):
    newcomer.install("mesh", "ring", MEMBER)
    told = newcomer.run(DECK)
    found = told["quantities"]
    assert found["error"] < 2e-4
    assert abs(found["area"] - 0.75 * math.pi) < 1e-4
    assert abs(found["through"] - 0.5 * math.pi / math.log(2)) < 2e-4
    assert abs(found["sealed"]) < 1e-3
    assert told["unknowns"] == 13 * 17
    assert "inner radius" in newcomer.explained()
    # the other rank learns of the package from the first
    two = newcomer.run(DECK, out="two", ranks=2)
    assert two["ranks"] == 2
    assert abs(two["quantities"]["area"] - found["area"]) < 1e-12
    assert abs(two["quantities"]["error"] - found["error"]) < 1e-8


def test_its_names_are_checked(newcomer):
    newcomer.install("mesh", "ring", MEMBER)
    assert "outr" in newcomer.refused(DECK.replace("on: outer", "on: outr"))
    assert "cells" in newcomer.refused(DECK.replace("cells: [6, 8]", "cells: [6, 8, 2]"))
