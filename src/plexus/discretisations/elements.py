"""Finite elements: weak forms on cells, solved with PETSc, one unknown after the other.

Continuous Lagrange elements of degree 1 or 2 on intervals, triangles, quadrilaterals, tetrahedra and
hexahedra. Needs a mesh of cells; steady or marching in time. Source: A. Ern, J.-L. Guermond, Theory and
Practice of Finite Elements (2004), doi:10.1007/978-1-4757-4355-5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from plexus.deck.context import open_units
from plexus.deck.params import Params
from plexus.formulation.terms import accepted
from plexus.protocols import (
    Assembled,
    Balances,
    CellSource,
    Controlled,
    Doubt,
    FieldSpec,
    Found,
    Implicit,
    Outlook,
    Seen,
    TimeIntegrable,
    WeakPhysics,
)
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.context import Context as Names
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


class ElementsParams(Params):
    """The physics has what there is to choose, e.g. the degree."""


@register("discretisation", "elements", ElementsParams)
class Elements:
    """Weak forms on a mesh of cells."""

    words = "on elements"
    physics: ClassVar[type] = WeakPhysics
    mesh: ClassVar[type] = CellSource
    offers = frozenset({Implicit, TimeIntegrable, Balances, Controlled})
    blocks: ClassVar[Mapping[str, str]] = {"ensemble": "its arrays hold one member; use `plexus sweep`"}
    steady = True
    usual: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    threads = None

    def __init__(self, params: ElementsParams):
        pass

    def learn(self, physics: Any, params: Any, names: Names) -> None:
        """Note unknowns, derived fields and accepted boundary terms; building the equations needs no mesh."""
        unknowns = {spec.name: spec for spec in physics.fields(params)}
        equations = list(physics(params).equations)
        names.unknowns = unknowns
        names.derived = {d.spec.name: d.spec for equation in equations for d in equation.derived()}
        names.internal = {spec.name: spec for equation in equations for spec in equation.internal}
        names.normals = [spec.name for spec in unknowns.values() if spec.shape == "vector"]
        names.leaders = {s.name: e.field.name for e in equations for s in e.fields if s.name != e.field.name}
        names.open = open_units(params)
        # a term joins the first equation that takes it
        for e in reversed(equations):
            flux = getattr(e, "exchanged", None)
            units = e.flux_unit if flux is None else flux, e.field.unit
            names.exchanged |= {t: units for t in accepted(e.boundary_terms, e.field.name) if units[0]}
        names.terms = {t for e in equations for t in accepted(e.boundary_terms, e.field.name)}

    def fields(self, model: WeakPhysics) -> Iterator[tuple[FieldSpec, bool]]:
        """Yield the unknown of each equation, then what it derives."""
        for equation in model.equations:
            yield from ((spec, True) for spec in equation.fields)
            yield from ((derived.spec, False) for derived in equation.derived())
            yield from ((spec, False) for spec in equation.internal)

    def problems(self, deck: Any) -> Iterator[Found]:
        """Yield why the stepper does not take the equations."""
        from plexus.discretisations._checks import problems

        return problems(deck)

    def doubts(self, deck: Any) -> Iterator[Doubt]:
        """Yield what a steady deck says of a beginning and of capacities."""
        from plexus.discretisations._checks import doubts

        return doubts(deck)

    def look(self, deck: Deck) -> Seen:
        """Return what is seen of the mesh, of a large file its heads, after the checks of a run."""
        from plexus.discretisations._look import look

        return look(deck)

    def outlook(self, deck: Deck) -> Outlook:
        """Return the sizes, approximate where the mesh cannot count its nodes."""
        from plexus import registry
        from plexus.discretisations import _degree, _sizes

        estimate = registry.build("mesh", deck.mesh).estimate()
        cls: Any = registry.component("physics", deck.physics.type).cls
        degree = _degree.degree_of(deck.physics, estimate.degree)
        return _sizes.outlook(estimate, degree, list(cls.fields(deck.physics)))

    def assemble(self, deck: Deck, ctx: Context, t: float) -> Assembled:
        """Return mesh, system and values at time ``t``. Collective.

        Raises
        ------
        InputError
            If the deck does not fit the mesh or this machine.
        """
        # PETSc stays unloaded until now, torch altogether
        with ctx.timers("libraries"):
            from plexus.discretisations._elements import assemble

        return assemble(deck, ctx, t)


EXAMPLE: dict[str, Any] = {"type": "elements"}
