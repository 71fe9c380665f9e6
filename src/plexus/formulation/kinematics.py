"""Small strain in a solid, in a plane section or in the meridian section of a body of revolution.

The in-plane strain is sym ∇u. A section has one strain more, normal to it: zero or prescribed in plane
strain, u_r/r in an axisymmetric section (x is the radius, y the axis); plane stress removes it from
Hooke's law instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from pydantic import AfterValidator, ValidationInfo

from plexus.deck.context import known
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.fields.arrays import einsum, like, stack, where
from plexus.protocols import Array, Point, Sample

Geometry = Literal["solid", "plane_strain", "plane_stress", "axisymmetric", "bar"]


def strain(sample: Sample) -> Array:
    """Return sym ∇u, (C, Q, d, d)."""
    grad = sample.grad
    d = grad.shape[-1]
    # rows of d² numbers times a matrix: loops over a short last axis are slow
    rows = grad.reshape(*grad.shape[:-2], d * d) @ like(_symmetric_part(d), grad)
    return rows.reshape(grad.shape)


@cache
def _symmetric_part(d: int) -> np.ndarray:
    """Return the matrix (d², d²) that takes tensors by rows to their symmetric parts."""
    unit = np.eye(d * d).reshape(d, d, d, d)
    return np.asarray(0.5 * (unit + unit.transpose(1, 0, 2, 3)).reshape(d * d, d * d))


def radial_ratio(p: Point, sample: Sample) -> Array:
    """Return u_r/r, (C, Q), with its limit ∂u_r/∂r on the axis."""
    r = p.x[..., 0]
    # quadrature points are never on the axis, nodes may be, up to rounding: u_r ~ r ∂u_r/∂r there
    on_axis = r <= p.small
    return where(on_axis, sample.grad[..., 0, 0], sample.value[..., 0] / where(on_axis, 1.0, r))


def trace(tensor: Array) -> Array:
    """Return the trace over the last two axes."""
    return einsum("...ii->...", tensor)


def full(tensor: Array, normals: Sequence[Array | None]) -> Array:
    """Return the 3 x 3 tensor (C, Q, 9), by rows, of a section's (C, Q, d, d) and what is normal to it.

    ``normals`` are the 3 - d entries behind the section's on the diagonal, None for zero; the shear between
    the section and its normal is zero.
    """
    d = tensor.shape[-1]
    if d == 3:
        return tensor.reshape(*tensor.shape[:-2], 9)
    zero = 0.0 * tensor[..., 0, 0]
    entries = [[tensor[..., i, j] if max(i, j) < d else zero for j in range(3)] for i in range(3)]
    for i, value in enumerate(normals, start=d):
        entries[i][i] = zero if value is None else value + zero
    return stack([entry for row in entries for entry in row], -1)


def misfit(geometry: str, dim: int) -> str | None:
    """Return what is wrong when a geometry needs a mesh of another dimension, else None."""
    wanted = {"solid": 3, "bar": 1}.get(geometry, 2)
    if dim != wanted and geometry != "cartesian":
        return f"{geometry} needs a {wanted}-D mesh; for a {dim}-D mesh use {_FITTING[dim]}"
    return None


_FITTING = {
    1: "bar (for a solid) or cartesian (for a flow)",
    2: "plane_strain, plane_stress or axisymmetric",
    3: "solid",
}
"""Dimension of a mesh -> geometries that fit it."""


def check_dimension(geometry: str, dim: int) -> None:
    """Raise InputError when the mesh's dimension does not fit the geometry."""
    if problem := misfit(geometry, dim):
        raise InputError(f"physics.geometry: {problem}")


def _fits(value: str, info: ValidationInfo) -> str:
    dim = known(info).dim
    if dim is not None and (problem := misfit(value, dim)):
        raise refuse(problem)
    return value


FitsMesh = AfterValidator(_fits)
"""Annotation of a geometry: refused as soon as the mesh's dimension is known not to fit."""


@dataclass(frozen=True)
class Section:
    """What a mesh stands for: a body, a plane section or bar with a thickness [m], a meridian section."""

    geometry: Geometry | Literal["cartesian"] = "cartesian"
    thickness: float = 1.0

    def measure(self, x: Array) -> Array | None:
        """Return the factor on dx and ds: 2πr, the thickness, or None for 1."""
        if self.geometry == "axisymmetric":
            return 2.0 * math.pi * x[..., 0]
        # a solid has no thickness; 0 x_0 gives the constant the shape of the points
        return (
            self.thickness + 0.0 * x[..., 0] if self.thickness != 1.0 and self.geometry != "solid" else None
        )
