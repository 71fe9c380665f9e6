"""A physics on elements is one file and one deck: the one that CONTRIBUTING.md shows, word by word."""

import math
import re
from pathlib import Path

GUIDE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
MEMBER = next(t for t in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if "screened_poisson" in t)
DECK = """
plexus: 1
mesh: {type: interval, cells: CELLS}
physics: {type: screened_poisson, length: 0.5 m, source: 4}
boundary: [{on: left, potential: 0}]
quantities:
  error: {type: error, of: potential, exact: "1 - cosh(2*(1 - x))/cosh(2)"}
  far: {type: value, of: potential, at: [1]}
"""


def test_one_file_and_one_deck(newcomer):
    """-u'' + 4u = 4 with u(0) = 0 and no flux at 1: u = 1 - cosh(2(1 - x))/cosh 2."""
    newcomer.install("physics", "screened_poisson", MEMBER)
    coarse, fine = (newcomer.run(DECK.replace("CELLS", str(n)), out=f"n{n}") for n in (16, 32))
    order = math.log2(coarse["quantities"]["error"] / fine["quantities"]["error"])
    assert 1.9 < order < 2.1
    assert abs(fine["quantities"]["far"] - (1 - 1 / math.cosh(2))) < 1e-4
    assert "screening length L" in newcomer.explained()
