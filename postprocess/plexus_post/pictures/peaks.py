"""Whether the extremes of a picture are the quantities of the deck, and if not, why."""

from __future__ import annotations

import numpy as np

from plexus_post.readers.run import Run
from plexus_post.text import number
from plexus_post.units import words

ENDS = {"maximum": np.nanmax, "minimum": np.nanmin}
"""Type of a quantity -> what it is of the values."""
SAME = 1e-3
"""Relative difference up to which picture and quantity tell the same."""


def extremes(run: Run, name: str, step: int, values: np.ndarray, size: float, unit: str) -> str:
    """Return a sentence on quantities that differ from the extremes of a field at the last step, else empty.

    Parameters
    ----------
    run, name, step
        The field, or a component of one.
    values
        What the picture shows (n,), in the run's unit.
    size, unit
        Factor and unit of the picture.
    """
    quantities = run.deck.get("quantities")
    if step != len(run.times) - 1 or not isinstance(quantities, dict) or not np.isfinite(values).any():
        return ""
    told = []
    for quantity, block in quantities.items():
        found = (run.summary.get("quantities") or {}).get(quantity)
        if not _of(block, name) or not isinstance(found, int | float):
            continue
        shown = float(ENDS[block["type"]](values))
        if not abs(found - shown) <= SAME * max(abs(found), abs(shown)):
            told.append(f"{words(str(quantity))} is {number(found * size)} {unit}".rstrip())
    why = "the picture shows means over the cells around each node"
    if run.place(name) == "cell":
        why = "the picture shows means of cells"
    return f"{', '.join(told)}: taken cell by cell, {why}" if told else ""


def _of(block: object, name: str) -> bool:
    """Return whether a quantity is an extreme of this field in the whole body."""
    if not isinstance(block, dict) or block.get("type") not in ENDS or block.get("of") != name:
        return False
    return not block.get("on") and not block.get("region")
