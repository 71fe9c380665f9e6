"""One cycle of load at points: ranges, means, peaks and work of its stresses and strains.

Stresses σ and plastic strains ε_p of two instants i, j differ by a range, of which the equivalent is that
of von Mises; the largest of all pairs counts (ASME Boiler and Pressure Vessel Code, Section VIII, Division
2, 5.5.3):

    Δσ = max_ij J(σ_i - σ_j),   Δε_p = max_ij J(2/3 (ε_p,i - ε_p,j)),   J(a) = (3/2 dev a : dev a)^(1/2)
    Δε = max_ij J(q_i - q_j),   q = σ/E + 2/3 ε_p

Δε is the range of the strain without the thermal one, with the lateral contraction of the elastic part
counted as that of the plastic one: in uniaxial tension it is Δσ/E + Δε_p exactly, whatever Poisson's ratio.
The plane of a point is that across the principal axis along which q_i - q_j of the largest pair is largest
(D. F. Socie, J. Eng. Mater. Technol. 109 (1987) 293, doi:10.1115/1.3225980); stresses and strains normal to
it have signs, hence peaks and means. Work: W = Σ σ_k+1 : (ε_p,k+1 - ε_p,k), that of steps of backward
Euler, as laws integrate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

Array = np.ndarray
COLUMNS = (0, 4, 8, 1, 5, 2)
"""Where 11 22 33 12 23 31 stand in the rows of a 3 x 3 tensor."""
TWICE = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
SIZE = 512
"""Points per batch of the search for pairs, so that the distances of tens of instants stay in the cache."""


@dataclass(frozen=True, eq=False)
class Cycle:
    """A `plexus.protocols.Cycle`, with total and plastic strain (m, n, 6), p and modulus E (m, n)."""

    times: Array
    stress: Array
    strain: Array
    plastic: Array
    p: Array
    modulus: Array
    temperature: Array | None = None

    @cached_property
    def stress_range(self) -> Array:
        """Δσ, (n,) [Pa]."""
        return farthest(self.stress)[0]

    @cached_property
    def plastic_range(self) -> Array:
        """Δε_p, (n,)."""
        return farthest(self.plastic * (2.0 / 3.0))[0]

    @cached_property
    def _pair(self) -> tuple[Array, Array]:
        """Δε (n,), and q_i - q_j of the pair that has it (n, 6)."""
        return farthest(self.stress / self.modulus[..., None] + (2.0 / 3.0) * self.plastic)

    @property
    def strain_range(self) -> Array:
        """Δε, (n,)."""
        return self._pair[0]

    @cached_property
    def _axes(self) -> tuple[Array, Array]:
        """Principal axes of dev (q_i - q_j), columns of (n, 3, 3), and |λ| over the largest, (n, 3)."""
        values, vectors = np.linalg.eigh(full(deviator(self._pair[1])))
        sizes = np.abs(values)
        return vectors, sizes / np.maximum(sizes.max(axis=1, keepdims=True), 1e-300)

    @cached_property
    def normal(self) -> Array:
        """Normal of the plane of the strain range, (n, 3)."""
        vectors, shares = self._axes
        return np.take_along_axis(vectors, shares.argmax(axis=1)[:, None, None], axis=2)[..., 0]

    @property
    def opening(self) -> Array:
        """Largest product of peak stress in tension and half of the strain range, of the planes across the
        principal axes of q_i - q_j, (n,) [Pa].

        A plane has the share of Δε that |λ| has of the largest. Between planes that change alike, as in
        shear, rounding chooses; of their products the larger is the same whatever the choice.
        """
        vectors, shares = self._axes
        peaks = [across(self.stress, vectors[..., k]).max(axis=0) for k in range(3)]
        products = np.maximum(np.stack(peaks, axis=1), 0.0) * shares
        return products.max(axis=1) * 0.5 * self.strain_range

    @cached_property
    def normal_stress(self) -> Array:
        """Stress normal to the plane, (m, n) [Pa]."""
        return across(self.stress, self.normal)

    @property
    def peak_stress(self) -> Array:
        """Largest stress normal to the plane, (n,) [Pa]."""
        return self.normal_stress.max(axis=0)

    @property
    def mean_stress(self) -> Array:
        """Middle of the stresses normal to the plane, (n,) [Pa]."""
        return middle(self.normal_stress)

    @property
    def mean_strain(self) -> Array:
        """Middle of the total strains normal to the plane, (n,)."""
        return middle(across(self.strain, self.normal))

    @property
    def peak_mises(self) -> Array:
        """Largest equivalent stress, (n,) [Pa]."""
        return mises(self.stress).max(axis=0)

    @property
    def growth(self) -> Array:
        """Δp, (n,)."""
        return self.p[-1] - self.p[0]

    @cached_property
    def dissipated(self) -> Array:
        """W, (n,) [J/m³]."""
        return np.einsum("mna,mna,a->n", self.stress[1:], np.diff(self.plastic, axis=0), TWICE)

    @property
    def hottest(self) -> Array | None:
        """Highest temperature, (n,) [K]."""
        return None if self.temperature is None else self.temperature.max(axis=0)

    @property
    def stiffness(self) -> Array:
        """E at the hottest instant, (n,) [Pa]."""
        if self.temperature is None:
            return self.modulus[0]
        when = self.temperature.argmax(axis=0)
        return np.take_along_axis(self.modulus, when[None], axis=0)[0]

    def at(self, points: Array) -> Cycle:
        """Return the cycle at some points."""
        stress, strain, plastic = (a[:, points] for a in (self.stress, self.strain, self.plastic))
        heat = None if self.temperature is None else self.temperature[:, points]
        return Cycle(self.times, stress, strain, plastic, self.p[:, points], self.modulus[:, points], heat)


def six(rows: Array) -> Array:
    """Return symmetric tensors (n, 9) as (n, 6)."""
    return rows[:, COLUMNS]


def full(a: Array) -> Array:
    """Return tensors (n, 6) as matrices (n, 3, 3)."""
    return a[:, [0, 3, 5, 3, 1, 4, 5, 4, 2]].reshape(-1, 3, 3)


def deviator(a: Array) -> Array:
    """Return dev a of tensors (…, 6)."""
    found, mean = a.copy(), (a[..., 0] + a[..., 1] + a[..., 2]) / 3.0
    # one component at a time: loops over a short last axis are slow
    for k in range(3):
        found[..., k] -= mean
    return found


def mises(a: Array) -> Array:
    """Return (3/2 dev a : dev a)^(1/2) of tensors (…, 6)."""
    return np.sqrt(1.5 * np.square(deviator(a)) @ TWICE)


def farthest(a: Array) -> tuple[Array, Array]:
    """Return the largest J(a_i - a_j) of pairs of instants, (n,), and its a_i - a_j (n, 6).

    J is the length of scaled deviators y, so that products tell all distances, |y_i|² + |y_j|² - 2 y_i·y_j.
    """
    m, n, _ = a.shape
    pair = np.empty((n, 6))
    for first in range(0, n, SIZE):
        part = a[:, first : first + SIZE]
        # about their mean, products are no larger than the distances
        y = deviator(part - part.mean(axis=0)) * np.sqrt(1.5 * TWICE)
        products = y.transpose(1, 0, 2) @ y.transpose(1, 2, 0)
        squares = np.einsum("nii->ni", products)
        away = squares[:, :, None] + squares[:, None] - 2.0 * products
        i, j = np.divmod(away.reshape(len(away), m * m).argmax(axis=1), m)
        at = np.arange(len(away))
        pair[first : first + SIZE] = part[np.maximum(i, j), at] - part[np.minimum(i, j), at]
    return mises(pair), pair


def across(a: Array, normal: Array) -> Array:
    """Return n·a n of tensors (m, n, 6) and normals (n, 3), (m, n)."""
    x, y, z = normal.T
    products = np.stack([x * x, y * y, z * z, 2 * x * y, 2 * y * z, 2 * z * x], axis=1)
    return np.einsum("mna,na->mn", a, products)


def middle(a: Array) -> Array:
    """Return half of the sum of largest and smallest values, (n,)."""
    return 0.5 * (a.max(axis=0) + a.min(axis=0))
