"""A polyconvex energy of the invariants of C whatever its weights are, with its derivatives.

    W = κ a/4 (J² - 1 - 2 ln J) + μ e₀² [M(x) - M(0) - m x₀],    M = N(x) + Σ c_k x_k
    x = ((J - 1)/e₀, (I₁ - 3)/e₀², (I₂ - 3)/e₀², (Ī₁ - 3)/e₀², (2 (Ī₂/3)^(3/2) - 2)/e₀²)
    Ī₁ = I₁ J^(-2/3),    Ī₂ = I₂ J^(-4/3),    m = M,₀ + (2 M,₁ + 4 M,₂)/e₀  at rest

N is the network of `plexus.learned.convex`, convex in x, growing in x₁ to x₄; a and the c_k are S of what is
stored, hence positive. I₁ = |F|² is convex in F, I₂ = |cof F|² in cof F, Ī₁ in (F, J) and Ī₂^(3/2) in
(cof F, J) (J. M. Ball, Arch. Ration. Mech. Anal. 63 (1977) 337-403, doi:10.1007/BF00279992; S. Hartmann, P.
Neff, Int. J. Solids Struct. 40 (2003) 2767-2791, doi:10.1016/S0020-7683(03)00086-6), and J may enter as it
is, so that W is convex in (F, cof F, J). What is subtracted makes energy and stress at rest zero: a change
of size, J = 1 + 3e, changes I₁ by 6e and I₂ by 12e, the isochoric invariants not at all, and a term linear in
J leaves W polyconvex. The first term lets no body be squeezed to nothing, W → ∞ as J → 0. After L. Linden et
al., J. Mech. Phys. Solids 179 (2023) 105363, doi:10.1016/j.jmps.2023.105363, which has I₁, I₂, J.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from plexus.fields.arrays import like, log, stack
from plexus.formulation.learned import Scales
from plexus.learned import convex
from plexus.learned.convex import Net, soft
from plexus.potentials._invariants import Bends, Invariants, Slopes
from plexus.protocols import Array

STARTS = (0.54, -2.0, -2.0, -2.0, -2.0)
"""What a and c_k begin with, before S: κ and about μ at rest."""
INPUTS = len(STARTS)
SECOND = 2.0 / 3.0**1.5
"""Factor with which Ī₂^(3/2) has the slope 1 in Ī₂ at rest."""


def begin(width: int, seed: int) -> dict[str, np.ndarray]:
    """Return stored weights of a fresh potential, the same on every machine."""
    drawn = convex.begin(width, INPUTS, seed)
    # the squares of large stretches grow fast: the network begins as a small part of the whole
    return {**drawn, "out": drawn["out"] - 2.0, "linear": np.array(STARTS)[:, None]}


class Polyconvex:
    """W and its derivatives at invariants of any shape (...).

    Parameters
    ----------
    at : Invariants
        Where.
    stored : mapping
        Weights as `begin` returns them, arrays or tensors.
    scales : Scales
        κ, μ, e₀.
    """

    def __init__(self, at: Invariants, stored: Mapping[str, Array], scales: Scales):
        self.scales, self.form = scales, at.volume.shape
        self.i1, self.i2, self.j = (v.reshape(-1) for v in (at.first, at.second, at.volume))
        self.net = Net.of(stored, self.j)
        linear = soft(like(stored["linear"], self.j))
        self.bulk, self.linear = scales.bulk * linear[0], linear[1:]
        rest = self._grown(like(np.zeros((INPUTS, 1)), self.j))
        self.held = rest[0] + (2.0 * rest[1] + 4.0 * rest[2]) / scales.strain

    def energy(self) -> Array:
        """Return W [Pa]."""
        x, j, unit = self._inputs, self.j, self.scales.shear * self.scales.strain**2
        own = self.net.value(x) - self.net.value(like(np.zeros((INPUTS, 1)), x))
        own = own + (self.linear * x[1:]).sum(0) - self.held * x[0]
        return (unit * own + self.bulk / 4.0 * (j**2 - 1.0 - 2.0 * log(j))).reshape(self.form)

    def slopes(self) -> Slopes:
        """Return ∂W by I₁, I₂, J [Pa]."""
        unit, grown, j = self.scales.shear * self.scales.strain**2, self._slope, self.j
        one, two, along = (unit * (grown * direction).sum(0) for direction in self._along)
        along = along - unit * self.held / self.scales.strain + self.bulk / 2.0 * (j - 1.0 / j)
        return one.reshape(self.form), two.reshape(self.form), along.reshape(self.form)

    def bends(self) -> Bends:
        """Return the second derivatives of W by I₁, I₂, J [Pa]."""
        mu, i1, i2, j = self.scales.shear, self.i1, self.i2, self.j
        one, two = mu * self._slope[3], mu * SECOND * self._slope[4]
        # of ∂²x/∂I∂I those that are not zero
        curved = {
            (0, 2): -2.0 / 3.0 * one * j ** (-5.0 / 3.0),
            (1, 1): 0.75 * two / (i2**0.5 * j**2),
            (1, 2): -3.0 * two * i2**0.5 / j**3,
            (2, 2): 10.0 / 9.0 * one * i1 * j ** (-8.0 / 3.0) + 6.0 * two * i2**1.5 / j**4
            + self.bulk / 2.0 * (1.0 + 1.0 / j**2),
        }  # fmt: skip
        unit, bent = mu * self.scales.strain**2, self.net.at(self._inputs).second(self._along)
        return {key: (unit * bend + curved.get(key, 0.0)).reshape(self.form) for key, bend in bent.items()}

    def _grown(self, x: Array) -> Array:
        """Return ∂M/∂x (5, n)."""
        first = self.net.at(x).first()
        return stack([first[0], *(first[1:] + self.linear)], 0)

    @cached_property
    def _slope(self) -> Array:
        """∂M/∂x here."""
        return self._grown(self._inputs)

    @cached_property
    def _inputs(self) -> Array:
        """x, (5, n)."""
        i1, i2, j, size = self.i1, self.i2, self.j, self.scales.strain
        squares = i1 - 3.0, i2 - 3.0, i1 * j ** (-2.0 / 3.0) - 3.0, SECOND * i2**1.5 / j**2 - 2.0
        return stack([(j - 1.0) / size, *(square / size**2 for square in squares)], 0)

    @cached_property
    def _along(self) -> tuple[Array, Array, Array]:
        """∂x by I₁, I₂ and J, each (5, n)."""
        i1, i2, j, size = self.i1, self.i2, self.j, self.scales.strain
        none, one = 0.0 * j, 1.0 + 0.0 * j
        rows = (
            (none, one, none, j ** (-2.0 / 3.0), none),
            (none, none, one, none, 1.5 * SECOND * i2**0.5 / j**2),
            (size * one, none, none, -2.0 / 3.0 * i1 * j ** (-5.0 / 3.0), -2.0 * SECOND * i2**1.5 / j**3),
        )
        first, second, third = (stack(row, 0) / size**2 for row in rows)
        return first, second, third
