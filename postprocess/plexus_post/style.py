"""The common look: style sheet, colour maps, colour ranges, nice factors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHEET = Path(__file__).with_name("plexus.mplstyle")
LINE = "#2b2b2b"
"""Colour of outlines."""


def pyplot() -> Any:
    """Return ``matplotlib.pyplot`` with our style and a back end that needs no display."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    plt.style.use(str(SHEET))
    return plt


def save(figure: Figure, path: Path) -> Path:
    """Write and close a figure; return its path.

    Raises
    ------
    PostError
        If the file cannot be written.
    """
    from matplotlib import pyplot as plt

    from plexus_post.errors import PostError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except OSError as error:
        raise PostError(f"{path}: {error.strerror or error}") from None
    finally:
        plt.close(figure)
    return path


@dataclass(frozen=True)
class Colours:
    """Colour map and contour levels of one field; ``extend`` says which end is clipped."""

    map: str
    levels: np.ndarray
    extend: str

    @classmethod
    def of(cls, values: np.ndarray, unit: str) -> Colours:
        """Choose map and levels.

        A field that changes sign gets a diverging map centred at zero, a temperature a thermal one.
        When a few points (a re-entrant corner, a point load) would use up most of the range, the
        range is cut to where 99.6 % of the points lie.
        """
        from matplotlib.ticker import MaxNLocator

        low, high, extend = _range(values)
        diverging = low < 0 < high and min(-low, high) > 0.15 * max(-low, high)
        if diverging:
            high = max(-low, high)
            low = -high
        ticks = MaxNLocator(nbins=18, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        inner = ticks[1:-1] if extend == "both" else ticks
        thermal = unit in ("K", "degC", "°C")
        return cls("RdBu_r" if diverging else "inferno" if thermal else "viridis", inner, extend)


def _range(values: np.ndarray) -> tuple[float, float, str]:
    """Return lower and upper end of the colours and matplotlib's word for clipped ends."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0, "neither"
    low, high = float(finite.min()), float(finite.max())
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-300):
        pad = 0.05 * abs(high) or 1.0
        return low - pad, high + pad, "neither"
    inner_low, inner_high = (float(v) for v in np.quantile(finite, [0.002, 0.998]))
    cut_low, cut_high = (inner_low - low) > 0.3 * (high - low), (high - inner_high) > 0.3 * (high - low)
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    return inner_low if cut_low else low, inner_high if cut_high else high, extend[cut_low, cut_high]


def nice(value: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that does not exceed a positive value."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * max(f for f in (1, 2, 5) if f * power <= value * (1 + 1e-12)))
