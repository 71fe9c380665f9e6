"""Elastic foundation: σ n = -k_n (u·n) n - k_t (u - (u·n) n).

k_n and k_t are stiffnesses per area [N/m³] normal and tangential to the boundary. Adds
f0 = k_t u + (k_n - k_t) (u·n) n. Source: E. Winkler, Die Lehre von der Elasticitaet und Festigkeit, Prag
1867, section 195. Valid for bedding that answers point by point and also pulls.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.fields.arrays import einsum
from plexus.formulation.terms import Term, TermParams, diagonal
from plexus.protocols import Flux, Point, Tangent
from plexus.registry import register


class SpringParams(TermParams):
    """Parameters of `Spring`."""

    normal: Annotated[Property, Unit("N/m^3"), Within(ge=0)] = Field(
        description="stiffness k_n along the normal"
    )
    tangential: Annotated[Property, Unit("N/m^3"), Within(ge=0)] = Field(
        0.0, description="stiffness k_t along the boundary"
    )


@register("boundary", "spring", SpringParams)
class Spring(Term):
    """The term ∫ (k_t u + (k_n - k_t) (u·n) n)·v ds."""

    def flux(self, p: Point) -> Flux:
        """Return f0 = k_t u + (k_n - k_t) (u·n) n."""
        normal, tangential = self.params.normal(p), self.params.tangential(p)
        # u split along n: k_t on all of it, the rest of k_n on the normal part
        along = einsum("...i,...i->...", p.u, p.normal)
        return Flux(f0=tangential[..., None] * p.u + ((normal - tangential) * along)[..., None] * p.normal)

    def tangent(self, p: Point) -> Tangent:
        """Return c00 = k_t I + (k_n - k_t) n⊗n."""
        normal, tangential = self.params.normal(p), self.params.tangential(p)
        projector = einsum("...i,...j->...ij", p.normal, p.normal)
        c00 = diagonal(p, tangential) + (normal - tangential)[..., None, None] * projector
        return Tangent(c00=c00, symmetric=True)


EXAMPLE: dict[str, Any] = {"normal": 1e10, "tangential": 1e9}
