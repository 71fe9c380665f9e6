"""Facets as a deck names them: one or several boundaries, and the side from which they are seen.

Where two regions A and B meet, every mesh has a boundary ``A|B``: the facets between a cell that is in A
alone and one that is in B alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Facets:
    """The facets of named boundaries, each once; iteration yields the names.

    Attributes
    ----------
    names : tuple of str
        Boundaries.
    side : str or None
        Region whose cells the facets belong to: normals point out of it, and values are those of its cells.
        Facets inside the body have two sides; only with a region it is known which one is meant.
    """

    names: tuple[str, ...]
    side: str | None = None

    @classmethod
    def of(cls, given: str | Facets) -> Facets:
        """Return the facets of one boundary that is given by its name, and any others as they are."""
        return given if isinstance(given, Facets) else cls((given,))

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.names)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self.names)

    def __str__(self) -> str:
        """Return the names, with the region whose side is meant."""
        return ", ".join(self.names) + (f" from {self.side}" if self.side else "")


def regions_at(name: str) -> tuple[str, str] | None:
    """Return the two regions of a name ``A|B``, None of any other name."""
    first, bar, second = name.partition("|")
    return (first, second) if bar and first and second and "|" not in second else None


def across(term: object) -> bool:
    """Return whether a boundary term, or the class of one, acts between the two sides of its facets."""
    return bool(getattr(term, "across", False))
