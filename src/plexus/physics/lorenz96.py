"""Lorenz's chain of 1996, a model of the atmosphere on a circle of latitude.

    dX_i/dt = (X_(i+1) - X_(i-2)) X_(i-1) - X_i + F,   i = 0 ... N-1, indices modulo N

====== ================================== ====
symbol meaning                            unit
====== ================================== ====
X      some atmospheric quantity          1
F      forcing                            1
N      number of sectors                  1
====== ================================== ====

Advection keeps the energy Σ X²/2, damping and forcing change it. The deck's second is the time of damping,
about five days of weather. Chaotic at N = 40 and F = 8, where errors double in 0.4. Source: E. N. Lorenz, in:
Predictability of Weather and Climate, eds. T. Palmer, R. Hagedorn (2006), doi:10.1017/CBO9780511617652.004
(given in 1996); the start, F with one value raised, from E. N. Lorenz, K. A. Emanuel, J. Atmos. Sci. 55
(1998) 399-414, doi:10.1175/1520-0469(1998)055<0399:OSFSWO>2.0.CO;2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from plexus.deck.params import Field, Params, Property
from plexus.protocols import FieldSpec
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.protocols import Rates

STATE = FieldSpec("state", "1", "scalar", "X, by index")
ENERGY = FieldSpec("energy", "1", "scalar", "X²/2, by index")


class Lorenz96Params(Params):
    """Parameters of `Lorenz96`."""

    n: int = Field(40, ge=4, description="number N of values", json_schema_extra={"source": "Lorenz 1996"})
    forcing: Property = Field(
        8.0,
        description="forcing F; reads the index x, in an ensemble the member y, time t, and X as `state`",
        json_schema_extra={"source": "Lorenz 1996"},
    )


@register("physics", "lorenz96", Lorenz96Params)
class Lorenz96:
    """N values on a circle."""

    discretisation: ClassVar[str] = "points"

    def __init__(self, params: Lorenz96Params):
        self.params = params

    @staticmethod
    def fields(params: Lorenz96Params) -> Sequence[FieldSpec]:
        """Return the state."""
        return (STATE,)

    @staticmethod
    def unknowns(params: Lorenz96Params) -> dict[str, int]:
        """Return the number of values."""
        return {"state": params.n}

    def derived_specs(self) -> Sequence[FieldSpec]:
        """Return what is computed of it."""
        return (ENERGY,)

    def model(self) -> Rates:
        """Return the equations."""
        from plexus.models.lorenz96 import Lorenz96Model

        forcing: Any = self.params.forcing
        # in a run it is the number or tensor of an instant
        return Lorenz96Model(self.params.n, getattr(forcing, "constant", forcing))


EXAMPLE: dict[str, Any] = {"n": 40, "forcing": 8.0}
