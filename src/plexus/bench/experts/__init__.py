"""Experts beside a soft loss, one global combination and experts that do not know of each other.

``plexus bench experts:one`` trains them on diffusion with sorption from uniform starts, ``experts:fields``
from random fields, on 64 cells and 25 times without any solution; ``experts:tiles`` takes functions that were
trained for one tile and changes the tiles, and looks at jumps and balance; ``experts:later`` trains up to 400
s and looks at what follows. The truth is the finite volume solver's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.bench.table import Row

PARTS = {"one": "uniform", "fields": "random", "tiles": "tiles", "later": "later"}
"""Part -> function of `plexus.bench.experts.measured`."""


def run(*names: str) -> list[Row]:
    """Measure some parts, all of them without names.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    unknown = [n for n in names if n not in PARTS]
    if unknown:
        raise InputError(f"experts:{unknown[0]}: there are {', '.join(PARTS)}")
    from plexus.bench.experts import measured

    return [row for name in names or PARTS for row in getattr(measured, PARTS[name])()]
