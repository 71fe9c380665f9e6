"""What the prescribed values on a boundary feed into the body: support force, or heat flow.

    R = Σ_i F_i(u; φ_i)    over the nodes i of the boundary

F is the weak form without constraints, so R balances sources and loads to the accuracy of the solve: it
converges faster than a flux made from gradients. A force [N] for a displacement, a heat flow into the body
[W] for a temperature. Source: T. J. R. Hughes et al., J. Comput. Phys. 163 (2000) 467-488,
doi:10.1006/jcph.2000.6577. Terms with a time derivative are not part of it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationInfo, field_validator

from plexus.deck.context import known
from plexus.deck.params import BoundaryName, Field, FieldName, Params
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.protocols import Balances
from plexus.registry import register


class ReactionParams(Params):
    """Parameters of `Reaction`."""

    of: FieldName = Field(description="name of an unknown")
    on: BoundaryName = Field(description="boundary on which it is prescribed")
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
class Reaction:
    """Sum of the unconstrained residual over the nodes of a boundary."""

    needs = Balances

    def __init__(self, params: ReactionParams):
        self.params = params
        self._form: Any = None

    def evaluate(self, run: Any) -> float:
        """Return the reaction at the present state. Collective.

        Raises
        ------
        InputError
            If the field is not an unknown, or changes in time.
        """
        name = self.params.of
        if self._form is None:
            self._form = self._unconstrained(run)
        form, space = self._form, self._form.space
        residual = form.residual(run.state.t, run.state.values[name], None, run.state.values)
        # each node counts on the rank that owns it; the rows of own nodes are complete there
        nodes = space.facet_nodes(self.params.on)
        axis = "xyz".index(self.params.component or "x")
        if axis >= space.components:
            raise InputError(f"quantities: {name} has no component {self.params.component} on this mesh")
        return float(space.comm.allreduce(residual[nodes[nodes < space.n_owned], axis].sum()))

    def unit(self, run: Any) -> str:
        """Return the unit of the reaction."""
        from plexus.formulation import units
        from plexus.spaces.evaluate import Part

        equation = next(e for e in run.system.equations if e.field.name == self.params.of)
        return units.integrated(run, equation.flux_unit, Part(boundary=self.params.on))

    def _unconstrained(self, run: Any) -> Any:
        """Return the weak form of the unknown with its boundary terms and without prescribed values."""
        from plexus.formulation.conditions import sort_conditions
        from plexus.spaces.assembly import Form

        name, equations = self.params.of, run.system.equations
        equation = next((e for e in equations if e.field.name == name), None)
        if equation is None:
            raise InputError(f"quantities: reaction needs an unknown, {name!r} is derived")
        if run.deck.time is not None and equation.time_order > 0:
            raise InputError(f"quantities: reaction of {name!r} is only defined in a steady run")
        space = run.system.spaces[name]
        # loads on the boundary belong to the balance: without them they would count as support
        terms = sort_conditions(run.deck.boundary, equations, run.mesh.dim)[name].terms
        return Form(space, equation, terms, run.system.spaces)


EXAMPLE: dict[str, Any] = {"type": "reaction", "of": "displacement", "on": "left", "component": "x"}
