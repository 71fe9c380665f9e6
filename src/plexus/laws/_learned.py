"""What learned laws share: components of strain and stress as ports, Hooke's law as the rival."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import model_validator

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.deck.values import refuse
from plexus.fields.arrays import stack
from plexus.formulation.hooke import elastic_tensor
from plexus.formulation.learned import LearnedMaterial, LearnedMaterialParams
from plexus.laws._invariants import Scalars, answer, shape_of
from plexus.learned import points
from plexus.learned.part import Fields
from plexus.learned.ports import Properties
from plexus.protocols import Array, Law, Point, Port, Response

PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
STRAINS = tuple(f"e{i + 1}{j + 1}" for i, j in PAIRS)
STRESSES = tuple(f"s{i + 1}{j + 1}" for i, j in PAIRS)


class GuardParams(points.WatchParams):
    """What happens where a solution leaves the range that a law was trained for."""

    fallback: Annotated[Params | None, Component("law")] = Field(
        None, description="classical law without memory; none: Hooke's law that fits the training data best"
    )


class LearnedLawParams(LearnedMaterialParams):
    """Parameters of learned laws."""

    guard: GuardParams = Field(GuardParams(), description="what happens outside of the range of the training")

    @model_validator(mode="after")
    def _forgets(self) -> LearnedLawParams:
        chosen = self.guard.fallback
        if chosen is not None and registry.build("law", chosen).internal:
            raise refuse(f"guard.fallback: {chosen.type} remembers, and cannot take over within a run")
        return self


class LearnedLaw(LearnedMaterial):
    """Base of learned laws; a member gives `started`, `scalars_of`, `chosen`."""

    kind = "law"
    units_of_features: ClassVar = {"volume": "1", "shape": "1"}
    """tr ε and |dev ε|."""
    rest: ClassVar = {"volume": 0.0, "shape": 0.0}
    least = ("shape",)
    internal = ()
    linear = False
    symmetric = True
    isochoric = False

    def scalars_of(self, strain: Array, weights: Mapping[str, Array], tangent: bool) -> Scalars:
        """Return A, B and the slopes of strains (n, 3, 3), see `plexus.laws._invariants`."""
        raise NotImplementedError

    # the law

    def bulk(self, p: Point) -> Array:
        """Return κ at rest [Pa]."""
        found = self._isotropic(np.zeros((1, 3, 3)), self.weights, tangent=True).tangent
        assert found is not None
        return float(np.einsum("niijj->", found)) / 9.0 * p.one

    def respond(self, p: Point, strain: Array, tangent: bool = False, memory: bool = False) -> Response:
        """Return the stress, and the tangent where it is asked for; the fallback's once it took over."""
        if self.replaced:
            return self._classical(p, strain, tangent)
        flat = self._isotropic(strain.reshape(-1, 3, 3), self.weights, tangent)
        slope = None if flat.tangent is None else flat.tangent.reshape(*strain.shape[:2], 3, 3, 3, 3)
        return Response(flat.stress.reshape(strain.shape), slope)

    def _isotropic(self, strain: Array, weights: Mapping[str, Array], tangent: bool = False) -> Response:
        return answer(shape_of(strain), self.scalars_of(strain, weights, tangent))

    def _classical(self, p: Point, strain: Array, tangent: bool) -> Response:
        if self.params.guard.fallback is not None:
            return self._stand_in.respond(p, strain, tangent)
        one = p.one
        lam = self.scales["bulk"] - 2.0 / 3.0 * self.scales["shear"]
        slope = elastic_tensor(lam * one, self.scales["shear"] * one, 3) if tangent else None
        return Response(self.classical(strain), slope)

    @cached_property
    def _stand_in(self) -> Law:
        """The fallback that the deck names."""
        law: Law = registry.build("law", self.params.guard.fallback)
        return law

    # the part

    @property
    def properties(self) -> Properties:
        """Return six components of strain in, six of stress out."""
        strains, stresses = (
            tuple(Port(name, unit) for name in names) for names, unit in ((STRAINS, "1"), (STRESSES, "Pa"))
        )
        why = "stress derives from a potential: no closed path of strain gives energy"
        return Properties("law", "pointwise", strains, stresses, ("rotation", "reflection"), why)

    def default_fallback(self) -> str:
        """Return the name of the linear law."""
        return "elastic"

    def read(self, fields: Fields) -> Array:
        """Return strains (n, 3, 3)."""
        return tensor_of(fields, STRAINS)

    def told(self, stress: Array) -> dict[str, Array]:
        """Return stresses by components."""
        return components(stress)

    def stress_of(self, asked: Array, weights: Mapping[str, Array]) -> Array:
        """Return the stress [Pa]."""
        return self._isotropic(asked, weights).stress

    def looked(self, asked: Array) -> Array:
        """Return tr ε and |dev ε| of strains."""
        shape = shape_of(asked)
        return stack([shape.theta, shape.square**0.5], 0)

    def classical(self, asked: Array) -> Array:
        """Return the stress of the linear law that fits the training data best."""
        shape = shape_of(asked)
        hooke = Scalars(self.scales["bulk"] * shape.theta, 2.0 * self.scales["shear"] + 0.0 * shape.theta)
        return answer(shape, hooke).stress

    def calibrate(self, inputs: Fields, targets: Fields) -> None:
        """Fit Hooke's law by least squares, κ = Σ pθ/Σ θ², 2μ = Σ s:d/Σ d:d, and take the size of strains."""
        strain, stress = (
            shape_of(tensor_of(f, n).double()) for f, n in ((inputs, STRAINS), (targets, STRESSES))
        )
        size = float(strain.square.mean())
        volume = float(strain.theta.square().sum())
        bulk = float((stress.theta * strain.theta).sum()) / 3.0 / volume if volume > 0.0 else 0.0
        shear = float((stress.dev * strain.dev).sum() / strain.square.sum()) / 2.0 if size > 0.0 else 0.0
        self.scales = self.fitted(bulk, shear, size**0.5)

    def compared(self, inputs: Fields, given: Fields, targets: Fields) -> dict[str, list[tuple[Any, Any]]]:
        """Return the stress, all components at once, and its deviator, which no mean stress flatters."""
        pair = tuple(tensor_of(side, STRESSES) for side in (given, targets))
        shapes = (shape_of(pair[0]).dev, shape_of(pair[1]).dev)
        return {"stress relative MSE": [pair], "deviator relative MSE": [shapes]}


def tensor_of(fields: Fields, names: tuple[str, ...]) -> Array:
    """Return symmetric tensors (n, 3, 3) of components by name."""
    a = {pair: fields[name] for pair, name in zip(PAIRS, names, strict=True)}
    rows = [stack([a[min(i, j), max(i, j)] for j in range(3)], -1) for i in range(3)]
    return stack(rows, -2)


def components(stress: Array) -> dict[str, Array]:
    """Return stresses (n, 3, 3) by components."""
    return {name: stress[..., i, j] for (i, j), name in zip(PAIRS, STRESSES, strict=True)}
