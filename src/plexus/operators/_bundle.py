"""What a bundle of an operator tells beside the fields that every bundle has."""

from __future__ import annotations

from typing import Any

from plexus.bundles.fields import measure, ordered
from plexus.bundles.kinds import Own


def _check(metadata: dict[str, Any]) -> None:
    """Check the range of the features and the length of the step."""
    for name, entry in metadata["box"].items():
        ordered(f"box.{name}", entry)
    measure("window", metadata["window"], ("step",))


OWN = Own(
    {
        "properties": (dict, ("kind", "locality", "symmetry", "conservation", "resolution")),
        "box": (dict, ()),
        "guard": (dict, ()),
        "stepping": (dict, ("dt", "integrator")),
        "window": (dict, ("step", "unit", "bounded")),
    },
    _check,
)
"""Declared properties; box: feature -> {low, high, unit, percentiles} of the training; the guard's settings;
time steps of a training inside of a solver, null without one; window: the step
that the operator takes, and which axes of its box end at sides."""
