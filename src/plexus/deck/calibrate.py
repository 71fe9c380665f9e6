"""The block `calibrate`: which measurements the controls are fitted to, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from plexus.deck.controls import moving, still
from plexus.deck.params import Component, Field, Params
from plexus.protocols import Found


class Calibrate(Params):
    """What `plexus calibrate` does: controls are moved until the run agrees with measurements.

    The misfit counts in standard deviations, ½ Σ ((y - d)/σ)²; the regularisation of each control is added.
    """

    data: tuple[Annotated[Params, Component("measurement")], ...] = Field(
        min_length=1, description="what was measured"
    )
    controls: tuple[str, ...] = Field((), description="names of the controls that are fitted; empty: all")
    method: Literal["gauss_newton", "lbfgs", "tao"] = Field(
        "gauss_newton",
        description="gauss_newton: few iterations, up to 4000 numbers; lbfgs, tao: gradients only, any size",
    )
    iterations: int = Field(50, ge=1, description="most iterations")
    tolerance: float = Field(
        1e-6,
        gt=0,
        lt=1,
        description="it ends where an iteration lowers the objective by less than this share",
    )


def problems(deck: Any) -> Iterator[Found]:
    """Yield what does not go together in a deck with the block."""
    if deck.calibrate is None:
        return
    if deck.ensemble is not None and deck.mesh is not None:
        yield (
            ("calibrate",),
            "a measurement is of one member, and places do not tell which: fit without `ensemble`",
        )
    if not moving(deck):
        yield ("calibrate",), "the deck has no `controls`: name what shall be fitted"
    for i, name in enumerate(deck.calibrate.controls):
        if text := still(name, deck):
            yield ("calibrate", "controls", i), text
