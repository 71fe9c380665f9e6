"""Flow of a vector field through a boundary: ∫ q·n ds with the outward normal n.

``heat_flux`` gives the heat that leaves the body, from the gradients of the cells at the boundary; where
the temperature is prescribed, ``reaction`` is more accurate.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationInfo, field_validator

from plexus.deck.context import known
from plexus.deck.params import BoundaryName, Field, FieldName, Params
from plexus.deck.values import refuse
from plexus.fields.arrays import einsum
from plexus.registry import register


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

    on: BoundaryName = Field(description="name of the boundary")


@register("quantity", "flux", FluxParams)
class Flux:
    """∫ q·n over a boundary."""

    def __init__(self, params: FluxParams):
        self.params = params

    def evaluate(self, run: Any) -> float:
        """Return the flow out of the body at the present state. Collective."""
        from plexus.formulation.sampler import sampler
        from plexus.spaces.evaluate import Part

        s = sampler(run)
        q = s.field(self.params.of)
        # n points outward: positive is what leaves the body
        normal_flow = lambda p: einsum("...i,...i->...", q(p), p.normal)  # noqa: E731
        return float(s.integrate(run, normal_flow, Part(boundary=self.params.on)))


EXAMPLE: dict[str, Any] = {"type": "flux", "of": "heat_flux", "on": "holes"}
