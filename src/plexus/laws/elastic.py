"""Linear elasticity as a law: σ = κ tr(e) I + 2μ dev e, with nothing to remember.

e is the strain without the thermal one, κ = E/(3 (1 - 2ν)), μ = E/(2 (1 + ν)), all in Pa. Source: S. P.
Timoshenko, J. N. Goodier, Theory of Elasticity, 3rd ed., McGraw-Hill 1970, chapter 1. Valid below yield.
"""

from __future__ import annotations

from typing import Any

from plexus.fields.arrays import einsum, eye
from plexus.formulation.hooke import elastic_tensor
from plexus.formulation.material import Material
from plexus.protocols import Array, FieldSpec, Point, Response
from plexus.registry import register


class ElasticParams(Material):
    """Parameters of `Elastic`: young_modulus and poisson_ratio of the material."""


@register("law", "elastic", ElasticParams)
class Elastic:
    """Hooke's law."""

    internal: tuple[FieldSpec, ...] = ()
    linear = True
    symmetric = True
    isochoric = True

    def __init__(self, params: ElasticParams):
        params.need("law", "young_modulus", "poisson_ratio")
        self.material = params

    def bulk(self, p: Point) -> Array:
        """Return κ [Pa]."""
        e, nu = self._data(p)
        return e / (3.0 * (1.0 - 2.0 * nu))

    def respond(self, p: Point, strain: Array, tangent: bool = False, memory: bool = False) -> Response:
        """Return the stress, and the elastic tensor where it is asked for."""
        e, nu = self._data(p)
        mu, lam = e / (2.0 * (1.0 + nu)), e * nu / ((1.0 + nu) * (1.0 - 2.0 * nu))
        volume = (lam * einsum("...ii->...", strain))[..., None, None]
        stress = volume * eye(3, strain) + 2.0 * mu[..., None, None] * strain
        return Response(stress, elastic_tensor(lam, mu, 3) if tangent else None)

    def _data(self, p: Point) -> tuple[Array, Array]:
        return self.material.young_modulus(p), self.material.poisson_ratio(p)  # type: ignore[misc]


EXAMPLE: dict[str, Any] = {"young_modulus": "210 GPa", "poisson_ratio": 0.3}
