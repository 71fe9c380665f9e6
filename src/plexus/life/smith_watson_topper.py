"""Life from peak stress times range of strain, on the plane that has most of it.

    σ_max Δε/2 = (σ_f'²/E) (2N)^(2b) + σ_f' ε_f' (2N)^(b+c)

Symbols as in `plexus.life.manson_coffin_basquin`; σ_max is the largest stress normal to a plane [Pa]. Of the
planes across the principal axes of the strain range that with the largest product counts: the strain changes
alike on two planes in shear, and often one of them only is ever in tension. A plane that is never in tension
takes no harm. K. N. Smith, P. Watson, T. H. Topper, J. Mater. 5 (1970) 767; the plane: D. F. Socie, J. Eng.
Mater. Technol. 109 (1987) 293, doi:10.1115/1.3225980. Valid where cracks grow in tension.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.life._curves import Array, Curve, per_cycle, reversals
from plexus.life.manson_coffin_basquin import EXAMPLE as CURVE
from plexus.life.manson_coffin_basquin import MansonCoffinBasquinParams
from plexus.protocols import Cycle
from plexus.registry import register


class SmithWatsonTopperParams(MansonCoffinBasquinParams):
    """Parameters of `SmithWatsonTopper`, those of the strain-life curve."""

    strength: Annotated[Property, Unit("Pa"), Within(gt=0)] = Field(
        description="fatigue strength coefficient σ_f'"
    )


@register("life", "smith_watson_topper", SmithWatsonTopperParams)
class SmithWatsonTopper(Curve):
    """The strain-life curve with the peak stress as a factor."""

    params: SmithWatsonTopperParams

    def damage(self, cycle: Cycle) -> Array:
        """Return 1/N, (n,)."""
        p, strength = self.params, self.taken("strength", cycle)
        return per_cycle(
            reversals(
                cycle.opening, strength**2 / cycle.stiffness, strength * self.taken("ductility", cycle),
                2.0 * p.strength_exponent, p.strength_exponent + p.ductility_exponent,
            )
        )  # fmt: skip


EXAMPLE: dict[str, Any] = dict(CURVE)
