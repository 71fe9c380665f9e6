"""The deck's ``boundary:`` list, sorted by equation."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexus import registry
from plexus.formulation.dirichlet import Prescribed
from plexus.formulation.terms import Term, accepted
from plexus.protocols import Equation
from plexus.protocols.facets import Facets

if TYPE_CHECKING:
    from plexus.deck.conditions import Condition
    from plexus.formulation.inclined import AlongNormal


@dataclass(frozen=True)
class Total:
    """A term whose value all places of a condition share: boundaries, curves, points, or a position."""

    path: str
    where: Facets
    at: tuple[float, ...] | None
    term: Term


@dataclass
class Conditions:
    """What holds on the boundaries for one equation."""

    prescribed: list[Prescribed] = field(default_factory=list)
    normal: list[AlongNormal] = field(default_factory=list)
    terms: list[tuple[Facets, Term]] = field(default_factory=list)
    """Where a term stands, and the term."""
    totals: list[Total] = field(default_factory=list)
    """Terms that are told as a total over their places."""

    @property
    def linear(self) -> bool:
        """Whether all terms are affine in the unknown."""
        return all(term.linear for _, term in self.terms)


def sort_conditions(
    conditions: Sequence[Condition], equations: Sequence[Equation], dim: int, skeleton: Set[str] = frozenset()
) -> dict[str, Conditions]:
    """Return field name -> its conditions, in the order of the deck; ``skeleton`` names curves and points.

    A term joins the first equation that accepts it, that of a block its first field.
    """
    specs = {spec.name: spec for equation in equations for spec in equation.fields}
    found = {name: Conditions() for name in specs}
    for i, condition in enumerate(conditions):
        for name, values in condition.values.items():
            # the deck may give three entries for a vector before the mesh has told its dimension
            count = specs[name].components(dim)
            place = condition.on, tuple(values[:count]), condition.at, f"boundary[{i}]"
            found[name].prescribed.append(Prescribed(*place))
        for name, value in condition.normals.items():
            from plexus.formulation.inclined import AlongNormal

            found[name].normal.append(AlongNormal(condition.on, value, f"boundary[{i}].normal"))
        for kind, params in condition.terms.items():
            # term names are unique among the equations of the shipped models
            equation = next(e for e in equations if kind in accepted(e.boundary_terms, e.field.name))
            term = registry.component("boundary", kind).cls(params, equation.field)
            here = found[equation.field.name]
            if term.skeleton:
                here.totals.append(Total(f"boundary[{i}].{kind}", condition.on, condition.at, term))
            if condition.at is None and not skeleton & set(condition.on):
                here.terms.append((condition.on, term))
    return found
