"""What the prescribed values on a boundary feed into the body: support force, or heat flow.

    R = Σ_i W_i F_i(u; φ_i)    over the nodes i of the boundary

F is the weak form without constraints, so R balances sources and loads to the accuracy of the solve. Where
supports meet, the force on a node is split along the directions that they prescribe, those of one direction
share it by the areas of their facets around the node (`plexus.spaces.corners`). Supports add up to the total;
``on: [left, bottom]`` is the total of both. Where supports of a displacement meet at a small angle, the run
warns: what each of them bears then converges slowly. R converges faster than a flux made from gradients. A
force [N] for a displacement, a heat flow into the body [W] for a temperature. Source: T. J. R. Hughes et al.,
J. Comput. Phys. 163 (2000) 467-488, doi:10.1006/jcph.2000.6577. Terms with a time derivative are not part of
it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationInfo, field_validator

from plexus.deck.context import known
from plexus.deck.params import FacetNames, Field, FieldName, Params
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.protocols import Balances
from plexus.quantities.base import QuantityBase
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.run import Run


SMALL_ANGLE = math.radians(30.0)
"""Angle between supports below which the run tells how slowly their shares converge."""


class ReactionParams(Params):
    """Parameters of `Reaction`."""

    of: FieldName = Field(description="name of an unknown")
    on: FacetNames = Field(description="boundary or list of boundaries on which it is prescribed")
    component: Literal["x", "y", "z"] | None = Field(
        None, description="direction, for a vector", validate_default=True
    )

    @field_validator("of")
    @classmethod
    def _is_an_unknown(cls, value: str, info: ValidationInfo) -> str:
        unknowns = known(info).unknowns
        if unknowns is not None and value not in unknowns:
            raise refuse(f"a reaction needs an unknown: {', '.join(unknowns)}, not {value}")
        return value

    @field_validator("component")
    @classmethod
    def _is_a_direction(cls, value: str | None, info: ValidationInfo) -> str | None:
        context = known(info)
        spec = (context.unknowns or {}).get(info.data.get("of", ""))
        if spec is not None and (spec.shape == "scalar") != (value is None):
            raise refuse(f"{spec.name} is a {spec.shape}: component is for vectors, and needed for them")
        if value is not None and context.dim is not None and "xyz".index(value) >= context.dim:
            raise refuse(f"a {context.dim}-D mesh has no direction {value}")
        return value


@register("quantity", "reaction", ReactionParams)
class Reaction(QuantityBase):
    """Sum of the unconstrained residual over the nodes of a boundary."""

    needs = Balances

    def __init__(self, params: ReactionParams):
        self.params = params

    def prepare(self, run: Run) -> None:
        """Refuse facets that are none, warn of supports that meet at a small angle. Collective.

        Raises
        ------
        InputError
            If there is no facet.
        """
        from plexus.mesh.mesh import Mesh
        from plexus.spaces.evaluate import Part
        from plexus.spaces.names import with_area

        fields = run.fields
        assert isinstance(fields, Balances), "a deck asks for reactions on elements only"
        assert isinstance(run.mesh, Mesh), "elements have a mesh of cells"
        area = with_area(run.mesh, self.params.on)
        if self.params.of in fields.specs and area is not None:
            fields.require(Part(boundary=area), fields.field(self.params.of))
            angle = fields.kink(self.params.of, self.params.on)
            if angle < SMALL_ANGLE:
                order = 2 * angle / (math.pi - angle)
                self.warn(
                    run,
                    f"on: other supports meet these at {math.degrees(angle):.2g} degrees: what each of them "
                    f"bears converges as h^{order:.2g} at last; the sum over all of them does not suffer",
                )

    def evaluate(self, run: Run) -> float:
        """Return the reaction at the present state. Collective.

        Raises
        ------
        InputError
            If the field is not an unknown, or changes in time.
        """
        name, fields = self.params.of, run.fields
        assert isinstance(fields, Balances), "a deck asks for reactions on elements only"
        # the residual at hand has no rates
        if run.deck.time is not None and any(spec.name == name for spec in run.system.starting):
            raise InputError(f"quantities: reaction of {name!r} is only defined in a steady run")
        return fields.reaction(name, self.params.on, "xyz".index(self.params.component or "x"))

    def unit(self, run: Run) -> str:
        """Return the unit of the reaction."""
        from plexus.spaces.evaluate import Part

        fields = run.fields
        assert isinstance(fields, Balances), "a deck asks for reactions on elements only"
        return fields.integrated(fields.flux_unit(self.params.of), Part(boundary=self.params.on))


EXAMPLE: dict[str, Any] = {"type": "reaction", "of": "displacement", "on": "left", "component": "x"}
