"""Flow of a vector field through a boundary: ∫ q·n ds with the outward normal n.

``heat_flux`` gives the heat that leaves the body. ``by: gradients`` takes it from the cells at the boundary.
``by: terms`` takes what the boundary terms there exchange (convection, radiation, flux): over all boundaries
these flows balance the sources and the heat that is stored, to the accuracy of the solve. Where the
temperature is prescribed, ``reaction`` has this property. On one side of a contact the terms are what crosses
it. Source: T. J. R. Hughes et al., J. Comput. Phys.
163 (2000) 467-488, doi:10.1006/jcph.2000.6577.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationInfo, field_validator

from plexus.deck.context import known
from plexus.deck.params import FacetNames, Field, FieldName, Params
from plexus.deck.values import refuse
from plexus.fields.arrays import einsum
from plexus.protocols import Balances
from plexus.quantities.base import QuantityBase
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.run import Run


class FluxParams(Params):
    """Parameters of `Flux`."""

    of: FieldName = Field(description="name of a vector field, e.g. heat_flux")

    @field_validator("of")
    @classmethod
    def _is_a_vector(cls, value: str, info: ValidationInfo) -> str:
        fields = known(info).fields
        if fields is not None and (value not in fields or fields[value].shape != "vector"):
            vectors = ", ".join(name for name, spec in fields.items() if spec.shape == "vector")
            raise refuse(f"{value!r} is not a vector field; vectors are {vectors}")
        return value

    on: FacetNames = Field(
        description="boundary or list of boundaries; {interface: NAME, from: REGION} inside the body"
    )
    by: Literal["gradients", "terms"] = Field(
        "gradients", description="the cells' gradients, or the boundary terms: their balance closes"
    )


@register("quantity", "flux", FluxParams)
class Flux(QuantityBase):
    """∫ q·n over a boundary."""

    needs = Balances

    def __init__(self, params: FluxParams):
        self.params = params

    def sides(self, inner: Collection[str]) -> tuple[bool, bool]:
        """Return that normals differ, and that terms are exchanged through the surface of the body only."""
        return True, self.params.by == "terms"

    def prepare(self, run: Run) -> None:
        """Refuse facets that are none, or inside the body without a side. Collective.

        Raises
        ------
        InputError
            If the normal has no direction, or if terms are asked for inside the body away from contacts.
        """
        from plexus.spaces.evaluate import Part

        fields = run.fields
        assert isinstance(fields, Balances), "a deck asks for flows on elements only"
        fields.require(Part(boundary=self.params.on), None, outer=self.params.by == "terms")

    def evaluate(self, run: Run) -> float:
        """Return the flow out of the body at the present state. Collective.

        Raises
        ------
        InputError
            If boundary terms are asked for where the value is prescribed, or of a field that has none.
        """
        from plexus.spaces.evaluate import Part

        fields = run.fields
        if self.params.by == "terms":
            assert isinstance(fields, Balances), "a deck asks for flows on elements only"
            return fields.outflow(self.params.of, self.params.on)
        q = fields.field(self.params.of)
        # n points outward: positive is what leaves the body
        normal_flow = lambda p: einsum("...i,...i->...", q(p), p.normal)  # noqa: E731
        return fields.integrate(normal_flow, Part(boundary=self.params.on))

    def unit(self, run: Run) -> str:
        """Return the unit of the flow."""
        from plexus.spaces.evaluate import Part

        return run.fields.integrated(run.fields.unit(self.params.of), Part(boundary=self.params.on))


EXAMPLE: dict[str, Any] = {"type": "flux", "of": "heat_flux", "on": "holes"}
