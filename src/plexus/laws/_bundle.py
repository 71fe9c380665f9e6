"""What a bundle of a law tells beside the fields that every bundle has."""

from __future__ import annotations

from typing import Any

from plexus.bundles.fields import ordered
from plexus.bundles.kinds import Own


def _check(metadata: dict[str, Any]) -> None:
    """Check the range of the features."""
    for name, entry in metadata["box"].items():
        ordered(f"box.{name}", entry)


OWN = Own(
    {
        "properties": (dict, ("kind", "locality", "symmetry", "conservation", "resolution")),
        "box": (dict, ()),
        "guard": (dict, ()),
        "stepping": (dict, ("dt", "integrator")),
    },
    _check,
)
"""Declared properties; box: feature -> {low, high, unit, percentiles} of the training; the guard's settings;
time steps and stepper of a training inside of a solver, null without one."""
