"""Linear systems as they stand: nothing is discretised, the rows of a matrix lie on the ranks.

A block of unknowns has a cell of a grid, coordinates, or nothing but its number. No mesh; a single solve, or
one at every time for a problem that is a sequence. Source: Y. Saad, Iterative Methods for Sparse Linear
Systems (2003), doi:10.1137/1.9780898718003.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from plexus import registry
from plexus.deck.params import Params
from plexus.discretisations import _room
from plexus.protocols import (
    Assembled,
    Doubt,
    FieldSpec,
    Found,
    Implicit,
    MatrixPhysics,
    Outlook,
    Seen,
)
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.context import Context as Names
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context

BASE = 135e6
"""Bytes of a rank without any row: interpreter, libraries and PETSc, measured."""
PER_ENTRY, PER_UNKNOWN = 105.0, 200.0
"""Bytes per entry and unknown: rows while they are made, matrix, BoomerAMG, vectors, measured."""
NO_PLACE = "a linear system has rows only: what they stand for is in its matrix"


class AlgebraicParams(Params):
    """The problem has what there is to choose."""


@register("discretisation", "algebraic", AlgebraicParams)
class Algebraic:
    """Rows of a matrix."""

    words = "on the rows of a matrix"
    physics: ClassVar[type] = MatrixPhysics
    mesh: ClassVar[type | None] = None
    offers = frozenset({Implicit})
    blocks: ClassVar[Mapping[str, str]] = {
        "mesh": NO_PLACE,
        "boundary": NO_PLACE,
        "closure": NO_PLACE,
        "controls": "no number of its matrix is an expression",
        "calibrate": "it has no controls",
        "ensemble": "its arrays hold one member; use `plexus sweep`",
        "coupling": "there is one unknown",
        "reduce": "reduced models are those of solids",
        "rom": "reduced models are those of solids",
    }
    steady = True
    usual: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    threads = 1

    def __init__(self, params: AlgebraicParams):
        pass

    def learn(self, physics: Any, params: Any, names: Names) -> None:
        """Note the unknown and what the problem shows beside it."""
        names.unknowns = {spec.name: spec for spec in physics.fields(params)}
        problem = physics(params).problem
        names.derived = {spec.name: spec for spec in problem.shows}
        names.terms, names.gradients, names.boundaries, names.regions = (), False, (), ()
        names.place = self.words
        names.dim = problem.outline().dim

    def fields(self, model: Any) -> Iterator[tuple[FieldSpec, bool]]:
        """Yield the unknown, then what the problem shows."""
        yield from ((spec, True) for spec in model.fields(model.params))
        yield from ((spec, False) for spec in model.problem.shows)

    def problems(self, deck: Any) -> Iterator[Found]:
        """Yield a march of what does not change, and steppers of rates."""
        if deck.time is None:
            return
        stepper: Any = registry.build("stepper", deck.time.stepper, None)
        if stepper.order or not stepper.marches:
            text = "a linear system has no time derivative; use quasistatic, or leave out `time`"
            yield ("time", "stepper"), f"{deck.time.stepper.type}: {text}"
        elif not registry.build("problem", deck.physics.problem).sequence:
            text = f"{deck.physics.problem.type} is the same at all times: leave out `time`"
            yield ("time",), text

    def doubts(self, deck: Any) -> Iterator[Doubt]:
        """Yield nothing."""
        return iter(())

    def look(self, deck: Deck) -> Seen:
        """Return the sizes of the matrix."""
        found = registry.build("problem", deck.physics.problem).outline()
        size = f"{found.blocks * found.components:,} unknowns, about {found.entries:,} entries"
        place = f" on {' × '.join(map(str, found.cells))} cells" if found.cells else ""
        return Seen({"matrix": size + place}, ())

    def outlook(self, deck: Deck) -> Outlook:
        """Return the sizes."""
        found = registry.build("problem", deck.physics.problem).outline()
        n = found.blocks * found.components
        return Outlook(None, {"u": n}, BASE, PER_ENTRY * found.entries + PER_UNKNOWN * n)

    def assemble(self, deck: Deck, ctx: Context, t: float) -> Assembled:
        """Return the system and its first guess. Collective.

        Raises
        ------
        InputError
            If a file is damaged, or the rows cannot be dealt to the ranks.
        """
        _room.require(self.outlook(deck), deck, ctx)
        with ctx.timers("libraries"):
            from plexus.discretisations._algebraic import assemble

        return assemble(deck, ctx, t)


EXAMPLE: dict[str, Any] = {"type": "algebraic"}
