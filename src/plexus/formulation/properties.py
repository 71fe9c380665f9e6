"""Material functions made of several properties: products and tensors."""

from __future__ import annotations

from dataclasses import dataclass

from plexus.deck.params import Property
from plexus.protocols import Array, Point

TensorProperty = tuple[tuple[Property, ...], ...]
"""A second-order tensor, row by row."""


@dataclass(frozen=True)
class Product:
    """The product of two properties, itself usable as a property."""

    left: Property
    right: Property

    @property
    def names(self) -> frozenset[str]:
        """Names of everything that the product depends on."""
        return frozenset(self.left.names) | frozenset(self.right.names)

    def __call__(self, p: Point) -> Array:
        """Return the product at the points."""
        return self.left(p) * self.right(p)

    def derivative(self, p: Point, wrt: str) -> Array | None:
        """Return the derivative in the field ``wrt``, None when it is zero everywhere."""
        # (a b)' = a' b + a b'
        left, right = self.left.derivative(p, wrt), self.right.derivative(p, wrt)
        terms = [] if left is None else [left * self.right(p)]
        terms += [] if right is None else [self.left(p) * right]
        return sum(terms[1:], terms[0]) if terms else None


ScalarProperty = Property | Product
