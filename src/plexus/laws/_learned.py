"""What learned laws share: components of strain and stress as ports, the linear law that they must beat.

A law answers on NumPy arrays, so that a run loads no torch; its training asks for the same weights as a
torch module (`LearnedLaw.network`). The rival and usual fallback is Hooke's law with the moduli that fit
the training data best in the sense of least squares, stored in the bundle beside the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from plexus import registry
from plexus.bundles import plain
from plexus.bundles.golden import replay
from plexus.deck.params import Component, Field, Params
from plexus.deck.values import refuse
from plexus.errors import InputError, at_path
from plexus.fields.arrays import namespace, stack, where
from plexus.formulation.hooke import elastic_tensor
from plexus.formulation.material import Material
from plexus.laws._invariants import Scalars, answer, shape_of
from plexus.learned import part, points
from plexus.learned.part import Fields
from plexus.learned.ports import Properties
from plexus.protocols import Array, Law, Point, Port, Response, Setting

if TYPE_CHECKING:
    import torch

PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
STRAINS = tuple(f"e{i + 1}{j + 1}" for i, j in PAIRS)
STRESSES = tuple(f"s{i + 1}{j + 1}" for i, j in PAIRS)
FEATURES = {"volume": "1", "shape": "1"}
"""tr ε and |dev ε|, by which the range of a training is told."""


class GuardParams(points.WatchParams):
    """What happens where a solution leaves the range that a law was trained for."""

    fallback: Annotated[Params | None, Component("law")] = Field(
        None, description="classical law without memory; none: Hooke's law that fits the training data best"
    )


class LearnedLawParams(part.LearnedParams, Material):
    """Parameters of learned laws; density and expansion are those of the material."""

    precision: Literal["fp64"] = Field("fp64", description="precision of the network")
    guard: GuardParams = Field(  # type: ignore[assignment]  # laws are watched by solutions, not by cells
        GuardParams(), description="what happens outside of the range of the training"
    )

    @model_validator(mode="after")
    def _elastic(self) -> LearnedLawParams:
        for name in ("young_modulus", "poisson_ratio"):
            if getattr(self, name) is not None:
                raise refuse(f"`{name}` is none of a learned law: its bundle holds all that is elastic")
        chosen = self.guard.fallback
        if chosen is not None and registry.build("law", chosen).internal:
            raise refuse(f"guard.fallback: {chosen.type} remembers, and cannot take over within a run")
        return self


class LearnedLaw(part.Part):
    """Base of learned laws; a member gives `started`, `scalars_of`, `chosen`."""

    kind = "law"
    training_units = "SI"
    scale_units: ClassVar = {"bulk": "Pa", "shear": "Pa", "strain": "1"}
    internal = ()
    linear = False
    symmetric = True
    isochoric = False
    guard: Any

    def __init__(self, params: Any):
        super().__init__(params)
        self.weights: dict[str, np.ndarray] = self.started()
        self._module: Any = None

    # what a member says

    def started(self) -> dict[str, np.ndarray]:
        """Return fresh weights for `hyper`."""
        raise NotImplementedError

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
        if self.guard is not None and self.guard.using_fallback:
            return self._classical(p, strain, tangent)
        flat = self._isotropic(strain.reshape(-1, 3, 3), self.weights, tangent)
        slope = None if flat.tangent is None else flat.tangent.reshape(*strain.shape[:2], 3, 3, 3, 3)
        return Response(flat.stress.reshape(strain.shape), slope)

    def judge(self, strain: Array) -> None:
        """Count the points of a solution, strains (C, Q, 3, 3), that are outside of the training's range."""
        if not self.guard.using_fallback:
            seen = _features(strain.reshape(-1, 3, 3))
            self.guard.note(seen if isinstance(seen, np.ndarray) else seen.detach().cpu().numpy())

    def _isotropic(self, strain: Array, weights: Mapping[str, Array], tangent: bool = False) -> Response:
        return answer(shape_of(strain), self.scalars_of(strain, weights, tangent))

    def _classical(self, p: Point, strain: Array, tangent: bool) -> Response:
        chosen = self.params.guard.fallback
        if chosen is not None:
            return self._stand_in.respond(p, strain, tangent)
        shape, one = shape_of(strain), p.one
        flat = answer(shape, self._hooke(shape.theta))
        lam = self.scales["bulk"] - 2.0 / 3.0 * self.scales["shear"]
        slope = elastic_tensor(lam * one, self.scales["shear"] * one, 3) if tangent else None
        return Response(flat.stress, slope)

    @cached_property
    def _stand_in(self) -> Law:
        """The fallback that the deck names."""
        law: Law = registry.build("law", self.params.guard.fallback)
        return law

    def _hooke(self, theta: Array) -> Scalars:
        """Return A and B of the linear law that fits the training data best."""
        return Scalars(self.scales["bulk"] * theta, 2.0 * self.scales["shear"] + 0.0 * theta)

    # the part

    @property
    def network(self) -> Any:
        """The weights as a torch module, made when a training first asks for it."""
        if self._module is None:
            import torch

            held = {name: torch.nn.Parameter(torch.from_numpy(a.copy())) for name, a in self.weights.items()}
            self._module = torch.nn.ParameterDict(held)
        return self._module

    @network.setter
    def network(self, module: Any) -> None:
        """Take a module; `Part` begins without one."""
        self._module = module

    @property
    def properties(self) -> Properties:
        """Return six components of strain in, six of stress out."""
        strains, stresses = (
            tuple(Port(name, unit) for name in names) for names, unit in ((STRAINS, "1"), (STRESSES, "Pa"))
        )
        why = "stress derives from a potential: no closed path of strain gives energy"
        return Properties("law", "pointwise", strains, stresses, ("rotation", "reflection"), why)

    def feature_units(self) -> dict[str, str]:
        """Return tr ε and |dev ε|."""
        return dict(FEATURES)

    def features(self, fields: Fields) -> torch.Tensor:
        """Return tr ε and |dev ε|, (2, n)."""
        found: torch.Tensor = _features(tensor_of(fields, STRAINS))
        return found

    def range_of(self, fields: Fields, widen: float = 0.0) -> dict[str, Any]:
        """Return the range of the training data, with rest in it."""
        box = super().range_of(fields, widen)
        for entry in box.values():
            entry["low"], entry["high"] = min(entry["low"], 0.0), max(entry["high"], 0.0)
        box["shape"]["low"] = 0.0
        return box

    def use_range(self, box: Mapping[str, Any]) -> None:
        """Watch with a range that `range_of` returned."""
        self.box = box
        self.guard.use_box(*([box[n][end] for n in FEATURES] for end in ("low", "high")))

    def default_fallback(self) -> str:
        """Return the name of the linear law."""
        return "elastic"

    def calibrate(self, inputs: Fields, targets: Fields) -> None:
        """Fit Hooke's law by least squares, κ = Σ pθ/Σ θ², 2μ = Σ s:d/Σ d:d, and take the size of strains."""
        strain, stress = (
            shape_of(tensor_of(f, n).double()) for f, n in ((inputs, STRAINS), (targets, STRESSES))
        )
        size = float(strain.square.mean())
        volume = float(strain.theta.square().sum())
        bulk = float((stress.theta * strain.theta).sum()) / 3.0 / volume if volume > 0.0 else 0.0
        shear = float((stress.dev * strain.dev).sum() / strain.square.sum()) / 2.0 if size > 0.0 else 0.0
        if not (bulk > 0.0 and shear > 0.0 and np.isfinite(bulk + shear)):
            raise InputError(
                "train.data: no elastic law fits them: both volume and shape must be strained, and work taken"
            )
        self.scales = {"bulk": bulk, "shear": shear, "strain": size**0.5}

    def answer(self, fields: Fields) -> tuple[dict[str, Any], Any]:
        """Return the components of the stress, and what the range is about."""
        strain = tensor_of(fields, STRAINS)
        known = self.weights if namespace(strain) is np else dict(self.network.items())
        stress = self._isotropic(strain, known).stress
        return components(stress), _features(strain)

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return the answers of a validation, the linear law's where points are outside of the range."""
        out, features = self.answer(fields)
        outside = features.new_tensor(~(self.guard.away(features.detach().numpy()) <= 0.0)).bool()
        self.guard.replaced = outside
        classical = self.rivals()["elastic"].evaluate(fields)
        return {name: where(outside, classical[name], value) for name, value in out.items()}

    def answers(self, inputs: Fields) -> dict[str, Any]:
        """Return the answer to a golden pair's inputs."""
        found, _ = self.answer(inputs)
        return {name: v.detach() if hasattr(v, "detach") else v for name, v in found.items()}

    def rivals(self) -> dict[str, Any]:
        """Return Hooke's law that fits the training data best."""
        return {"elastic": _Linear(self._hooke)}

    def compared(self, inputs: Fields, given: Fields, targets: Fields) -> dict[str, list[tuple[Any, Any]]]:
        """Return the stress, all components at once, and its deviator, which no mean stress flatters."""
        pair = tuple(tensor_of(side, STRESSES) for side in (given, targets))
        shapes = (shape_of(pair[0]).dev, shape_of(pair[1]).dev)
        return {"stress relative MSE": [pair], "deviator relative MSE": [shapes]}

    def misfit(self, setting: Setting) -> str | None:
        """Return None: a law is asked for strains only."""
        return None

    def prepare(self, setting: Setting) -> None:
        """Load the weights where the deck names a bundle, and set up the guard. Collective.

        Raises
        ------
        InputError
            If the bundle is unsound or belongs to another part.
        """
        self.setting = setting
        pair = None
        if self.params.checkpoint is not None and not self.metadata:
            found = plain.load(self.params.checkpoint, self.params.sha256, setting.comm)
            with at_path(str(self.params.checkpoint)):
                self.take(found.metadata)
                self._adopt(found.weights)
            pair = found.golden
        self.guard = points.Watch(self.params.guard, setting.comm, type(self).__name__)
        if self.box:
            self.use_range(self.box)
        if pair is not None:
            with at_path(str(self.params.checkpoint)):
                replay(self.name, pair, self.answers, setting.comm)

    def _adopt(self, found: Mapping[str, np.ndarray]) -> None:
        """Take weights over, which must be as those of a fresh network."""
        wanted = self.started()
        for name, model in wanted.items():
            if name not in found or found[name].shape != model.shape or found[name].dtype != model.dtype:
                have = f"{found[name].dtype} {found[name].shape}" if name in found else "none"
                raise InputError(
                    f"weights: {name} must be {model.dtype} {model.shape}, the bundle has {have}"
                )
        self.weights = {name: found[name] for name in wanted}


class _Linear:
    """Hooke's law by ports."""

    def __init__(self, hooke: Any):
        self.hooke = hooke

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return the components of the stress."""
        shape = shape_of(tensor_of(fields, STRAINS))
        return components(answer(shape, self.hooke(shape.theta)).stress)


def tensor_of(fields: Fields, names: tuple[str, ...]) -> Array:
    """Return symmetric tensors (n, 3, 3) of components by name."""
    a = {pair: fields[name] for pair, name in zip(PAIRS, names, strict=True)}
    rows = [stack([a[min(i, j), max(i, j)] for j in range(3)], -1) for i in range(3)]
    return stack(rows, -2)


def components(stress: Array) -> dict[str, Array]:
    """Return stresses (n, 3, 3) by components."""
    return {name: stress[..., i, j] for (i, j), name in zip(PAIRS, STRESSES, strict=True)}


def _features(strain: Array) -> Array:
    """Return tr ε and |dev ε| of strains (n, 3, 3), (2, n)."""
    shape = shape_of(strain)
    return stack([shape.theta, shape.square**0.5], 0)
