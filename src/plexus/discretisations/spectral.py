"""Fourier space: u_t = L u + N(u, t) on the modes of a periodic grid, L diagonal, N computed pointwise.

Tensors on each rank's device, slabs of the first axis over the ranks; the members of an ensemble are one
batch on every slab. Needs a periodic grid, the block
`time`, and a stepper for split models. Source: C. Canuto, M. Y. Hussaini, A. Quarteroni, T. A. Zang, Spectral
Methods: Fundamentals in Single Domains (2006), doi:10.1007/978-3-540-30726-6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from plexus.deck.params import Params
from plexus.discretisations import _room
from plexus.discretisations._fields import unreached, without_cells
from plexus.protocols import (
    Assembled,
    Controlled,
    Doubt,
    FieldSpec,
    Found,
    Outlook,
    PeriodicSource,
    Seen,
    Spectra,
    SpectralPhysics,
    Split,
)
from plexus.protocols.fields import of_ensemble
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.context import Context as Names
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context

BASE = 300e6
"""Bytes of a rank without any field: interpreter, libraries and torch, measured."""
PER_POINT, PER_VALUE = 820.0, 155.0
"""Bytes per grid point, and more per real number of the unknown there: flow, fluxes, stages, measured."""


class SpectralParams(Params):
    """Mesh and physics have what there is to choose."""


@register("discretisation", "spectral", SpectralParams)
class Spectral:
    """Modes on a periodic grid."""

    words = "in Fourier space"
    physics: ClassVar[type] = SpectralPhysics
    mesh: ClassVar[type] = PeriodicSource
    offers = frozenset({Split, Spectra, Controlled})
    blocks: ClassVar[Mapping[str, str]] = {
        "boundary": "a periodic box has no boundaries",
        "solver": "nothing is assembled",
        "coupling": "nothing is solved one after the other",
        "reduce": "reduced models are those of solids",
        "rom": "reduced models are those of solids",
    }
    steady = False
    # what histories need costs as much as a step
    usual: ClassVar[Mapping[str, Mapping[str, Any]]] = {"series": {"every": "10 steps"}}
    # transforms of a slab are short: several threads cost more than they bring, ranks share the work better
    threads = 1

    def __init__(self, params: SpectralParams):
        pass

    def learn(self, physics: Any, params: Any, names: Names) -> None:
        """Note what outputs show, what else can be computed, and which fields may be given at the start.

        Of an ensemble outputs show mean and spread of each field, and no single member.
        """
        shown = {spec.name: spec for spec in physics.fields(params)}
        derived = {spec.name: spec for spec in physics(params).derived_specs()}
        names.starts = {name: (shown | derived)[name] for name in getattr(physics, "starts", shown)}
        if names.members is not None:
            shown, derived = (of_ensemble(list(specs.values())) for specs in (shown, derived))
        names.unknowns, names.derived, names.terms, names.gradients = shown, derived, (), False

    def fields(self, model: Any) -> Iterator[tuple[FieldSpec, bool]]:
        """Yield all fields; the unknowns are modes, which no output shows."""
        for spec in (*model.fields(model.params), *model.derived_specs()):
            yield spec, False

    def problems(self, deck: Any) -> Iterator[Found]:
        """Yield controls without a meaning, and learned closures, which cut the way back."""
        yield from without_cells(deck)
        for name in deck.controls if getattr(deck.closure, "learned", False) else ():
            text = "no gradient leads through a learned closure: take a classical one, or write the number in"
            yield ("controls", name), text

    def doubts(self, deck: Any) -> Iterator[Doubt]:
        """Yield starts that the grid does not resolve."""
        from plexus.discretisations import _starts

        yield from _starts.doubts(deck)
        yield from unreached(deck)

    def look(self, deck: Deck) -> Seen:
        """Return what a run would leave out of the start; its model tells so itself.

        Positions outside the box are refused.
        """
        from functools import partial

        from plexus import registry
        from plexus.discretisations import _positions, _starts
        from plexus.mesh.alone import Alone
        from plexus.spaces.grid import located

        source: Any = registry.build("mesh", deck.mesh)
        _positions.check(deck, partial(located, source.periodic(Alone())))
        return Seen({}, tuple(_starts.cautions(deck)))

    def outlook(self, deck: Deck) -> Outlook:
        """Return the sizes: so many arrays per point and per value of the unknown, and no matrix."""
        from plexus import registry

        estimate = registry.build("mesh", deck.mesh).estimate()
        cls: Any = registry.component("physics", deck.physics.type).cls
        sizes = cls.unknowns(deck.physics, estimate.dim)
        points = estimate.n_points * (deck.ensemble.members if deck.ensemble else 1)
        unknowns = {name: n * points for name, n in sizes.items()}
        shared = PER_POINT * points + PER_VALUE * sum(unknowns.values())
        # each rank has a row of points and a column of modes, whose last axis is half as long
        cells: Any = getattr(deck.mesh, "cells", (1,))
        rows = 1 if len(cells) == 1 else min(cells[0], cells[1] // 2 + 1 if len(cells) == 2 else cells[1])
        return Outlook(replace(estimate, ranks=rows), unknowns, BASE, shared)

    def assemble(self, deck: Deck, ctx: Context, t: float) -> Assembled:
        """Return grid, system and values at time ``t``. Collective.

        Raises
        ------
        InputError
            If the deck does not fit the ranks or this machine.
        """
        _room.require(self.outlook(deck), deck, ctx)
        with ctx.timers("libraries"):
            from plexus.discretisations._spectral import assemble

        return assemble(deck, ctx, t)


EXAMPLE: dict[str, Any] = {"type": "spectral"}
