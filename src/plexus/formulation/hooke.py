"""Hooke's law for an isotropic body or one of its sections, and scalars made of the stress.

    σ = λ (tr e + n) I + 2μ e,    σ_n = λ (tr e + n) + 2μ n

e is the elastic strain (total minus thermal) in the section, n the one normal to it. Plane stress has
no n: it uses λ* = 2λμ/(λ + 2μ) = Eν/(1 - ν²), for which σ_n = 0. A bar is free on all sides: σ = E e,
which is λ = 0 and μ = E/2 on a line.
"""

from __future__ import annotations

from dataclasses import dataclass

from plexus.deck.params import Expression
from plexus.deck.property import PointNames
from plexus.fields.arrays import einsum, eye, maximum, namespace
from plexus.formulation.kinematics import Geometry, radial_ratio, strain, trace
from plexus.formulation.material import Material, thermal_strain
from plexus.protocols import Array, Point, Sample


@dataclass(frozen=True)
class State:
    """Elastic strain and stress: (C, Q, d, d), and their normal parts (C, Q) or None where zero."""

    strain: Array
    normal_strain: Array | None
    stress: Array
    normal_stress: Array | None

    def von_mises(self) -> Array:
        """Return sqrt(3/2 s:s) with s the stress deviator."""
        normal = 0.0 if self.normal_stress is None else self.normal_stress
        # s:s = σ:σ - 3 σ_m², with σ_m the mean of the three normal stresses
        mean = (trace(self.stress) + normal) / 3.0
        square = einsum("...ij,...ij->...", self.stress, self.stress) + normal**2 - 3.0 * mean**2
        # s:s is not negative, rounding may say otherwise for a hydrostatic stress
        return (1.5 * square.clip(0.0)) ** 0.5

    def max_principal(self) -> Array:
        """Return the largest principal stress."""
        # eigenvalues come in ascending order
        xp = namespace(self.stress)
        largest = xp.linalg.eigvalsh(self.stress)[..., -1]
        if self.stress.shape[-1] == 3:
            return largest
        # the stress normal to a section is principal too; it is 0 in plane stress and in a bar
        return maximum(largest, 0.0 if self.normal_stress is None else self.normal_stress)

    def energy_density(self) -> Array:
        """Return σ:e/2, the normal part included."""
        # the elastic part of the strain only: expansion stores no energy
        work = einsum("...ij,...ij->...", self.stress, self.strain)
        if self.normal_stress is not None:
            work = work + self.normal_stress * self.normal_strain
        return 0.5 * work


@dataclass(frozen=True)
class Hooke:
    """The isotropic law of one material in one geometry; ``normal_strain`` only acts in plane strain."""

    material: Material
    geometry: Geometry
    normal_strain: Expression

    def lame(self, p: Point) -> tuple[Array, Array]:
        """Return λ (λ* in plane stress, 0 in a bar) and μ, each (C|1, Q|1)."""
        if self.geometry == "bar":
            half = self.material.young_modulus(p) / 2.0  # type: ignore[misc]
            return 0.0 * half, half
        e, nu = self.material.young_modulus(p), self.material.poisson_ratio(p)  # type: ignore[misc]
        # μ = E/(2(1+ν)), λ = Eν/((1+ν)(1-2ν))
        mu = e / (2.0 * (1.0 + nu))
        if self.geometry == "plane_stress":
            return e * nu / (1.0 - nu**2), mu
        return e * nu / ((1.0 + nu) * (1.0 - 2.0 * nu)), mu

    def state(self, p: Point, u: Sample) -> State:
        """Return strain and stress that the displacement ``u`` causes at the points."""
        lam, mu = self.lame(p)
        e, n = self._elastic_strain(p, u)
        # σ = λ (tr e + n) I + 2μ e
        tr = trace(e) if n is None else trace(e) + n
        stress = (lam * tr)[..., None, None] * eye(p.dim, e) + (2.0 * mu)[..., None, None] * e
        return State(e, n, stress, None if n is None else lam * tr + 2.0 * mu * n)

    def _elastic_strain(self, p: Point, u: Sample) -> tuple[Array, Array | None]:
        """Return total minus thermal strain in the section and normal to it."""
        e, n = strain(u), None
        if self.geometry == "axisymmetric":
            n = radial_ratio(p, u)
        elif self.geometry == "plane_strain":
            n = self.normal_strain.sure(PointNames(p)) + 0.0 * e[..., 0, 0]
        if self.material.expansion is None:
            return e, n
        # expansion is isotropic: it leaves shear alone and acts along the normal as well
        thermal = thermal_strain(self.material.expansion, p)
        return e - thermal[..., None, None] * eye(p.dim, e), None if n is None else n - thermal


def elastic_tensor(lam: Array, mu: Array, dim: int) -> Array:
    """Return C_ijkl = λ δ_ij δ_kl + μ (δ_ik δ_jl + δ_il δ_jk), (C|1, Q|1, d, d, d, d)."""
    i = eye(dim, lam)
    volumetric = einsum("ij,kl->ijkl", i, i)
    shear = einsum("ik,jl->ijkl", i, i) + einsum("il,jk->ijkl", i, i)
    return lam[..., None, None, None, None] * volumetric + mu[..., None, None, None, None] * shear
