"""Fields that are solved together: their components stand side by side in one array.

A block of fields has the components of the first field, then those of the second, and so on: arrays of
nodes are (n_local, M), values at points (C, Q, M), gradients (C, Q, M, d).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise

import numpy as np

from plexus.fields.arrays import namespace
from plexus.protocols import Array, FieldSpec


def columns(specs: Sequence[FieldSpec], dim: int) -> dict[str, slice]:
    """Return name -> components of each field within the block."""
    ends = accumulate((spec.components(dim) for spec in specs), initial=0)
    return {spec.name: slice(*ends) for spec, ends in zip(specs, pairwise(ends), strict=True)}


def stacked(names: Iterable[str], values: Mapping[str, Array]) -> Array:
    """Return the nodal arrays of a block as one, (n_local, M); that of a single field is itself."""
    arrays = [values[name] for name in names]
    return arrays[0] if len(arrays) == 1 else namespace(*arrays).concatenate(arrays, axis=1)


def scatter(array: np.ndarray, where: Mapping[str, slice], values: Mapping[str, np.ndarray]) -> None:
    """Write the components of a block's array (n_local, M) into the arrays of its fields."""
    for name, here in where.items():
        values[name][...] = array[:, here]


def part(array: Array, spec: FieldSpec, here: slice) -> Array:
    """Return what belongs to one field of a block's values or gradients at points, shaped as that field's."""
    return array[:, :, here.start] if spec.shape == "scalar" else array[:, :, here]
