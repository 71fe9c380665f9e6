"""Finite volumes: means of the cells of a uniform grid, changed by the fluxes through their faces.

Tensors on each rank's device, slabs of the first axis over the ranks. Needs a grid, bounded or periodic, of
one to three axes; steady, marching explicitly, or implicitly with solvers as on elements. Source: R. J.
LeVeque, Finite Volume Methods for Hyperbolic Problems (2002), doi:10.1017/CBO9780511791253.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from plexus import registry
from plexus.deck.context import open_units
from plexus.deck.params import Params
from plexus.deck.syntax import COORDINATES
from plexus.deck.walk import everything
from plexus.discretisations import _room
from plexus.discretisations._fields import unreached
from plexus.formulation.terms import accepted
from plexus.mesh.mesh import EXTERIOR
from plexus.protocols import (
    Assembled,
    Controlled,
    Doubt,
    Explicit,
    FieldSpec,
    Found,
    GridSource,
    Holds,
    Implicit,
    OnSides,
    Outlook,
    Seen,
    VolumePhysics,
    Waves,
)
from plexus.protocols.facets import regions_at
from plexus.protocols.fields import of_ensemble, of_members
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.conditions import Condition
    from plexus.deck.context import Context as Names
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context

BASE = 320e6
"""Bytes of a rank without any field: interpreter, libraries, PETSc and torch, measured."""
PER_VALUE = 400.0
"""Bytes per unknown of an explicit step: stages, values on faces, fluxes, measured."""
PER_ENTRY = 40.0
"""Bytes per entry of an implicit step's matrix with its preconditioner, and of the table of derivatives."""

NO_SIDES = "cells of a grid have no values on sides; take a region, or the body without `on`"


class VolumesParams(Params):
    """Mesh and physics have what there is to choose."""


