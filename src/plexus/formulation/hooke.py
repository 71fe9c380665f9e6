"""Hooke's law for an isotropic body or one of its sections, and scalars made of the stress.

    σ = λ (tr e + n) I + 2μ e,    σ_n = λ (tr e + n) + 2μ n

e is the elastic strain (total minus thermal) in the section, n the one normal to it. Plane stress has
no n: it uses λ* = 2λμ/(λ + 2μ) = Eν/(1 - ν²), for which σ_n = 0. A bar is free on all sides: σ = E e,
which is λ = 0 and μ = E/2 on a line.
"""

from __future__ import annotations

from dataclasses import dataclass

from plexus.fields.arrays import einsum, eye, maximum, namespace
from plexus.formulation.kinematics import full, trace
from plexus.formulation.material import Material
from plexus.formulation.straining import Straining
from plexus.protocols import Array, Joint, Point


@dataclass(frozen=True)
class State:
    """Elastic strain and stress: (C, Q, d, d), and their normal parts (C, Q); None: no such stress."""

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

    def tensor(self) -> Array:
        """Return the stress as a 3 x 3 tensor (C, Q, 9), with what acts normal to a section as zz."""
        return full(self.stress, [self.normal_stress] * (3 - self.stress.shape[-1]))

    def energy_density(self) -> Array:
        """Return σ:e/2, the normal part included."""
        # the elastic part of the strain only: expansion stores no energy
        work = einsum("...ij,...ij->...", self.stress, self.strain)
        if self.normal_stress is not None:
            work = work + self.normal_stress * self.normal_strain
        return 0.5 * work


@dataclass(frozen=True)
class Hooke:
    """The isotropic law of one material, at the strain that works in its geometry."""

    material: Material
    straining: Straining

    def lame(self, p: Point) -> tuple[Array, Array]:
        """Return λ (λ* in plane stress, 0 in a bar) and μ, each (C|1, Q|1)."""
        p, geometry = self.straining.heated(p), self.straining.geometry
        if geometry == "bar":
            half = self.material.young_modulus(p) / 2.0  # type: ignore[misc]
            return 0.0 * half, half
        e, nu = self.material.young_modulus(p), self.material.poisson_ratio(p)  # type: ignore[misc]
        # μ = E/(2(1+ν)), λ = Eν/((1+ν)(1-2ν))
        mu = e / (2.0 * (1.0 + nu))
        if geometry == "plane_stress":
            return e * nu / (1.0 - nu**2), mu
        return e * nu / ((1.0 + nu) * (1.0 - 2.0 * nu)), mu

    def state(self, p: Point) -> State:
        """Return strain and stress that the displacement causes at the points."""
        lam, mu = self.lame(p)
        e, n = self.straining.elastic(p)
        # σ = λ (tr e + n) I + 2μ e
        tr = trace(e) if n is None else trace(e) + n
        stress = (lam * tr)[..., None, None] * eye(p.dim, e) + (2.0 * mu)[..., None, None] * e
        return State(e, n, stress, None if n is None else lam * tr + 2.0 * mu * n)

    def forces(self, p: Point) -> tuple[Array, Array | None]:
        """Return what works on the strain of a test function: the stress, and its part normal to the section.

        With the cure against locking it is σ + (Πs - s) I.
        """
        state = self.state(p)
        if not self.straining.b_bar:
            return state.stress, state.normal_stress
        change = self.straining.change_of(p, lambda q: _mean_stress(self.state(q)), _mean_stress(state))
        assert state.normal_stress is not None or p.dim == 3
        normal = None if state.normal_stress is None else state.normal_stress + change
        return state.stress + change[..., None, None] * eye(p.dim, change), normal

    def joint(self, p: Point) -> Joint | None:
        """Return the resistance to a change of volume with κ = λ + 2μ/3, with the cure only."""
        if not self.straining.b_bar:
            return None
        lam, mu = self.lame(p)
        return self.straining.joint(p, lam + 2.0 / 3.0 * mu)

    def total(self, p: Point) -> Array:
        """Return the total strain as a 3 x 3 tensor (C, Q, 9).

        Normal to a section it is what the geometry prescribes or, where the body is free, contraction and
        expansion: -ν (σ_xx + σ_yy)/E + e_th.
        """
        e, n = self.straining.total(p)
        if p.dim < 3 and n is None:
            q = self.straining.heated(p)
            e_modulus, nu = self.material.young_modulus(q), self.material.poisson_ratio(q)  # type: ignore[misc]
            n = self.straining.thermal(p) - nu * trace(self.state(p).stress) / e_modulus
        return full(e, [n] * (3 - p.dim))


def _mean_stress(state: State) -> Array:
    """Return a third of the trace of the stress."""
    normal = 0.0 if state.normal_stress is None else state.normal_stress
    return (trace(state.stress) + normal) / 3.0


def elastic_tensor(lam: Array, mu: Array, dim: int) -> Array:
    """Return C_ijkl = λ δ_ij δ_kl + μ (δ_ik δ_jl + δ_il δ_jk), (C|1, Q|1, d, d, d, d)."""
    i = eye(dim, lam)
    volumetric = einsum("ij,kl->ijkl", i, i)
    shear = einsum("ik,jl->ijkl", i, i) + einsum("il,jk->ijkl", i, i)
    return lam[..., None, None, None, None] * volumetric + mu[..., None, None, None, None] * shear
