"""The oscillator of van der Pol in the plane of Liénard, stiff for large μ.

    dx/dt = μ (x - x³/3 - w),   dw/dt = x/μ,   that is x'' - μ (1 - x²) x' + x = 0

====== ================================== ====
symbol meaning                            unit
====== ================================== ====
x      position                           1
w      Liénard's variable                 1
μ      nonlinear damping                  1
====== ================================== ====

Both unknowns are of order one for every μ. For large μ the position creeps along w = x - x³/3 and jumps from
∓1 to ±2; the period tends to (3 - 2 ln 2) μ. The start is on the slow branch, x = 2. Source: B. van der Pol,
Phil. Mag. 2 (1926) 978-992, doi:10.1080/14786442608564127; E. Hairer, G. Wanner, Solving Ordinary
Differential Equations II (1996), section IV.1, doi:10.1007/978-3-642-05221-7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from plexus.deck.params import Field, Movable, Params
from plexus.protocols import FieldSpec
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.protocols import Rates

UNKNOWNS = (
    FieldSpec("position", "1", "scalar", "position x"),
    FieldSpec("lienard", "1", "scalar", "Liénard's variable w"),
)
VELOCITY = FieldSpec("velocity", "1", "scalar", "dx/dt")


class VanDerPolParams(Params):
    """Parameters of `VanDerPol`."""

    mu: Annotated[float, Movable()] = Field(gt=0, description="nonlinear damping μ")


@register("physics", "van_der_pol", VanDerPolParams)
class VanDerPol:
    """Two unknowns of one value each."""

    discretisation: ClassVar[str] = "points"

    def __init__(self, params: VanDerPolParams):
        self.params = params

    @staticmethod
    def fields(params: VanDerPolParams) -> Sequence[FieldSpec]:
        """Return position and Liénard's variable."""
        return UNKNOWNS

    @staticmethod
    def unknowns(params: VanDerPolParams) -> dict[str, int]:
        """Return the number of values of each unknown."""
        return {spec.name: 1 for spec in UNKNOWNS}

    def derived_specs(self) -> Sequence[FieldSpec]:
        """Return what is computed of them."""
        return (VELOCITY,)

    def model(self) -> Rates:
        """Return the equations."""
        from plexus.models.van_der_pol import VanDerPolModel

        return VanDerPolModel(self.params.mu)


EXAMPLE: dict[str, Any] = {"mu": 100.0}
