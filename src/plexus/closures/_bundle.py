"""What a bundle of a closure tells beside the fields that every bundle has."""

from __future__ import annotations

from typing import Any

from plexus.bundles.fields import finite, ordered
from plexus.bundles.kinds import Own
from plexus.errors import InputError


def _check(metadata: dict[str, Any]) -> None:
    """Check the box of the features and the range of time steps."""
    for name, entry in metadata["box"].items():
        ordered(f"box.{name}", entry)
    dt = metadata["stepping"]["dt"]
    if dt is None:
        return
    if not isinstance(dt, list) or len(dt) != 2:
        raise InputError("stepping.dt: must be [smallest, largest] or null")
    for value in dt:
        finite("stepping.dt", value)


OWN = Own(
    {
        "properties": (dict, ("kind", "locality", "symmetry", "conservation", "resolution")),
        "box": (dict, ()),
        "guard": (dict, ()),
        "stepping": (dict, ("dt", "integrator")),
        "training": (dict, ("filter", "frames", "points")),
    },
    _check,
)
"""Declared properties; box: feature -> {low, high, unit, percentiles} of the training; the guard's settings;
time steps and stepper of an unrolled training, null without one; how the training data were thinned out."""
