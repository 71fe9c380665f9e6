"""The models of the comparisons, by the names that tables use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexus.studies.active_fluid.contenders import Contender

BINGHAM, QUADRATIC, TWO, THREE = "Bingham", "quadratic", "two-moment AR", "three-moment AR"
"""Models without anything learned. The quadratic closure is the plainest rival of learned f_2; three moments
with the autoregressive closure, which cost about as much as two with a network, are that of learned f_3."""
RESOLVED, ANGLES = "hierarchy, 20 moments", "kinetic, 126 angles"
"""The kinetic theory, by moments and on a grid of angles."""
ONE_LEARNED, TWO_LEARNED = "learned, 1 moment", "learned, 2 moments"
"""Networks that were trained over the range of constants, on other seeds than those of comparisons."""
LEARNED = {ONE_LEARNED: 1, TWO_LEARNED: 2}
"""Their moments."""
ONE_RUN, TWO_RUN = "learned from one run, 1 moment", "learned from one run, 2 moments"
"""Networks that have seen only the first set of constants: the other sets are new to them."""
TRAINED = {ONE_LEARNED: (1, True), TWO_LEARNED: (2, True), ONE_RUN: (1, False), TWO_RUN: (2, False)}
"""Moments, and whether trained over the range."""


def contenders() -> dict[str, Contender]:
    """Return the classical models and those of the bundles that are there."""
    from plexus.studies.active_fluid import shipped
    from plexus.studies.active_fluid.contenders import Contender

    made = {
        BINGHAM: Contender(BINGHAM, 1, {"type": "bingham"}),
        QUADRATIC: Contender(QUADRATIC, 1, {"type": "quadratic"}),
        TWO: Contender(TWO, 2, {"type": "autoregressive"}),
        THREE: Contender(THREE, 3, {"type": "autoregressive"}),
    }
    for name, (order, wide) in TRAINED.items():
        found = shipped.spin(order, wide)
        if found is not None:
            made[name] = Contender(name, order, found.block)
    return made
