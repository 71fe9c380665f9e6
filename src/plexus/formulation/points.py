"""Points seen with some of their members replaced.

An equation reads everything it needs from a `Point`. Replacing members of one (the unknown by
a dual number, a field by its exact solution, the temperature by a prescribed expression) lets the
same flux formula serve assembly, automatic differentiation and verification.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plexus.fields.stacks import columns, part

if TYPE_CHECKING:
    from plexus.protocols import Array, FieldSpec, GridPoint, Point, Sample


@dataclass(frozen=True)
class Values:
    """A `Sample` that is given by its arrays: value (C, Q[, m]) and gradient (C, Q[, m], d)."""

    value: Array
    grad: Array | None = None


class View:
    """A point with members replaced; everything else is read from the point below.

    Parameters
    ----------
    base : Point or GridPoint
        The point below, or None when ``members`` names everything that will be read.
    fields : mapping of str to Sample, optional
        The samples of all fields; those of ``base`` without it.
    **members
        Replaced members of `Point`: ``x``, ``u``, ``grad``, ``rate``, ``t`` and so on.
    """

    def __init__(
        self, base: Point | GridPoint | None, fields: Mapping[str, Sample] | None = None, **members: Any
    ):
        self._base = base
        self.__dict__.update(members)
        if fields is not None:
            self.fields = fields

    def __getattr__(self, name: str) -> Any:
        """Return a member that was not replaced."""
        if name.startswith("__") or self._base is None:
            raise AttributeError(name)
        return getattr(self._base, name)


def with_unknowns(p: Point, specs: Sequence[FieldSpec], u: Array, grad: Array, **members: Any) -> Any:
    """Return ``p`` with other values of the own unknowns, also where they are read by name.

    Parameters
    ----------
    p : Point
        The point below.
    specs : sequence of FieldSpec
        One unknown, or those of a block.
    u, grad : Array
        Value (C, Q[, m]) and gradient (C, Q[, m], d); of a block with the components of all its fields.
    **members
        Further members that are replaced.
    """
    if len(specs) == 1:
        return with_field(p, specs[0].name, Values(u, grad), u=u, grad=grad, **members)
    here = columns(specs, p.dim)
    samples = {s.name: Values(part(u, s, here[s.name]), part(grad, s, here[s.name])) for s in specs}
    return View(p, {**p.fields, **samples}, u=u, grad=grad, **members)


def with_field(p: Point, name: str, sample: Sample, **members: Any) -> Any:
    """Return ``p`` with one field added or hidden by ``sample``, and other members replaced."""
    return View(p, {**p.fields, name: sample}, **members)


def spread(value: Array, p: Point) -> Array:
    """Return a value of each point, (C, Q), of one that may be the same at all of them."""
    shape = getattr(value, "shape", ())
    # coordinates cost a pass over the cells: where no axis is one, the value is there for each point
    whole = len(shape) == 2 and 1 not in shape
    return value if whole or shape == p.x.shape[:-1] else value + 0.0 * p.x[..., 0]


def mean(p: Point, names: Collection[str]) -> View:
    """Return the point between the two sides of a facet: the named fields are the means of both."""
    fields, others = p.fields, p.other.fields
    means = {n: Values(0.5 * (fields[n].value + others[n].value)) for n in names if n in fields}
    return View(p, {**p.fields, **means})
