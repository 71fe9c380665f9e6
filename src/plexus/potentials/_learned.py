"""What learned potentials share: F and P by components as ports, the neo-Hookean body as the rival."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.fields.arrays import einsum, eye, like, stack
from plexus.formulation.learned import LearnedMaterial, LearnedMaterialParams
from plexus.formulation.points import View
from plexus.learned import points
from plexus.learned.part import Fields
from plexus.learned.ports import Properties
from plexus.potentials._invariants import Invariants, Isotropic, Slopes, invariants, piola
from plexus.protocols import Array, Point, Port, Potential

GRADIENTS = tuple(f"f{i + 1}{j + 1}" for i in range(3) for j in range(3))
STRESSES = tuple(f"p{i + 1}{j + 1}" for i in range(3) for j in range(3))


class GuardParams(points.WatchParams):
    """What happens where a solution leaves the range that a potential was trained for."""

    fallback: Annotated[Params | None, Component("potential")] = Field(
        None, description="classical potential; none: the neo-Hookean that fits the training data best"
    )


class LearnedPotentialParams(LearnedMaterialParams):
    """Parameters of learned potentials."""

    guard: GuardParams = Field(GuardParams(), description="what happens outside of the range of the training")


class LearnedPotential(LearnedMaterial, Isotropic):
    """Base of learned potentials; a member gives `started`, `chosen` and what `Isotropic` asks for."""

    kind = "potential"
    units_of_features: ClassVar = {"volume": "1", "first": "1", "second": "1"}
    """J, Ī₁ = I₁ J^(-2/3), Ī₂ = I₂ J^(-4/3)."""
    rest: ClassVar = {"volume": 1.0, "first": 3.0, "second": 3.0}
    least = ("first", "second")

    def slopes_of(self, at: Invariants, weights: Mapping[str, Array]) -> Slopes:
        """Return the first derivatives of W that weights give."""
        raise NotImplementedError

    # the potential

    def slopes(self, p: Point, at: Invariants) -> Slopes:
        """Return the first derivatives of W."""
        return self.slopes_of(at, self.weights)

    def energy(self, p: Point, f: Array) -> Array:
        """Return W [J/m³] at F (C, Q, 3, 3); the fallback's once it took over."""
        return self._stand_in.energy(p, f) if self.replaced else super().energy(p, f)

    def respond(self, p: Point, f: Array, slope: bool = False) -> tuple[Array, Any]:
        """Return P [Pa], and ∂P/∂F where ``slope`` asks for it; the fallback's once it took over."""
        return self._stand_in.respond(p, f, slope) if self.replaced else super().respond(p, f, slope)

    @cached_property
    def _stand_in(self) -> Potential:
        """The fallback that the deck names, else the rival."""
        chosen = self.params.guard.fallback
        found: Potential = self._rival if chosen is None else registry.build("potential", chosen)
        return found

    @property
    def _rival(self) -> Potential:
        """The neo-Hookean body that fits the training data best."""
        return neo_hookean(self.scales["bulk"] - 2.0 / 3.0 * self.scales["shear"], self.scales["shear"])

    # the part

    @property
    def properties(self) -> Properties:
        """Return nine components of F in, nine of P out."""
        given, told = (
            tuple(Port(name, unit) for name in names) for names, unit in ((GRADIENTS, "1"), (STRESSES, "Pa"))
        )
        why = "stress derives from a potential: no closed path of F gives energy"
        return Properties("potential", "pointwise", given, told, ("rotation", "reflection", "objective"), why)

    def default_fallback(self) -> str:
        """Return the name of the rival."""
        return "neo_hookean"

    def read(self, fields: Fields) -> Array:
        """Return F (n, 3, 3)."""
        return tensor_of(fields, GRADIENTS)

    def told(self, stress: Array) -> dict[str, Array]:
        """Return P by components."""
        return {name: stress[..., n // 3, n % 3] for n, name in enumerate(STRESSES)}

    def stress_of(self, asked: Array, weights: Mapping[str, Array]) -> Array:
        """Return P [Pa]."""
        at = invariants(asked)
        return piola(at, self.slopes_of(at, weights))

    def looked(self, asked: Array) -> Array:
        """Return J, Ī₁, Ī₂."""
        at = invariants(asked)
        j = at.volume
        return stack([j, at.first * j ** (-2.0 / 3.0), at.second * j ** (-4.0 / 3.0)], 0)

    def classical(self, asked: Array) -> Array:
        """Return P of the rival."""
        return _answer(self._rival, asked)

    def calibrate(self, inputs: Fields, targets: Fields) -> None:
        """Fit λ and μ of the neo-Hookean body by least squares, P is linear in them; e₀² = ⟨Ī₁ - 3⟩."""
        f, stress = (tensor_of(*pair).double() for pair in ((inputs, GRADIENTS), (targets, STRESSES)))
        shear, both = (_answer(neo_hookean(lam, 1.0), f).reshape(-1).numpy() for lam in (0.0, 1.0))
        columns = np.stack([both - shear, shear], -1)
        lam, mu = np.linalg.lstsq(columns, stress.reshape(-1).numpy(), rcond=None)[0].tolist()
        strain = float((self.looked(f)[1] - 3.0).mean())
        self.scales = self.fitted(lam + 2.0 / 3.0 * mu, mu, max(strain, 0.0) ** 0.5)

    def compared(self, inputs: Fields, given: Fields, targets: Fields) -> dict[str, list[tuple[Any, Any]]]:
        """Return P, all components at once, and the deviator of P Fᵀ, which no mean stress flatters."""
        f = self.read(inputs)
        pair = tuple(tensor_of(side, STRESSES) for side in (given, targets))
        shapes = (_shape(pair[0], f), _shape(pair[1], f))
        return {"stress relative MSE": [pair], "deviator relative MSE": [shapes]}


def neo_hookean(lam: float, mu: float) -> Potential:
    """Return the neo-Hookean body with Lamé's constants λ and μ [Pa]."""
    member: Any = registry.component("potential", "neo_hookean")
    young, poisson = mu * (3.0 * lam + 2.0 * mu) / (lam + mu), lam / (2.0 * (lam + mu))
    found: Potential = member.cls(member.params(young_modulus=young, poisson_ratio=poisson))
    return found


def _answer(potential: Potential, f: Array) -> Array:
    """Return P of a potential whose data are the same everywhere, at F (n, 3, 3)."""
    where: Any = View(None, {}, t=0.0, one=like(np.ones((1, 1)), f), dim=3, regions={})
    return potential.respond(where, f[:, None])[0][:, 0]


def tensor_of(fields: Fields, names: tuple[str, ...]) -> Array:
    """Return tensors (n, 3, 3) of components by name, row by row."""
    found = stack([fields[name] for name in names], -1)
    return found.reshape(*found.shape[:-1], 3, 3)


def _shape(stress: Array, f: Array) -> Array:
    """Return dev P Fᵀ."""
    kirchhoff = einsum("...iA,...kA->...ik", stress, f)
    mean = einsum("...ii->...", kirchhoff) / 3.0
    return kirchhoff - mean[..., None, None] * eye(3, f)
