"""Freundlich's isotherm: what a porous body holds of a substance, dissolved and sorbed, and the way back.

    a(u) = u + K uⁿ,  0 < n <= 1,    a(-u) = -a(u)

For n < 1 the slope a' = 1 + K n uⁿ⁻¹ is infinite at u = 0, while that of the way back is 1/a' = 0 there: u(a) is
smooth enough for Newton's method from any state. With w = uⁿ and m = 1/n it is the root of the convex function

    w^m + K w = a,

to which Newton's method falls from a/(K + a^(1-n)), a little less, and one step more. H. Freundlich, Z. Phys.
Chem. 57 (1906) 385-470, doi:10.1515/zpch-1907-5723.
"""

from __future__ import annotations

from dataclasses import dataclass

from plexus.protocols import Array

NEAR, MOST = 1e-3, 60
"""Relative change after which two more steps are exact, and a bound on the steps."""


@dataclass(frozen=True)
class Freundlich:
    """Amounts on tensors of any shape.

    Attributes
    ----------
    factor : K > 0, in the unit of u^(1-n).
    exponent : n.
    """

    factor: float
    exponent: float

    def stored(self, u: Array) -> Array:
        """Return a(u); its gradient is infinite where u = 0."""
        size = u.abs()
        return u + self.factor * u.sign() * size**self.exponent

    def released(self, amount: Array) -> Array:
        """Return u(a), differentiable twice.

        The last two steps of Newton's method are part of the graph: each doubles the order to which derivatives
        are exact.
        """
        if self.exponent == 1:
            return amount / (1 + self.factor)
        size = amount.abs()
        w = self._near(size.detach())
        w = self._step(self._step(w, size), size)
        return amount.sign() * w ** (1 / self.exponent)

    def capacity(self, u: Array) -> Array:
        """Return a'(u), infinite at u = 0 for n < 1."""
        return 1 + self.factor * self.exponent * u.abs() ** (self.exponent - 1)

    def _near(self, size: Array) -> Array:
        """Return w to a relative error of about `NEAR` squared."""
        w = size / (self.factor + size ** (1 - self.exponent))
        for _ in range(MOST):
            before, w = w, self._step(w, size)
            if not bool(((before - w).abs() > NEAR * w).any()):
                break
        return w

    def _step(self, w: Array, size: Array) -> Array:
        """Return the next iterate of Newton's method, (m-1) w^m + a over m w^(m-1) + K."""
        m = 1 / self.exponent
        power = w ** (m - 1)
        return ((m - 1) * power * w + size) / (m * power + self.factor)
