"""Initial values from the expressions of a deck."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexus.errors import InputError


def evaluated(expression: Any, at: Mapping[str, Any], name: str) -> Any:
    """Return the initial value of field ``name`` from coordinates and time.

    Raises
    ------
    InputError
        If the expression reads something that is not known at the start.
    """
    unknown = sorted(set(expression.names) - set(at))
    if unknown:
        raise InputError(f"initial.{name}: {', '.join(unknown)} is not known at the start; use x, y, z, t")
    return expression.sure(at)