@register("discretisation", "volumes", VolumesParams)
class Volumes:
    """Cell means on a uniform grid."""

    words = "on the cells of a grid"
    physics: ClassVar[type] = VolumePhysics
    mesh: ClassVar[type] = GridSource
    offers = frozenset({Explicit, Waves, Implicit, Controlled})
    blocks: ClassVar[Mapping[str, str]] = {}
    steady = True
    usual: ClassVar[Mapping[str, Mapping[str, Any]]] = {"series": {"every": "10 steps"}}
    # stencils of a slab are short: several threads cost more than they bring, ranks share the work better
    threads = 1

    def __init__(self, params: VolumesParams):
        pass

    def learn(self, physics: Any, params: Any, names: Names) -> None:
        """Note unknowns and accepted boundary terms."""
        unknowns = list(physics.fields(params))
        names.unknowns = {spec.name: spec for spec in unknowns}
        names.open, law = open_units(params), physics(params)
        held = list(law.amounts.values()) if isinstance(law, Holds) else []
        alone = names.members is None
        names.derived = {s.name: s for s in held} if alone else of_ensemble([*unknowns, *held])
        names.gradients = False
        listed = law.boundary_terms
        names.terms = {term for spec in unknowns for term in accepted(listed, spec.name)}
        if flux := getattr(law, "exchanged", ""):
            names.exchanged = {term: (flux, unknowns[0].unit) for term in names.terms}

    def fields(self, model: Any) -> Iterator[tuple[FieldSpec, bool]]:
        """Yield the unknowns."""
        for spec in model.fields(model.params):
            yield spec, True
        for spec in getattr(model, "amounts", {}).values():
            yield spec, False

    def problems(self, deck: Any) -> Iterator[Found]:
        """Yield terms and quantities without meaning on sides of a grid, and sides with two conditions."""
        yield from _crowded(deck.boundary)
        cls: Any = registry.component("physics", deck.physics.type).cls
        yield from getattr(cls, "problems", lambda deck: ())(deck)
        yield from _of_members(deck)
        for name, quantity in deck.quantities.items():
            if getattr(quantity, "on", None) is not None:
                yield ("quantities", name, "on"), NO_SIDES
        for i, condition in enumerate(deck.boundary):
            if condition.on.side is not None or any(map(regions_at, condition.on)):
                yield ("boundary", i, "on"), "a grid has outer sides only, no interfaces"
            for term in condition.terms:
                if not issubclass(registry.component("boundary", term).cls, OnSides):
                    text = f"{term} is a term of weak forms, which the sides of a grid do not have"
                    yield ("boundary", i, term), text
                known = {*COORDINATES, *(n for n, p in deck.controls.items() if not _ports(p))}
                names = (leaf.names for _, leaf in everything(condition.terms[term], ""))
                for name in sorted(set().union(*names) - known):
                    text = f"sides of a grid know x, y, z, t and controls that read no field, not {name}"
                    yield ("boundary", i, term), text

    def doubts(self, deck: Any) -> Iterator[Doubt]:
        """Yield tables that the run does not reach."""
        yield from unreached(deck)

    def look(self, deck: Deck) -> Seen:
        """Return nothing; positions outside the grid are refused."""
        from functools import partial

        from plexus.discretisations import _positions
        from plexus.mesh.alone import Alone
        from plexus.spaces.grid import located

        source: Any = registry.build("mesh", deck.mesh)
        _positions.check(deck, partial(located, source.grid(Alone())))
        return Seen({}, ())

    def outlook(self, deck: Deck) -> Outlook:
        """Return the sizes; a matrix counts where the stepper is implicit."""
        estimate = registry.build("mesh", deck.mesh).estimate()
        cls: Any = registry.component("physics", deck.physics.type).cls
        cells = estimate.n_cells * (deck.ensemble.members if deck.ensemble else 1)
        unknowns = {s.name: cells * s.components(estimate.dim) for s in cls.fields(deck.physics)}
        stepper = registry.component("stepper", deck.time.stepper.type).cls if deck.time else None
        width = registry.build("reconstruction", deck.physics.reconstruction).width
        entries = 0 if getattr(stepper, "needs", None) is Explicit else 1 + 2 * width * estimate.dim
        per_value = PER_VALUE + PER_ENTRY * entries
        cells_of = getattr(deck.mesh, "cells", None)
        if estimate.dim > 1 and cells_of:
            # each rank has as many layers of cells as the reconstruction looks at
            estimate = replace(estimate, ranks=max(1, cells_of[0] // max(width, 1)))
        return Outlook(estimate, unknowns, BASE, per_value * sum(unknowns.values()))

    def assemble(self, deck: Deck, ctx: Context, t: float) -> Assembled:
        """Return grid, system and values at time ``t``. Collective.

        Raises
        ------
        InputError
            If the deck does not fit the mesh, the ranks or this machine.
        """
        _room.require(self.outlook(deck), deck, ctx)
        with ctx.timers("libraries"):
            from plexus.discretisations._volumes import assemble

        return assemble(deck, ctx, t)


def _ports(params: Any) -> Any:
    """Return the fields that a control reads."""
    return registry.build("control", params).ports


def _of_members(deck: Any) -> Iterator[Found]:
    """Yield where quantities and outputs of an ensemble ask for an unknown, which each member has its own."""
    if deck.ensemble is None:
        return
    cls: Any = registry.component("physics", deck.physics.type).cls
    unknowns = {spec.name for spec in cls.fields(deck.physics)}
    for name, quantity in deck.quantities.items():
        of: Any = getattr(quantity, "of", "")
        for found in sorted(unknowns & ({of} if isinstance(of, str) else set(of.names))):
            yield ("quantities", name, "of"), of_members(found)
    for i, output in enumerate(deck.output):
        for k, found in enumerate(getattr(output, "fields", ())):
            if found in unknowns:
                yield ("output", i, "fields", k), of_members(found)


def _crowded(conditions: Sequence[Condition]) -> Iterator[Found]:
    """Yield conditions that give a side a term where it has a value or another term already."""
    for j, later in enumerate(conditions):
        for earlier in conditions[: j + 1]:
            names = [n for n in later.on if n in earlier.on or EXTERIOR in (n, *earlier.on)]
            # of two prescribed values the later one holds; one item may give a single term
            parts = [c for c in (earlier, later) if c.terms]
            alone = earlier is later and len(later.terms) + bool(later.values) < 2
            if names and parts and not alone:
                text = f"{names[0]} has two conditions: give a value, a flux, or outflow"
                yield ("boundary", j), text
                break


EXAMPLE: dict[str, Any] = {"type": "volumes"}
