"""What learned preconditioners share as `plexus train` sees them: nothing to scale, no answers known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class TrainableBase:
    """What a training asks of a part (`plexus.protocols.Trainable`) that is judged by its iterations."""

    judged_by = "systems"
    loose, guard = False, None

    def calibrate(self, inputs: Any, targets: Any) -> None:
        """Do nothing: what goes in has no dimension."""

    def rivals(self) -> dict[str, Any]:
        """Return nothing: ``judged`` counts those of the method without learning."""
        return {}

    def compared(
        self, inputs: Mapping[str, Any], given: Mapping[str, Any], targets: Mapping[str, Any]
    ) -> dict[str, list[tuple[Any, Any]]]:
        """Return metric -> pairs (found, true), one metric per answer that is known."""
        return {f"{name} relative MSE": [(given[name], true)] for name, true in targets.items()}
