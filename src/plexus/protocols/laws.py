"""Constitutive laws of solids at small strain: stress and memory from a path of strain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from plexus.protocols.fields import Array, FieldSpec
from plexus.protocols.weak import Point


@dataclass(frozen=True, eq=False)
class Response:
    """What a law answers at points, by rows of 3 x 3 tensors.

    ``stress`` (C, Q, 3, 3) [Pa]; ``tangent`` ∂σ/∂ε (C, Q, 3, 3, 3, 3) [Pa], of the step as it was taken,
    where it was asked for; ``memory``, the internal variables at the end of the step, (C, Q) or (C, Q, 9).
    """

    stress: Array
    tangent: Array | None = None
    memory: Mapping[str, Array] = field(default_factory=dict)


class Law(Protocol):
    """A law σ = σ(ε, memory, Δt) at one point, with the data of one material or of one per region."""

    internal: Sequence[FieldSpec]
    """What it remembers, see `Equation.internal`."""
    linear: bool
    """Whether the stress is affine in the strain; then there is no memory."""
    symmetric: bool
    """Whether ∂σ/∂ε has the symmetry H_ijkl = H_klij at any state."""
    isochoric: bool
    """Whether memory and shear leave the mean stress alone: tr σ/3 = κ tr ε."""

    def bulk(self, p: Point) -> Array:
        """Return the modulus κ of the elastic change of volume, (C|1, Q|1) [Pa]."""

    def respond(self, p: Point, strain: Array, tangent: bool = False, memory: bool = False) -> Response:
        """Return the stress that ``strain`` (C, Q, 3, 3), total minus thermal, causes at the end of the step.

        Memory at its start and its length are `Point.before` and `Point.dt`; with a length of 0 nothing
        flows. Points without an answer get numbers that are not finite.
        """
