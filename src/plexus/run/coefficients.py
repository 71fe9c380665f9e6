"""Bounds of coefficients that expressions give; numbers and tables are judged as the deck is read.

They are looked at where forms integrate: what depends on places alone before the first solve, the rest after
accepted steps, as guesses on the way to a solution may leave every bound. An expression may reach one: where
nothing is conducted, solvers find what keeps its level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexus import registry
from plexus.coupling.nodal import NodalFields
from plexus.coupling.sampling import with_derived
from plexus.coupling.system import System
from plexus.deck.params import Property
from plexus.deck.walk import properties
from plexus.errors import GuardError, InputError
from plexus.mesh.mesh import Mesh
from plexus.protocols import Array, Point
from plexus.protocols.facets import across
from plexus.protocols.fields import reads
from plexus.spaces.evaluate import WHOLE, Part
from plexus.spaces.names import with_area

if TYPE_CHECKING:
    from plexus.run.run import Run


@dataclass(frozen=True)
class Coefficient:
    """A property with bounds, and where it is used."""

    path: str
    prop: Property
    part: Part

    def varies(self, run: Run) -> bool:
        """Return whether it depends on the time or on fields."""
        return reads(self.prop.names, {"t", *run.fields.specs})

    def judge(self, run: Run) -> str | None:
        """Return what is wrong with it in the present state. Collective."""
        fields = run.fields
        assert isinstance(fields, NodalFields) and self.prop.within is not None

        def value(p: Point) -> Array:
            # a prescribed temperature is a derived field
            return self.prop(with_derived(p, fields.derived))

        for largest in (False, True):
            found = fields.evaluator.extremum(
                value, run.clock.t, fields.arrays, self.part, largest, 2 * fields.degree, nodal=False
            )
            text = self.prop.within.told(found.value, closed=True)
            # what is not finite is told by the solve, with the part of the expression that is not
            if text is not None and not math.isnan(found.value):
                where = ", ".join(f"{v:.6g}" for v in found.at)
                when = f", t = {run.clock.t:.6g} s" if run.stepper.marches else ""
                return f"{self.path}: {text} at ({where}) m{when}"
        return None


def before(run: Run, coefficients: list[Coefficient]) -> None:
    """Refuse what is out of bounds whatever the solution is. Collective.

    Raises
    ------
    InputError
        At the deck path of the first.
    """
    for each in coefficients:
        text = None if each.varies(run) else each.judge(run)
        if text is not None:
            raise InputError(text)


def after(run: Run, coefficients: list[Coefficient]) -> None:
    """Stop where a coefficient of the present state is out of bounds. Collective.

    Raises
    ------
    GuardError
        At the deck path of the first.
    """
    if run.clock.step % run.system.looks and not run.clock.done:
        return
    for each in coefficients:
        text = each.judge(run) if each.varies(run) else None
        if text is not None:
            raise GuardError(run.deck.placed(text))


def bounded(run: Run) -> Iterator[Coefficient]:
    """Yield the properties of a model on elements that are bounded and follow from an expression."""
    if not isinstance(run.system, System) or not isinstance(run.fields, NodalFields):
        return
    for path, prop in properties(run.deck.physics, "physics"):
        if _open(prop):
            yield Coefficient(path, prop, WHOLE)
    assert isinstance(run.mesh, Mesh), "elements have a mesh of cells"
    for i, condition in enumerate(run.deck.boundary):
        area = with_area(run.mesh, condition.on) if condition.terms else None
        # what lies between two sides judges its own values: it reads both
        terms = {} if area is None else {k: p for k, p in condition.terms.items() if not _between(k)}
        for kind, params in terms.items():
            for path, prop in properties(params, f"boundary[{i}].{kind}"):
                if _open(prop):
                    yield Coefficient(path, prop, Part(boundary=area))


def _between(kind: str) -> bool:
    return across(registry.component("boundary", kind).cls)


def _open(prop: Property) -> bool:
    """Return whether bounds are known, and an expression decides."""
    parts = prop.regions.values() or (prop,)
    return prop.within is not None and any(p.expression is not None and p.names for p in parts)
