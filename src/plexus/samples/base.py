"""What drawn fields share: seed, number and unit, and values on arrays of any library."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import field_validator

from plexus.deck.params import Field, Params
from plexus.deck.units import UnitError, parse_unit
from plexus.deck.values import refuse

if TYPE_CHECKING:
    import numpy as np

AXES = ("x", "y", "z")


class UnitParams(Params):
    """What every drawn field says."""

    unit: str = Field("1", description="unit of the values")

    @field_validator("unit")
    @classmethod
    def _a_unit(cls, text: str) -> str:
        try:
            parse_unit(text)
        except UnitError as error:
            raise refuse(str(error)) from None
        return text


class SampleParams(UnitParams):
    """Parameters of every field that draws; one without a seed is refused."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        description="seed of the family; the same gives the same"
    )
    number: Annotated[int, Field(ge=0, lt=2**63)] = Field(0, description="number of the sample in its family")


class SampleBase:
    """A drawn field: a function of places alone.

    A member gives `values`, on NumPy arrays.
    """

    def __init__(self, params: Any):
        self.params = params

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the coordinates that it depends on."""
        return AXES

    def __call__(self, *places: Any) -> Any:
        """Return values in SI units at coordinates [m], one per axis: floats, NumPy arrays, torch tensors."""
        import numpy as np

        tensor = next((p for p in places if type(p).__module__.split(".")[0] == "torch"), None)
        plain = [
            p.detach().cpu().numpy() if hasattr(p, "detach") else np.asarray(p, dtype=float) for p in places
        ]
        found = self._in_si(self.values(*np.broadcast_arrays(*plain)))
        if tensor is not None:
            return tensor.new_tensor(found)
        return float(found) if found.ndim == 0 else found

    def family(self, *places: np.ndarray) -> Callable[[int], np.ndarray]:
        """Return what gives the values in SI units of any number of the family at places of one shape [m].

        A member may keep there what all numbers have in common.
        """

        def of(number: int) -> np.ndarray:
            other = type(self)(self.params.model_copy(update={"number": number}))
            return self._in_si(other.values(*places))

        return of

    def _in_si(self, values: np.ndarray) -> np.ndarray:
        """Return values in SI units of such in `unit`."""
        unit = parse_unit(self.params.unit)
        return values * unit.factor + unit.offset

    def values(self, *places: np.ndarray) -> np.ndarray:
        """Return values in `unit` at coordinates of one shape."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        """Compare what is drawn."""
        return isinstance(other, SampleBase) and (type(self), self.params) == (type(other), other.params)

    def __hash__(self) -> int:
        """Return the hash of the class; parameters need not have one."""
        return hash(type(self))
