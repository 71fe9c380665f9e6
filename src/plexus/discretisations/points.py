"""Points: ordinary differential equations dX/dt = f(X, t) without a mesh, many members at a time.

Tensors (members, values) on each rank's device, the members of an ensemble dealt over the ranks. Steppers are
explicit, or implicit with dense Jacobians: for up to some thousand values. Needs the block `time`. Source:
E. Hairer, S. Nørsett, G. Wanner, Solving Ordinary Differential Equations I (1993),
doi:10.1007/978-3-540-78862-1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from plexus.deck.params import Params
from plexus.deck.walk import everything
from plexus.discretisations import _room
from plexus.discretisations._fields import unreached, without_cells
from plexus.protocols import (
    Assembled,
    Controlled,
    Doubt,
    Explicit,
    FieldSpec,
    Found,
    Implicit,
    Outlook,
    RatesPhysics,
    Seen,
    Tangents,
)
from plexus.protocols.fields import of_ensemble
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.context import Context as Names
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context

BASE = 300e6
"""Bytes of a rank without any field: interpreter, libraries and torch, measured."""
COPIES = 20
"""States that a stepper and the outputs hold."""
FLAT = "indices have no distance, so that nothing has a slope over them: take L2"


class PointsParams(Params):
    """The physics has what there is to choose."""


@register("discretisation", "points", PointsParams)
class Points:
    """Unknowns without a place in space."""

    words = "without a mesh"
    physics: ClassVar[type] = RatesPhysics
    mesh: ClassVar[type | None] = None
    offers = frozenset({Explicit, Implicit, Tangents, Controlled})
    blocks: ClassVar[Mapping[str, str]] = {
        "mesh": "there is no space",
        "boundary": "there is no space",
        "solver": "Newton's method on a dense matrix has nothing to choose",
        "coupling": "all unknowns are solved together",
        "reduce": "reduced models are those of solids",
        "rom": "reduced models are those of solids",
    }
    steady = False
    usual: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    # batches are small: several threads cost more than they bring, ranks share the members better
    threads = 1

    def __init__(self, params: PointsParams):
        pass

    def learn(self, physics: Any, params: Any, names: Names) -> None:
        """Note the unknowns and what is computed of them; places are an index, or an index and a member."""
        unknowns = list(physics.fields(params))
        derived = [*physics(params).derived_specs()]
        if names.members is not None:
            derived += of_ensemble(unknowns).values()
        names.unknowns = {spec.name: spec for spec in unknowns}
        names.derived = {spec.name: spec for spec in derived}
        names.terms, names.gradients, names.boundaries, names.regions = (), False, (), ()
        names.place = self.words
        names.dim = 1 if names.members is None else 2

    def fields(self, model: Any) -> Iterator[tuple[FieldSpec, bool]]:
        """Yield the unknowns, then what is computed of them."""
        yield from ((spec, True) for spec in model.fields(model.params))
        yield from ((spec, False) for spec in model.derived_specs())

    def problems(self, deck: Any) -> Iterator[Found]:
        """Yield controls without a meaning, and starts that do not follow from coefficients."""
        from plexus import registry

        yield from without_cells(deck)
        for name, params in deck.controls.items():
            known = params.regularisation
            if registry.build("control", params).location == "node" and known and known.norm == "H1":
                yield ("controls", name, "regularisation", "norm"), FLAT
        fields = {n for n, p in deck.controls.items() if registry.build("control", p).location == "node"}
        for i, output in enumerate(deck.output):
            if getattr(output, "norm", None) == "H1" and fields & {*(output.to or deck.controls)}:
                yield ("output", i, "norm"), FLAT
        unknowns = {
            spec.name for spec, unknown in self.fields(registry.build("physics", deck.physics)) if unknown
        }
        laws = {n for n, params in deck.controls.items() if registry.build("control", params).ports}
        for path, leaf in everything(deck.physics, "physics"):
            missing = sorted(unknowns - deck.initial.keys())
            if leaf.names & (unknowns | laws) and missing:
                text = "depends on unknowns, so that no start follows from it: give"
                yield tuple(path.split(".")), f"{text} {', '.join(f'initial.{n}' for n in missing)}"

    def doubts(self, deck: Any) -> Iterator[Doubt]:
        """Yield tables that the run does not reach."""
        yield from unreached(deck)

    def look(self, deck: Deck) -> Seen:
        """Return nothing; positions that are no index, or no member, are refused."""
        from functools import partial

        from plexus import registry
        from plexus.discretisations import _positions
        from plexus.mesh.alone import Alone
        from plexus.spaces.members import MemberPlaces, Members

        cls: Any = registry.component("physics", deck.physics.type).cls
        count, first = (deck.ensemble.members, deck.ensemble.first) if deck.ensemble else (None, 0)
        alone: Any = Alone()
        members = Members(alone, count, first, max(cls.unknowns(deck.physics).values()))
        _positions.check(deck, partial(MemberPlaces, members.indices))
        return Seen({}, ())

    def outlook(self, deck: Deck) -> Outlook:
        """Return the sizes: some copies of the state, and a dense matrix per member for implicit steps."""
        from plexus import registry

        cls: Any = registry.component("physics", deck.physics.type).cls
        members = deck.ensemble.members if deck.ensemble else 1
        sizes = cls.unknowns(deck.physics)
        n = sum(sizes.values())
        stepper: Any = registry.component("stepper", deck.time.stepper.type).cls if deck.time else None
        matrix = 3 * n * n if getattr(stepper, "needs", None) is Implicit else 0
        return Outlook(
            None,
            {name: members * k for name, k in sizes.items()},
            BASE,
            8.0 * members * (COPIES * n + matrix),
        )

    def assemble(self, deck: Deck, ctx: Context, t: float) -> Assembled:
        """Return system and values at time ``t``. Collective.

        Raises
        ------
        InputError
            If an initial value cannot be computed.
        """
        _room.require(self.outlook(deck), deck, ctx)
        with ctx.timers("libraries"):
            from plexus.discretisations._points import assemble

        return assemble(deck, ctx, t)


EXAMPLE: dict[str, Any] = {"type": "points"}
