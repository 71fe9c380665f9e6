"""What a field that is drawn at random must offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Sampler(Protocol):
    """A drawn field: a function of places alone, the same on any ranks."""

    params: Any
    """Its parameters, `unit` among them."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the coordinates that it depends on; none where it is one number."""

    def values(self, *places: Any) -> Any:
        """Return values in `params.unit` at coordinates [m], NumPy arrays of one shape, one per axis."""

    def family(self, *places: Any) -> Callable[[int], Any]:
        """Return what gives the values in SI units of any number of the family at such coordinates."""
