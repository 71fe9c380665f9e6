"""What learned materials share, laws and potentials: weights as arrays, range, guard, rival.

A learned material answers on NumPy arrays, so that a run loads no torch; its training asks for the same
weights as a torch module (`LearnedMaterial.network`). It takes tensors by components, the ports of a
training, and answers with tensors. The rival, and usual fallback, is a classical material whose moduli fit
the training data best in the sense of least squares; they stand in the bundle beside the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from plexus.bundles import plain
from plexus.bundles.golden import replay
from plexus.deck.params import Field
from plexus.deck.values import refuse
from plexus.errors import InputError, at_path
from plexus.fields.arrays import namespace, where
from plexus.formulation.material import Material
from plexus.learned import part, points
from plexus.learned.part import Fields
from plexus.protocols import Array, Setting

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Scales:
    """Bulk and shear modulus κ, μ [Pa] and size e₀ of the strain that a network is made for."""

    bulk: float
    shear: float
    strain: float


class LearnedMaterialParams(part.LearnedParams, Material):
    """Parameters of learned materials; density and expansion are those of the material."""

    precision: Literal["fp64"] = Field("fp64", description="precision of the network")
    guard: points.WatchParams = Field(  # type: ignore[assignment]  # materials are watched by solutions
        points.WatchParams(), description="what happens outside of the range of the training"
    )

    @model_validator(mode="after")
    def _elastic(self) -> LearnedMaterialParams:
        for name in ("young_modulus", "poisson_ratio"):
            if getattr(self, name) is not None:
                raise refuse(f"`{name}` is none of a learned material: its bundle holds all that is elastic")
        if self.guard.fallback is not None and self.guard.fallback.learned:
            raise refuse(f"guard.fallback: {self.guard.fallback.type} is learned itself")
        return self


class LearnedMaterial(part.Part):
    """Base of learned laws and potentials; a kind gives the first section, a member `started`."""

    training_units = "SI"
    scale_units: ClassVar = {"bulk": "Pa", "shear": "Pa", "strain": "1"}
    units_of_features: ClassVar[Mapping[str, str]]
    """Feature, by which the range of a training is told -> its unit."""
    rest: ClassVar[Mapping[str, float]]
    """Feature -> its value at rest."""
    least: ClassVar[tuple[str, ...]]
    """Features that are nowhere below their values at rest."""
    guard: Any

    def __init__(self, params: Any):
        super().__init__(params)
        self.weights: dict[str, np.ndarray] = self.started()
        self._module: Any = None

    # what a kind or a member says

    def started(self) -> dict[str, np.ndarray]:
        """Return fresh weights for `hyper`."""
        raise NotImplementedError

    def read(self, fields: Fields) -> Array:
        """Return the tensors that the material is asked for, (n, 3, 3), of their components."""
        raise NotImplementedError

    def told(self, stress: Array) -> dict[str, Array]:
        """Return stresses (n, 3, 3) by components."""
        raise NotImplementedError

    def stress_of(self, asked: Array, weights: Mapping[str, Array]) -> Array:
        """Return the stress [Pa] that weights answer to tensors (n, 3, 3)."""
        raise NotImplementedError

    def looked(self, asked: Array) -> Array:
        """Return the features (k, n) of tensors (n, 3, 3)."""
        raise NotImplementedError

    def classical(self, asked: Array) -> Array:
        """Return the stress [Pa] of the rival."""
        raise NotImplementedError

    # the guard

    def judge(self, asked: Array) -> None:
        """Count the points of a solution, tensors (C, Q, 3, 3), that are outside of the training's range."""
        if not self.guard.using_fallback:
            seen = self.looked(asked.reshape(-1, 3, 3))
            self.guard.note(seen if isinstance(seen, np.ndarray) else seen.detach().cpu().numpy())

    @property
    def sizes(self) -> Scales:
        """The normalisation constants."""
        return Scales(**self.scales)

    @property
    def replaced(self) -> bool:
        """Whether the fallback answers from now on."""
        return self.guard is not None and self.guard.using_fallback

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

    def feature_units(self) -> dict[str, str]:
        """Return the features and their units."""
        return dict(self.units_of_features)

    def features(self, fields: Fields) -> torch.Tensor:
        """Return the features (k, n)."""
        found: torch.Tensor = self.looked(self.read(fields))
        return found

    def range_of(self, fields: Fields, widen: float = 0.0) -> dict[str, Any]:
        """Return the range of the training data, with rest in it."""
        box = super().range_of(fields, widen)
        for name, rest in self.rest.items():
            entry = box[name]
            entry["low"], entry["high"] = min(entry["low"], rest), max(entry["high"], rest)
            entry["low"] = rest if name in self.least else entry["low"]
        return box

    def use_range(self, box: Mapping[str, Any]) -> None:
        """Watch with a range that `range_of` returned."""
        self.box = box
        self.guard.use_box(*([box[n][end] for n in self.units_of_features] for end in ("low", "high")))

    def answer(self, fields: Fields) -> tuple[dict[str, Any], Any]:
        """Return the components of the stress, and what the range is about."""
        asked = self.read(fields)
        known = self.weights if namespace(asked) is np else dict(self.network.items())
        return self.told(self.stress_of(asked, known)), self.looked(asked)

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return the answers of a validation, the rival's where points are outside of the range."""
        out, features = self.answer(fields)
        outside = features.new_tensor(~(self.guard.away(features.detach().numpy()) <= 0.0)).bool()
        self.guard.replaced = outside
        classical = self.told(self.classical(self.read(fields)))
        return {name: where(outside, classical[name], value) for name, value in out.items()}

    def answers(self, inputs: Fields) -> dict[str, Any]:
        """Return the answer to a golden pair's inputs."""
        found, _ = self.answer(inputs)
        return {name: v.detach() if hasattr(v, "detach") else v for name, v in found.items()}

    def rivals(self) -> dict[str, Any]:
        """Return the classical material that fits the training data best."""

        def evaluate(fields: Fields) -> dict[str, Any]:
            return self.told(self.classical(self.read(fields)))

        return {self.default_fallback(): SimpleNamespace(evaluate=evaluate)}

    def misfit(self, setting: Setting) -> str | None:
        """Return None: a material is asked for tensors at points only."""
        return None

    def fitted(self, bulk: float, shear: float, strain: float) -> dict[str, float]:
        """Return the scales that least squares have found.

        Raises
        ------
        InputError
            If they are not those of an elastic material.
        """
        if not (bulk > 0.0 and shear > 0.0 and strain > 0.0 and np.isfinite(bulk + shear)):
            raise InputError(
                f"train.data: no {self.default_fallback()} material fits them: both volume and shape must be "
                "strained, and work taken"
            )
        return {"bulk": bulk, "shear": shear, "strain": strain}

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
