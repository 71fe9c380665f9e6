"""Integrals and values at places of fields that are tensors, as torch scalars that all ranks share.

Their gradient is right where every rank asks for that of the same number, weighted with one over the number
of ranks, and what comes out is added up (`plexus.spaces.shared.Total`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from plexus.devices.bridge import TorchBridge
from plexus.fields.arrays import like
from plexus.mesh.mesh import Mesh
from plexus.spaces.evaluate import WHOLE, Evaluator, Integrand, Measure, Part
from plexus.spaces.locate import Located
from plexus.spaces.points import CellSet, PointBatch, Room, Values
from plexus.spaces.rule import Rule
from plexus.spaces.shared import Total

Tensor = torch.Tensor
Fields = Mapping[str, tuple[Room, Tensor]]


class TensorEvaluator(Evaluator):
    """`plexus.spaces.evaluate.Evaluator` of fields that are tensors (n_local, m), ghosts filled."""

    def __init__(self, mesh: Mesh):
        super().__init__(mesh)
        self.bridge = TorchBridge()

    def integrate(
        self,
        f: Integrand,
        t: float,
        fields: Fields,  # type: ignore[override]  # tensors
        part: Part = WHOLE,
        degree: int = 4,
        measure: Measure | None = None,
    ) -> Any:
        """Return ∫ f over a part, a tensor. Collective."""
        total = _nothing(fields)
        for p in self.batches(part, degree, t, fields):  # type: ignore[arg-type]  # tensors
            factor = None if measure is None else measure(p.x)
            w = p.jxw if factor is None else p.jxw * factor
            value = like(f(p), w)
            value = value.expand(*w.shape, *value.shape[2:])
            total = total + torch.tensordot(w, value, 2)
        return Total.apply(total, self.mesh.comm)

    def value(self, f: Integrand, t: float, fields: Fields, at: np.ndarray) -> Tensor:
        """Return f at a position (d,), from the cell that holds it. Collective.

        Raises
        ------
        InputError
            If the position lies outside the mesh.
        """
        found, total = Located(self.mesh, at[None]), _nothing(fields)
        if len(found.cells):
            cells = CellSet(self.mesh, self.bridge, found.cells)
            rule = Rule(self.mesh, found.local, np.ones(1))
            p = PointBatch(cells, slice(0, 1), rule, t, Values.present(fields))
            total = total + like(f(p), p.jxw).reshape(())
        return Total.apply(total, self.mesh.comm)


def _nothing(fields: Fields) -> Tensor:
    """Return zero that depends on all fields: ranks without a cell of the part go back through them, too."""
    return torch.stack([0.0 * array.sum() for _, array in fields.values()]).sum()
