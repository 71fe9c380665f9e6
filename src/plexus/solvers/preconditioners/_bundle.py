"""What a bundle of a preconditioner tells beside the fields that every bundle has."""

from __future__ import annotations

from typing import Any

from plexus.bundles.fields import ordered
from plexus.bundles.kinds import Own


def _check(metadata: dict[str, Any]) -> None:
    """Check the box of the features."""
    for name, entry in metadata["box"].items():
        ordered(f"box.{name}", entry)


OWN = Own(
    {
        "box": (dict, ()),
        "multigrid": (dict, ("cycle", "degree", "theta", "over_correction", "block")),
    },
    _check,
)
"""Range of the features, low and high; the multigrid through whose cycle the training went."""
