"""Whether the extremes of a picture are the quantities of the deck, and if not, why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    if not np.isfinite(values).any():
        return ""

    def shown(block: Any) -> float:
        return float(ENDS[block["type"]](values))

    told = differing(run, step, lambda block: _of(block, name), shown, size, unit)
    why = "the picture shows means over the cells around each node"
    if run.place(name) == "cell":
        why = "the picture shows means of cells"
    return f"{told}: taken cell by cell, {why}" if told else ""


def differing(
    run: Run, step: int, chosen: Callable[[Any], bool], shown: Callable[[Any], float], size: float, unit: str
) -> str:
    """Return the quantities of the deck that at the last step are not what a picture shows, in words.

    Parameters
    ----------
    run, step
        The run, and the number of the step that is shown.
    chosen, shown
        Whether a quantity's block is one of them, and what the picture has in its place.
    size, unit
        Factor and unit of the picture.
    """
    quantities = run.deck.get("quantities")
    if step != len(run.times) - 1 or not isinstance(quantities, dict):
        return ""
    told = []
    for quantity, block in quantities.items():
        found = (run.summary.get("quantities") or {}).get(quantity)
        if not chosen(block) or not isinstance(found, int | float):
            continue
        seen = shown(block)
        if not abs(found - seen) <= SAME * max(abs(found), abs(seen)):
            told.append(f"{words(str(quantity))} is {number(found * size)} {unit}".rstrip())
    return ", ".join(told)


def _of(block: object, name: str) -> bool:
    """Return whether a quantity is an extreme of this field in the whole body."""
    if not isinstance(block, dict) or block.get("type") not in ENDS or block.get("of") != name:
        return False
    return not block.get("on") and not block.get("region")
