"""The range of a training: the box of its features, and what of a run lies outside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from plexus.protocols import Setting

PERCENTILES = (0.1, 1.0, 50.0, 99.0, 99.9)


def box_of(rows: torch.Tensor, units: Mapping[str, str], widen: float = 0.0) -> dict[str, Any]:
    """Return name -> bounds, unit and percentiles of features.

    Parameters
    ----------
    rows
        Values of the features, (features, samples).
    units
        Name of each feature -> its unit, in the order of the rows.
    widen
        Room on either side, as a share of the distance between the bounds.
    """
    import torch

    shares = torch.tensor(PERCENTILES, dtype=torch.float64) / 100
    box = {}
    for (name, unit), row in zip(units.items(), rows, strict=True):
        ordered = row.sort().values
        low, high = float(ordered[0]), float(ordered[-1])
        room = widen * (high - low)
        values = ordered[(shares * (len(ordered) - 1)).round().long()].tolist()
        percentiles = {f"{p:g}": v for p, v in zip(PERCENTILES, values, strict=True)}
        box[name] = {
            "low": low - room,
            "high": high + room,
            "unit": unit,
            "percentiles": percentiles,
        }
    return box


def generated_with(metadata: Mapping[str, Any]) -> float | None:
    """Return the time step of the run that made the training's data, where the bundle tells it."""
    told = re.search(r"\bstep ([0-9.]+(?:e[+-]?[0-9]+)?)", str(metadata["training"].get("generator", "")))
    return float(told[1]) if told else None


@dataclass(frozen=True)
class Beyond:
    """Something of a run that the training did not cover."""

    path: str
    """Where the bundle tells the range: ``stepping.dt`` or ``training.parameters.NAME``."""
    said: str

    def __str__(self) -> str:
        """Return place and text."""
        return f"{self.path}: {self.said}"


def beyond(metadata: Mapping[str, Any], setting: Setting) -> Iterator[Beyond]:
    """Yield what of a setting a bundle was not trained for: the time step, constants."""
    dt = metadata["stepping"]["dt"]
    if dt is not None and setting.dt is not None and setting.dt > dt[1] * (1 + 1e-9):
        yield Beyond("stepping.dt", f"trained up to {dt[1]:g}, the run has {setting.dt:g}")
    for name, value in setting.constants.items():
        trained = metadata["training"]["parameters"].get(name)
        if trained is not None:
            bounds = trained["low"], trained["high"]
            tolerance = 1e-9 * max(abs(bounds[0]), abs(bounds[1]), 1e-9)
            if not bounds[0] - tolerance <= value <= bounds[1] + tolerance:
                span = " to ".join(dict.fromkeys(f"{b:g}" for b in bounds))
                yield Beyond(f"training.parameters.{name}", f"trained for {span}, the run has {value:g}")


def away(metadata: Mapping[str, Any], name: str, value: float) -> float:
    """Return how far a constant is outside the box of the features, in half widths; <= 0: it is no reason.

    Every cell has the same value of a constant, so that one outside puts all of them outside.
    """
    bounds = metadata["box"].get(name)
    if bounds is None:
        return 0.0
    middle, half = middle_of(bounds["low"], bounds["high"])
    return abs(value - middle) / half - 1


def middle_of(low: float, high: float) -> tuple[float, float]:
    """Return middle and half width of a feature's range."""
    # a feature that was constant in training tolerates its own rounding
    return (low + high) / 2, max((high - low) / 2, 1e-6 * max(abs(low), abs(high), 1e-6))
