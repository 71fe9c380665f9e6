"""What a bundle of a preconditioner tells beside the fields that every bundle has."""

from __future__ import annotations

from typing import Any

from plexus.bundles.fields import have, ordered
from plexus.bundles.kinds import Own

MULTIGRID = ("cycle", "degree", "theta", "over_correction", "block")
"""What is told of the multigrid through whose cycle a training went."""


def _check(metadata: dict[str, Any]) -> None:
    """Check the box of the features, and that of a multigrid its settings are known."""
    for name, entry in metadata["box"].items():
        ordered(f"box.{name}", entry)
    if metadata["type"] == "learned_multigrid":
        have("multigrid", metadata.get("multigrid"), MULTIGRID)


OWN = Own({"box": (dict, ())}, _check)
"""Range of the features, low and high; empty where a part needs none."""
