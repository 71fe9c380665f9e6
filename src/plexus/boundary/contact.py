"""Contact between two regions that hinders what flows through: q·n = h (u - u⁺), h = 1/R.

====== =================================================== ==========
symbol meaning                                             unit (heat)
====== =================================================== ==========
u, u⁺  unknown on this side and on the other one           K
R      resistance of the contact, may vary with position,  m² K/W
       time and the mean of both sides
h      conductance of the contact, the same                W/(m² K)
====== =================================================== ==========

The unknown jumps: both sides have nodes of their own. Each side adds f0 = h (u - u⁺), so that what leaves one
side enters the other. R → 0 is a perfect bond, h = 0 an insulation. Source: F. P. Incropera et al.,
Fundamentals of Heat and Mass Transfer, 6th ed., Wiley 2007, section 3.1.4; Carslaw and Jaeger, Conduction of
Heat in Solids, 2nd ed., Oxford 1959, section 1.9. Valid for layers that are thin beside the bodies, so that
they store nothing and nothing flows along them.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ValidationInfo, field_validator, model_validator

from plexus.deck.params import Field, Property, UnitOf, Within
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.formulation.points import View, mean
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Array, Flux, Point, Tangent
from plexus.registry import register


class ContactParams(TermParams):
    """Parameters of `Contact`: one of both."""

    resistance: Annotated[Property, UnitOf("unknown/flux", "contact"), Within(gt=0)] | None = Field(
        None, description="resistance R of the contact; a table of the unknown is one of the sides' mean"
    )
    conductance: Annotated[Property, UnitOf("flux/unknown", "contact"), Within(ge=0)] | None = Field(
        None, description="conductance h of the contact instead; 0 lets nothing through"
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            raise refuse("say which it is: {resistance: 2e-4 m^2 K/W} or {conductance: 5000 W/(m^2 K)}")
        return data

    @field_validator("resistance", "conductance")
    @classmethod
    def _of_both_sides(cls, value: Property | None, info: ValidationInfo) -> Property | None:
        if value is not None and value.regions:
            raise refuse("a contact lies between two regions and has one value: give a contact per interface")
        return value

    @model_validator(mode="after")
    def _one(self) -> ContactParams:
        if (self.resistance is None) == (self.conductance is None):
            raise refuse("give either the resistance or the conductance of the contact")
        return self


@register("boundary", "contact", ContactParams)
class Contact(Term):
    """The term ∫ h (u - u⁺) (v - v⁺) ds, half of it on each side."""

    across = True

    def flux(self, p: Point) -> Flux:
        """Return f0 = h (u - u⁺)."""
        return Flux(f0=self._conductance(self._mean(p)) * self._jump(p))

    def tangent(self, p: Point) -> Tangent:
        """Return c00 = h + h'/2 (u - u⁺), and across = -h + h'/2 (u - u⁺)."""
        m = self._mean(p)
        h, slope = self._conductance(m), self._change(m)
        if slope is None:
            return Tangent(c00=h, across=-h, symmetric=True)
        # h is one of the mean (u + u⁺)/2
        half = 0.5 * slope * self._jump(p)
        return Tangent(c00=h + half, across=half - h)

    def _jump(self, p: Point) -> Array:
        """Return u - u⁺."""
        return p.u - p.other.fields[self.field.name].value

    def _mean(self, p: Point) -> View:
        """Return the point between the sides, with the means of all fields that are read."""
        return mean(p, {name for prop in self.properties() for name in prop.names})

    def _conductance(self, m: View) -> Array:
        """Return h.

        Raises
        ------
        InputError
            If an expression gives a resistance that is not positive, or a conductance below zero.
        """
        if self.params.resistance is None:
            h = self.params.conductance(m)
            _refuse(h < 0, "conductance", "negative", h, m)
            return h
        r = self.params.resistance(m)
        _refuse(r <= 0, "resistance", "not positive", r, m)
        return 1.0 / r

    def _change(self, m: View) -> Array | None:
        """Return h' in the mean; None where h does not depend on it."""
        name = self.field.name
        if self.params.resistance is None:
            return self.params.conductance.derivative(m, name)
        slope = self.params.resistance.derivative(m, name)
        # (1/R)' = -R'/R²
        return None if slope is None else -slope / self.params.resistance(m) ** 2


def _refuse(wrong: Array, name: str, how: str, value: Array, m: View) -> None:
    """Refuse values that are wrong anywhere."""
    if wrong.any():
        raise InputError(
            f"boundary: contact: the {name} is {how}, {float(value.min()):.6g}, at t = {m.t:.6g} s"
        )


EXAMPLE: dict[str, Any] = {"resistance": "2e-4 m^2 K/W"}
