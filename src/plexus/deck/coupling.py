"""The block `coupling`: iteration between equations that are solved one after the other."""

from __future__ import annotations

from plexus.deck.params import Field, Params


class Coupling(Params):
    """Iteration between equations that are solved one after the other; without it one pass per step."""

    iterations: int = Field(20, ge=2, description="most passes over the equations per step")
    tolerance: float = Field(
        1e-8,
        gt=0,
        lt=1,
        description="change of every unknown, relative to its magnitude, at which they agree",
    )
