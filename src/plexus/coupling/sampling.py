"""All fields at the points of a batch, unknown and derived, for the integrands of quantities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from plexus.formulation.points import Values, View
from plexus.protocols import Derived, Equation, Point, Sample


class AllFields(Mapping[str, Sample]):
    """The unknowns at a point and the derived fields, each computed when it is first read."""

    def __init__(self, p: Point, derived: Mapping[str, Derived]):
        self._point, self._derived = p, derived
        self._made: dict[str, Sample] = {}

    def __getitem__(self, name: str) -> Sample:
        """Return the sample of one field; derived fields have no gradient."""
        # unknowns keep their gradients and win over derived fields of the same name
        if name in self._point.fields:
            return self._point.fields[name]
        if name not in self._made:
            self._made[name] = Values(self._derived[name].formula(self._point))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, unknowns first."""
        yield from self._point.fields
        yield from self._derived

    def __len__(self) -> int:
        """Return the number of fields."""
        return len(self._point.fields) + len(self._derived)


def derived_fields(equations: Sequence[Equation]) -> dict[str, Derived]:
    """Return the derived fields of all equations by name."""
    return {d.spec.name: d for equation in equations for d in equation.derived()}


def with_derived(p: Point, derived: Mapping[str, Derived]) -> Any:
    """Return the point with the derived fields among its fields."""
    return View(p, AllFields(p, derived))
