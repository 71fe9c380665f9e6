"""Base classes of physics parameters and equations.

A new equation derives from `EquationBase`, names its field and writes ``flux``; its tangent then
comes from automatic differentiation. An explicit ``tangent`` is faster, needs no torch, and is
compared with the automatic one by the contract tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from plexus.deck.params import Field, Params
from plexus.formulation import autodiff
from plexus.protocols import Array, Derived, FieldSpec, Flux, Point, Tangent


class PhysicsParams(Params):
    """Parameters that every model has."""

    degree: Literal[1, 2] | None = Field(
        None,
        description="degree of the elements; left out: that of the mesh's cells, "
        "2 where a temperature strains a body",
    )

    @property
    def least_degree(self) -> int:
        """Least degree at which the model is at its ease, where the deck says nothing."""
        return 1


class EquationBase:
    """An `Equation` with the defaults of the protocol."""

    field: FieldSpec
    linear: bool = False
    time_order: int = 0
    boundary_terms: tuple[str, ...] = ()
    near_nullspace: Literal["constant", "rigid"] = "constant"
    flux_unit: str = ""
    """Unit of f1 and of what boundary terms exchange per area."""
    exchanged: str | None = None
    """Unit that the deck must give fluxes in; None: `flux_unit`; empty: open, as the material's are."""
    flux_field: FieldSpec | None = None
    internal: Sequence[FieldSpec] = ()
    smooth: bool = False

    quadrature: int = 2
    lacking: Sequence[str] = ()
    learned: Mapping[str, Any] = {}

    @property
    def fields(self) -> Sequence[FieldSpec]:
        """The unknowns: `field`, where a block of several does not list them."""
        return (self.field,)

    @property
    def evolving(self) -> Sequence[str]:
        """Names of the unknowns with a time derivative: `field`, where a block does not list them."""
        return (self.field.name,) if self.time_order > 0 else ()

    def flux(self, p: Point) -> Flux:
        """Return f0 and f1 at the points (see `plexus.protocols.Flux` for the shapes)."""
        raise NotImplementedError

    def tangent(self, p: Point) -> Tangent:
        """Return the derivatives of `flux`, here by forward-mode automatic differentiation."""
        return autodiff.tangent(self, p)

    def advance(self, p: Point) -> Mapping[str, Array]:
        """Return the internal variables at the end of the step; an equation that has some computes them."""
        return {}

    def judge(self, p: Point) -> None:
        """Show a solution to the learned parts; an equation that has some does."""

    def measure(self, x: Array) -> Array | None:
        """Return the factor on dx and ds, (C, Q); None for 1."""
        return None

    def derived(self) -> Sequence[Derived]:
        """Return the derived fields of this equation."""
        return ()
