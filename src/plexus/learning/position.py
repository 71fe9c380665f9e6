"""Where a training stands: plain data, which its checkpoint holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


class Stopped(Exception):
    """A request to stop, after the checkpoint was written."""


@dataclass
class Position:
    """Where a training stands, plain data."""

    stage: int = 0
    round: int = 0
    step: int = 0
    settled: bool = False
    """Whether the optimiser of the stage that is under way has found nothing more to do."""
    chosen: list[int] | None = None
    """Samples that are trained on; None for all."""
    inferred: dict[str, float] = field(default_factory=dict)
    worst: list[float] = field(default_factory=list)
    """Largest error of any sample after each round."""
    losses: list[float] = field(default_factory=list)
    """Loss at the end of each stage."""
    latest: float = math.nan
    """Loss of the latest step of the stage that is under way."""
    total: int = 0
    """Steps of the optimiser so far."""
