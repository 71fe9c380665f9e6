"""Integrals and values of fields as tensors: what quantities are made of when they are differentiated.

Every number here is the same on all ranks, and its gradient that of the sum of the ranks' parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.coupling.nodal import NodalFields
from plexus.devices.bridge import TorchBridge
from plexus.errors import InputError
from plexus.spaces.evaluate import WHOLE, Evaluator
from plexus.spaces.points import CellSet, PointBatch, Values
from plexus.spaces.rule import Rule
from plexus.spaces.shared import Total

if TYPE_CHECKING:
    from plexus.coupling.traced import Traced
    from plexus.deck.params import Expression
    from plexus.protocols import Integrand
    from plexus.spaces.evaluate import Measure, Part

Tensor = torch.Tensor


class TracedFields(NodalFields):
    """The fields of a state of tensors; what is recovered at nodes has no gradient."""

    def __init__(self, traced: Traced, constants: dict[str, float]):
        super().__init__(traced.system, constants)
        self.traced, self.evaluator = traced, TensorEvaluator(self.space.mesh)

    @property
    def arrays(self) -> dict[str, Any]:
        """Space and tensor of every control and unknown."""
        controls = self.system.controls.members
        found = {name: (controls[name], a) for name, a in self.traced.rows.items()}
        return found | {name: (self.system.spaces[name], a) for name, a in self.state.values.items()}

    def integrate(self, f: Integrand, part: Part, degree: int | None = None, bare: bool = False) -> Any:
        """Return ∫ f over a part, a tensor. Collective."""
        degree = 2 * self.degree + 2 if degree is None else degree
        measure = None if bare else self._measure
        return self.evaluator.integrate(f, self.state.t, self.arrays, part, degree, measure)

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Refuse: the place of an extremum jumps.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError("an extremum is not differentiable: take an integral of a high power, or a norm")

    def value(self, expression: Expression, at: Sequence[float]) -> Any:
        """Return an expression at one place, a tensor. Collective."""
        return self.at_places(self.integrand(expression), np.array([at]))[0]

    def at_places(self, f: Integrand, xs: np.ndarray) -> Tensor:
        """Return f at positions (k, d), (k,). Collective."""
        located, mesh = self._located(xs), self.space.mesh
        total = torch.zeros(len(xs), dtype=torch.float64)
        for which, cell, local in zip(located.which, located.cells, located.local, strict=True):
            rule = Rule(mesh, local[None], np.ones(1))
            cells = CellSet(mesh, self.evaluator.bridge, np.array([cell]))
            p = PointBatch(cells, slice(0, 1), rule, self.state.t, Values.present(self.arrays))
            here = torch.as_tensor(f(p), dtype=torch.float64).reshape(())
            total = total.index_add(0, torch.tensor([which]), here[None])
        found: Tensor = Total.apply(total, mesh.comm)
        return found


class TensorEvaluator(Evaluator):
    """Integrals as tensors."""

    def __init__(self, mesh: Any):
        super().__init__(mesh)
        self.bridge = TorchBridge()

    def integrate(
        self,
        f: Integrand,
        t: float,
        fields: Any,
        part: Part = WHOLE,
        degree: int = 4,
        measure: Measure | None = None,
    ) -> Tensor:
        """Return ∫ f dx (or ds) of a scalar f over a part. Collective."""
        total = torch.zeros((), dtype=torch.float64)
        for p in self.batches(part, degree, t, fields):
            factor = None if measure is None else measure(p.x)
            weight = p.jxw if factor is None else p.jxw * factor
            total = total + (weight * f(p)).sum()
        found: Tensor = Total.apply(total, self.mesh.comm)
        return found
