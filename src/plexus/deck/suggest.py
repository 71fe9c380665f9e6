"""The nearest valid names for a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST, MOST = 80, 500
"""Length and number of the names that are compared; the comparison is quadratic in the length."""


def nearest(name: str, valid: Iterable[str], show_all: int = 12) -> str:
    """Return ``; did you mean 'a' or 'b'?``, or the valid names if none is close, or nothing."""
    from difflib import get_close_matches

    names = [n for n in dict.fromkeys(valid) if len(n) <= LONGEST][:MOST]
    lower: dict[str, str] = {}
    for n in names:
        lower.setdefault(n.lower(), n)
    close = [lower[m] for m in get_close_matches(name[:LONGEST].lower(), list(lower), n=3, cutoff=0.6)]
    if close:
        return "; did you mean " + " or ".join(repr(c) for c in close) + "?"
    if names and len(names) <= show_all:
        return "; valid names: " + ", ".join(sorted(names))
    return ""
