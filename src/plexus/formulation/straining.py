"""Strain that works on a solid: total minus thermal, as its elements can follow it.

What the strain of an element cannot follow would come out as stress. Elements of degree 1 therefore see the
mean of the thermal strain over each cell (Π, `plexus.formulation.cellwise`).

Near ν = 1/2, and where plastic strain keeps the volume, the elements lock: their dilatation θ = tr ε + n
cannot vanish at every point. The cure (``b_bar``) asks it to vanish in the mean over each cell,

    ε̄ = ε + (Πθ - θ)/3 I,    ∫ σ(ε̄):ε̄(v) = ∫ (σ + (Πs - s) I):ε(v),    s = (tr σ + σ_n)/3,

with Π on polynomials one degree below the element's, on simplices on constants; the thermal strain, a part of
the dilatation, is projected alike. T. J. R. Hughes, Int. J. Numer. Methods Eng. 15 (1980) 1413,
doi:10.1002/nme.1620150914.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from plexus.deck.params import Expression
from plexus.deck.property import PointNames
from plexus.fields.arrays import einsum, eye, shifted
from plexus.formulation.cellwise import Cellwise
from plexus.formulation.kinematics import Geometry, radial_ratio, strain, trace
from plexus.formulation.material import Expansion, thermal_strain
from plexus.formulation.points import spread
from plexus.protocols import Array, Joint, Point


@dataclass(frozen=True)
class Straining:
    """Strain in one geometry.

    ``normal_strain`` only acts in plane strain. ``heated`` returns a point with the temperature among its
    fields, ``cells`` projects on polynomials of each cell, ``b_bar`` cures locking.
    """

    expansion: Expansion | None
    geometry: Geometry
    normal_strain: Expression
    heated: Callable[[Point], Point]
    cells: Cellwise
    b_bar: bool = False

    @property
    def linear(self) -> Straining:
        """The same without what is not linear in the displacement."""
        return replace(self, expansion=None, normal_strain=Expression(0.0))

    def total(self, p: Point) -> tuple[Array, Array | None]:
        """Return the strain in the section, and normal to it where the geometry tells it."""
        u = p.fields["displacement"]
        e, n = strain(u), None
        if self.geometry == "axisymmetric":
            n = radial_ratio(p, u)
        elif self.geometry == "plane_strain":
            n = self._normal(p)
        return e, n

    def given(self, p: Point) -> tuple[Array, Array | None]:
        """Return what `elastic` is where nothing moves; no displacement is asked for."""
        change = 0.0 * p.x[..., 0] - self.thermal(p)
        n = 0.0 * change if self.geometry == "axisymmetric" else None
        if self.geometry == "plane_strain":
            n = self._normal(p)
            change = change + (self._even(p, n) / 3.0 if self.b_bar else 0.0)
        return change[..., None, None] * eye(p.dim, change), None if n is None else n + change

    def _normal(self, p: Point) -> Array:
        """Return the strain along the normal that the deck gives, (C, Q)."""
        return spread(self.normal_strain.sure(PointNames(p)), p)

    def _even(self, p: Point, n: Array) -> Array | float:
        """Return Πn - n of the strain along the normal that the deck gives; n is that at p."""
        return 0.0 if self.normal_strain.constant is not None else self.change_of(p, self._normal, n)

    def elastic(self, p: Point) -> tuple[Array, Array | None]:
        """Return total minus thermal strain in the section and normal to it, both cured of what locks."""
        thermal, even = self.thermal(p), self.b_bar and self._by_nodes(p)
        if self.geometry == "solid" and (even or not self.b_bar):
            known = _at_once(p, thermal, even)
            if known is not None:
                return known, None
        e, n = self.total(p)
        change: Array = self._cure(p, e, n) / 3.0 if self.b_bar else 0.0
        if self.expansion is not None:
            change = change - thermal
        elif not self.b_bar:
            return e, n
        # expansion and cure are isotropic: they leave shear alone and act along the normal as well
        return shifted(e, change), None if n is None else n + change

    def thermal(self, p: Point) -> Array | float:
        """Return the thermal strain that the elements can follow, (C, Q)."""
        expansion = self.expansion
        if expansion is None:
            return 0.0
        known = p.inside is not None and p.element[0] > 1
        if not self.b_bar and (known or expansion.taken == "points"):
            return thermal_strain(expansion, self.heated(p))
        return self.cells.projected(p, volumetric, lambda q: thermal_strain(expansion, self.heated(q)))

    def change_of(self, p: Point, f: Callable[[Point], Array], here: Array) -> Array:
        """Return Πf - f, which the cure adds to a dilatation or mean stress f; ``here`` is f at p."""
        return self.cells.projected(p, volumetric, lambda q: here if q is p else f(q)) - here

    def _cure(self, p: Point, e: Array, n: Array | None) -> Array:
        """Return Πθ - θ of the total strain at p."""
        if not self._by_nodes(p):
            return self.change_of(p, self._dilatation, _dilatation(e, n))
        change = p.mean_divergence("displacement") - trace(e)
        return change if n is None else change + self._even(p, n)

    def _by_nodes(self, p: Point) -> bool:
        """Return whether Πθ is the mean of div u, which is linear in the nodal values and needs no points."""
        return p.inside is not None and volumetric(p) == 0 and self.geometry != "axisymmetric"

    def joint(self, p: Point, bulk: Array) -> Joint | None:
        """Return the resistance κ Πθ(u) Πθ(v) to a change of volume, with the cure only."""
        if not self.b_bar:
            return None
        psi, weight = self.cells.modes(p, volumetric(p)), self.cells.weights(p)
        i = eye(p.dim, psi)
        b0 = None
        if self.geometry == "axisymmetric":
            # the hoop belongs to the dilatation: θ(v) = div v + v_r/r
            b0 = einsum("cqk,a->cqka", psi / p.x[..., :1], i[0])
        # ∫ κ Πθ(u) Πθ(v) = Σ_kl B_k(v) (∫ κ ψ_k ψ_l) B_l(u)
        moments = einsum("cqk,cq,cql->ckl", psi, weight * bulk, psi)
        return Joint(einsum("cqk,ab->cqkab", psi, i), moments, b0)

    def _dilatation(self, p: Point) -> Array:
        """Return θ."""
        return _dilatation(*self.total(p))


def _at_once(p: Point, thermal: Array | float, even: bool) -> Array | None:
    """Return the strain in a solid as a kernel makes it of nodal values; None where there is none."""
    kernel = getattr(p.fields["displacement"], "strain", None)
    found: Array | None = None if kernel is None else kernel(-thermal, even)
    return found


def _dilatation(e: Array, n: Array | None) -> Array:
    """Return θ = tr ε + n."""
    return trace(e) if n is None else trace(e) + n


def volumetric(p: Point) -> int:
    """Return the degree of a dilatation: simplices have unknowns for no more than its mean."""
    degree, simplex = p.element
    return 0 if simplex else degree - 1
