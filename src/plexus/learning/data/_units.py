"""Numbers of others in the units of a part's ports."""

from __future__ import annotations

from typing import Any

import numpy as np

from plexus.deck.units import UnitError, parse_unit
from plexus.errors import InputError

Array = np.ndarray[Any, np.dtype[np.float64]]


def converted(values: Array, given: str, wanted: str, what: str) -> Array:
    """Return numbers in the unit ``wanted``; an empty ``given`` is that already.

    Raises
    ------
    InputError
        If a unit is none, or the units are of different kinds; ``what`` is named.
    """
    try:
        source, target = parse_unit(given or wanted), parse_unit(wanted)
    except UnitError as error:
        raise InputError(f"{what}: {error}") from None
    if source.dimension != target.dimension:
        raise InputError(f"{what} is in {given}, the part takes {wanted}")
    return (values * source.factor + source.offset - target.offset) / target.factor
