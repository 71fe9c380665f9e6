"""What the error over the indicator of one more trajectory does not exceed (`plexus.offline.calibration`)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from plexus.errors import InputError


def quantile(ratios: Sequence[float], coverage: float) -> float:
    """Return what the ratio of a further trajectory does not exceed with a probability.

    Raises
    ------
    InputError
        If there are too few to tell.
    """
    place = ceil((len(ratios) + 1) * coverage - 1e-9)
    if place > len(ratios):
        least = ceil(coverage / (1 - coverage) - 1e-9)
        raise InputError(
            f"rom.indicator: a coverage of {coverage:g} needs {least} trajectories in `reduce.calibration`, "
            f"the file has {len(ratios)}"
        )
    return float(sorted(ratios)[place - 1])
