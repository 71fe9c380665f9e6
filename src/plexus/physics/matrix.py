"""A linear system A u = b as it stands: from a file of others, or one of a family that is drawn.

The unknown u has no time derivative. Without the block `time` one system is solved; a problem that is a
sequence takes `time: {stepper: quasistatic, …}` and is solved at every time, from the solution before. The
tolerance `rtol` of the solver is that of ‖b - A u‖/‖b‖, whatever the guess. Source: Y. Saad, Iterative
Methods for Sparse Linear Systems (2003), doi:10.1137/1.9780898718003.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.errors import InputError
from plexus.protocols import FieldSpec

if TYPE_CHECKING:
    from plexus.protocols import Problem

EXAMPLE: dict[str, Any] = {
    "type": "matrix", "problem": {"type": "moving_obstacle", "cells": [8, 8, 8], "duration": "0.1 s"},
}  # fmt: skip


class MatrixParams(Params):
    """Parameters of `Matrix`."""

    problem: Annotated[Any, Component("problem")] = Field(description="the linear system")


@registry.register("physics", "matrix", MatrixParams)
class Matrix:
    """One linear system, or a sequence of them."""

    discretisation: ClassVar[str] = "algebraic"

    def __init__(self, params: MatrixParams):
        self.params = params
        self.problem: Problem = registry.build("problem", params.problem)

    @staticmethod
    def fields(params: MatrixParams) -> Sequence[FieldSpec]:
        """Return the unknown: a vector where a block has as many unknowns as a place has coordinates.

        Raises
        ------
        InputError
            If outputs could not show its blocks.
        """
        outline = registry.build("problem", params.problem).outline()
        m, d = outline.components, outline.dim
        if m not in (1, d):
            raise InputError(
                f"physics.problem: blocks of {m} unknowns at places of {d} coordinate{'s' * (d > 1)} cannot "
                "be shown: a block has one unknown, or one for each coordinate; give coordinates that fit"
            )
        return (FieldSpec("u", "1", "scalar" if m == 1 else "vector", "unknown"),)
