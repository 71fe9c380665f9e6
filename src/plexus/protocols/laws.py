"""Constitutive laws of solids at small strain: stress and memory from a path of strain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from plexus.protocols.fields import Array, FieldSpec
from plexus.protocols.weak import Equation, Point


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


class Potential(Protocol):
    """An energy W(F) of a body at finite strain, with the data of one material or of one per region."""

    def energy(self, p: Point, f: Array) -> Array:
        """Return W [J/m³] per unloaded volume at F = I + ∇u (C, Q, 3, 3)."""

    def respond(self, p: Point, f: Array, slope: bool = False) -> tuple[Array, Array | None]:
        """Return P = ∂W/∂F (C, Q, 3, 3) [Pa], and ∂P/∂F (C, Q, 3, 3, 3, 3) where ``slope`` asks for it.

        Where det F <= 0 neither is a number.
        """


@runtime_checkable
class Inlined(Law, Protocol):
    """A law after von Mises, which compiled steps have in themselves (`plexus_kernels.native.galerkin`)."""

    def constants(self, p: Point) -> Sequence[Array]:
        """Return κ, μ, R₀, H, Q, b, K, 1/N, then C and D of each back strain, each (C|1, Q|1)."""


@runtime_checkable
class Unanswered(Protocol):
    """An equation whose material has no answer to some states: a step that meets one has failed."""

    def unanswered(self, p: Point) -> tuple[Array, Array, str]:
        """Return where there is no answer (C, Q), what was asked there (C, Q, 3, 3), and words before it."""


@runtime_checkable
class Reducible(Equation, Protocol):
    """An equation of equilibrium that a reduced model can ask its parts of."""

    law: Law

    def strain_of(self, p: Point) -> Array:
        """Return the strain that the law sees, (C, Q, 3, 3)."""

    def given_strain(self, p: Point) -> Array:
        """Return `strain_of` where the unknown is zero, (C, Q, 3, 3)."""

    def linear_strain(self, p: Point) -> Array:
        """Return the part of `strain_of` that the unknown causes, (C, Q, 3, 3)."""

    def heated(self, p: Point) -> Point:
        """Return the point as the law sees it, with the temperature among its fields."""

    def load(self, p: Point) -> Array | None:
        """Return f0 of the loads per volume, in which the law has no part; None without."""
