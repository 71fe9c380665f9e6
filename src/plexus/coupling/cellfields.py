"""Fields of a state on the cells of a grid: on the device for quantities, as rows of cells for outputs.

Every value stands for its cell: integrals are sums of means times volumes, exact for the unknowns themselves
and of second order for other functions. Of an ensemble there are

    <name>_mean = (1/N) Σ_k u_k,   <name>_spread = ( Σ_k (u_k - mean)² / (N - 1) )^(1/2)

in every cell, and no single member.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.coupling.devicefields import DeviceFields, over_members
from plexus.coupling.named import Evaluated
from plexus.devices.tensors import rows_of
from plexus.errors import InputError
from plexus.protocols import Integrand, Location
from plexus.protocols.fields import of_ensemble, of_members
from plexus.spaces.cells import CellPlaces
from plexus.spaces.controls import Sampled

if TYPE_CHECKING:
    from plexus.coupling.volumes import VolumeSystem
    from plexus.spaces.evaluate import Part


class CellFields(DeviceFields):
    """Evaluates names and functions of points on the cells of a grid."""

    def __init__(self, system: VolumeSystem, constants: Mapping[str, float], given: Sampled | None = None):
        self.system, controls = system, system.controls
        specs, law = system.scheme.specs, system.scheme.holds
        self.amounts = {s.name: u for u, s in law.amounts.items()} if law else {}
        held = list(law.amounts.values()) if law else []
        unknowns, amounts = ({spec.name: spec for spec in some} for some in (specs, held))
        both = of_ensemble(specs) if system.ensemble else {}
        shown, others = (both, unknowns | of_ensemble(held)) if both else (unknowns, amounts)
        super().__init__(
            system.cells, shown, others, constants, system.device, system.scheme.dim,
            given or Sampled(controls), controls.specs,
        )  # fmt: skip

    def window(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values of a control in the own cells, (1, n)."""
        return self.system.scheme.places.own(values).reshape(1, -1)

    def _computed(self, name: str) -> torch.Tensor:
        """Return a field (m, *cells)."""
        if not self.system.ensemble:
            return self._members(name)[0]
        base, _, end = name.rpartition("_")
        if name in self.state.values:
            raise InputError(of_members(name))
        return over_members(self._members(base), f"_{end}")

    def _members(self, name: str) -> torch.Tensor:
        """Return an unknown or amount of all members, (N, m, *cells)."""
        values: Mapping[str, torch.Tensor] = self.state.values
        return values[self.amounts[name]] if name in self.amounts else self.system.seen(values)[name]

    def evaluate(self, name: str, internal: Location = "node") -> Evaluated:
        """Return specification, ``cell`` and values (n, k) of a field or expression. Collective."""
        spec, _, array = super().evaluate(name, internal)
        return spec, "cell", array

    def integrate(self, f: Integrand, part: Part, degree: int | None = None, bare: bool = False) -> float:
        """Return ∫ f over the box or a region. Collective."""
        values = self.values(f) * self._mask(part)
        return self.total(values.sum()) * (self.space.mesh.volume / self.space.mesh.n_global_cells)

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Return the largest or smallest value of the cells of a part. Collective.

        Raises
        ------
        InputError
            If the part has no cell.
        """
        mask, worst = self._mask(part), float("-inf" if largest else "inf")
        if not self.space.comm.allreduce(int(mask.sum())):
            raise InputError(f"region {part.region}: no cell lies in it")
        # cells outside cannot win
        return super().extremum(lambda p: self._inside(f(p), mask, worst), part, largest)

    def _inside(self, value: object, mask: torch.Tensor, worst: float) -> torch.Tensor:
        """Return values with ``worst`` in cells outside a part."""
        found = torch.as_tensor(value, dtype=self._x.dtype, device=self._x.device)
        return found.broadcast_to(mask.shape).masked_fill(~mask, worst)

    def _mask(self, part: Part) -> torch.Tensor:
        """Return which own cells belong to a part, (1, n)."""
        if part.boundary is not None:
            text = "cells of a grid have no values on sides; integrate over regions"
            raise InputError(f"{part.boundary}: {text}")
        every = torch.ones(self._x.shape[:2], dtype=torch.bool, device=self._x.device)
        if part.region is None:
            return every
        at = dict(zip("xyz", self._x.unbind(-1), strict=False))
        return every & (torch.as_tensor(self.space.mesh.regions[part.region](at)) != 0)

    def _named(self, name: str) -> np.ndarray:
        return rows_of(self.tensor(name), self.space.n_owned)

    def _located(self, xs: np.ndarray) -> CellPlaces:
        return CellPlaces(self.space.mesh, xs)
