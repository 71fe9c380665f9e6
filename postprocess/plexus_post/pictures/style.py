"""The common look: style sheet, saving, round factors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.errors import PostError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Text

SHEET = Path(__file__).with_name("plexus.mplstyle")
LINE = "#2b2b2b"
"""Colour of outlines."""
FAILED = "#c0392b"
"""Colour of what failed, or is worse than what it should beat."""


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

    _literal(figure)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except OSError as error:
        raise PostError(f"{path}: {error.strerror or error}") from None
    finally:
        plt.close(figure)
    return path


def _literal(figure: Figure) -> None:
    """Take titles, labels and legends as they are: a `$` of somebody's title is no formula."""
    from matplotlib.text import Text

    numbers = {label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in _numbers(axis)}
    for text in figure.findobj(Text):
        if "$" in text.get_text() and text not in numbers:
            text.set_parse_math(False)


def _numbers(axis: Axis) -> Iterator[Text]:
    """Yield the labels that matplotlib writes itself, where `$` is a formula: 10³."""
    from matplotlib.ticker import LogFormatter, ScalarFormatter

    yield axis.get_offset_text()
    for minor in (False, True):
        formatter = axis.get_minor_formatter() if minor else axis.get_major_formatter()
        if isinstance(formatter, ScalarFormatter | LogFormatter):
            yield from axis.get_ticklabels(minor=minor)


def file_name(name: str) -> str:
    """Return the name of a field or quantity as part of the name of a file."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)


def nice(value: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that does not exceed a positive value."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * max(f for f in (1, 2, 5) if f * power <= value * (1 + 1e-12)))
