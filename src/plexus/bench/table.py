"""What a benchmark reports: rows of one measured number each, beside its bound and its peer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of a benchmark's table, as it is written into its JSON file.

    Parameters
    ----------
    item
        What was measured.
    measured
        The number; None when it could not be measured.
    unit
        Its unit; ``x`` for a ratio.
    bound
        What it is compared with; None for a number that is only reported.
    holds
        Whether the bound holds; None when there is no bound or no measurement.
    peer
        What the other side of the comparison is, or why it is missing.
    """

    item: str
    measured: float | None
    unit: str
    bound: float | None = None
    holds: bool | None = None
    peer: str | None = None
