"""Polynomials of x, y, z, t and one unknown, with exact derivatives and integrals over boxes.

Everything that the oracles expect is worked out with these, so that it shares no code with the program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

VARIABLES = ("x", "y", "z", "t", "v")
"""``v`` stands for the unknown of the equation; a deck writes its name."""
Exponents = tuple[int, ...]
_NONE: Exponents = (0,) * len(VARIABLES)


@dataclass(frozen=True)
class Poly:
    """A sum of coefficient times x^i y^j z^k t^l v^m, by exponents."""

    terms: Mapping[Exponents, float] = field(default_factory=dict)

    @staticmethod
    def of(value: Poly | float) -> Poly:
        """Return a number as polynomial."""
        return value if isinstance(value, Poly) else Poly({_NONE: float(value)} if value else {})

    @staticmethod
    def variable(name: str) -> Poly:
        """Return x, y, z, t or v."""
        return Poly({tuple(int(name == other) for other in VARIABLES): 1.0})

    def __add__(self, other: Poly | float) -> Poly:
        """Return the sum."""
        found = dict(self.terms)
        for e, c in Poly.of(other).terms.items():
            found[e] = found.get(e, 0.0) + c
        return Poly({e: c for e, c in found.items() if c})

    def __mul__(self, other: Poly | float) -> Poly:
        """Return the product."""
        found: dict[Exponents, float] = {}
        for e, c in self.terms.items():
            for f, d in Poly.of(other).terms.items():
                key = tuple(i + j for i, j in zip(e, f, strict=True))
                found[key] = found.get(key, 0.0) + c * d
        return Poly({e: c for e, c in found.items() if c})

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Poly:
        """Return the negative."""
        return self * -1.0

    def __sub__(self, other: Poly | float) -> Poly:
        """Return the difference."""
        return self + Poly.of(other) * -1.0

    def __rsub__(self, other: Poly | float) -> Poly:
        """Return the difference."""
        return Poly.of(other) - self

    def __pow__(self, n: int) -> Poly:
        """Return the n-th power."""
        found = Poly.of(1.0)
        for _ in range(n):
            found = found * self
        return found

    def d(self, name: str) -> Poly:
        """Return the derivative along a variable."""
        i = VARIABLES.index(name)
        return Poly({(*e[:i], e[i] - 1, *e[i + 1 :]): c * e[i] for e, c in self.terms.items() if e[i]})

    def put(self, **values: Poly | float) -> Poly:
        """Return the polynomial with variables replaced, all at once."""
        found = Poly()
        for e, c in self.terms.items():
            term = Poly.of(c)
            for name, n in zip(VARIABLES, e, strict=True):
                if n:
                    term = term * Poly.of(values.get(name, Poly.variable(name))) ** n
            found = found + term
        return found

    def over(self, name: str) -> Poly:
        """Return the quotient by a variable, which must divide it."""
        i = VARIABLES.index(name)
        assert all(e[i] for e in self.terms), f"{name} does not divide {self}"
        return Poly({(*e[:i], e[i] - 1, *e[i + 1 :]): c for e, c in self.terms.items()})

    def integral(self, name: str, low: float, high: float) -> Poly:
        """Return the integral along a variable between two numbers."""
        i, found = VARIABLES.index(name), Poly()
        for e, c in self.terms.items():
            n = e[i] + 1
            found = found + Poly({(*e[:i], 0, *e[i + 1 :]): c * (high**n - low**n) / n})
        return found

    @property
    def constant(self) -> float:
        """The number that it is.

        Raises
        ------
        ValueError
            If it is none.
        """
        if any(any(e) for e in self.terms):
            raise ValueError(f"{self} is no number")
        return self.terms.get(_NONE, 0.0)

    @property
    def varies(self) -> bool:
        """Whether it is more than a number."""
        return any(any(e) for e in self.terms)

    def at(self, **values: object) -> object:
        """Return its value; arrays give arrays."""
        found: object = 0.0
        for e, c in self.terms.items():
            term: object = c
            for name, n in zip(VARIABLES, e, strict=True):
                if n:
                    term = term * values[name] ** n  # type: ignore[operator]
            found = found + term  # type: ignore[operator]
        return found


AXES = "xyz"


def gradient(u: Poly, dim: int) -> list[Poly]:
    """Return ∇u."""
    return [u.d(a) for a in AXES[:dim]]


def divergence(f: Sequence[Poly]) -> Poly:
    """Return ∇·f."""
    return sum((c.d(a) for c, a in zip(f, AXES, strict=False)), Poly())
