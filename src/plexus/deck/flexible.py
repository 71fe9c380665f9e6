"""Preconditioners that go neither with their Krylov method nor with the equations that they are for.

One that changes from one application to the next needs a method that bears it; one for a block of fields
needs such a block; one made at rest needs equations that follow their loads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.discretisation import made_for
from plexus.errors import InputError
from plexus.protocols import MatrixPhysics, Outline, WeakPhysics

if TYPE_CHECKING:
    from plexus.deck.schema import Deck, SolverBlock
    from plexus.protocols import Equation

FLEXIBLE = ("fcg", "fgmres", "conjugate_directions")
"""Krylov methods whose preconditioner may vary."""


def problems(deck: Deck) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield place and sentence of what does not go together in the solver blocks of a deck."""
    systems, here = _systems(deck), made_for(deck.physics.type).physics
    outline = _outline(deck) if here is MatrixPhysics else None
    for name, block in deck.solver.items():
        served = [name] if name in systems else [n for n in systems if n not in deck.solver]
        for place, part in _chain(block, ("solver", name)):
            yield from _block(part, place)
            yield from _misfits(part, place, [systems[n] for n in served])
            if here is not MatrixPhysics or outline is not None:
                yield from _unfit(part, place, outline)
            # the matrix of the start is one of a sequence, too
            if here is not MatrixPhysics:
                yield from _restless(part, place, [systems[n] for n in served])


def _systems(deck: Deck) -> dict[str, Equation]:
    """Return the equations by the name of their first field; none where nothing is solved."""
    if not deck.solver or made_for(deck.physics.type).physics is not WeakPhysics:
        return {}
    cls: Any = registry.component("physics", deck.physics.type).cls
    return {e.field.name: e for e in cls(deck.physics).equations}


def _chain(block: SolverBlock, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], SolverBlock]]:
    """Yield place and settings of a block and of its fallbacks."""
    yield place, block
    if block.on_failure != "error":
        yield from _chain(block.on_failure, (*place, "on_failure"))


def _misfits(
    block: SolverBlock, place: tuple[Any, ...], systems: Sequence[Equation]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield why a preconditioner is not for one of the systems that its block serves."""
    if block.preconditioner is None:
        return
    member = registry.build("preconditioner", block.preconditioner)
    for equation in systems:
        for below, text in member.problems(tuple(spec.name for spec in equation.fields)):
            yield (*place, "preconditioner", *below), text


def _outline(deck: Deck) -> Outline | None:
    """Return the sizes of a linear system; none where its file cannot be read, which is told elsewhere."""
    with suppress(InputError):
        found: Outline = registry.build("problem", deck.physics.problem).outline()
        return found
    return None


def _unfit(
    block: SolverBlock, place: tuple[Any, ...], outline: Outline | None
) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield why a preconditioner is not for the matrix of a deck."""
    if block.preconditioner is not None:
        for below, text in registry.build("preconditioner", block.preconditioner).unfit(outline):
            yield (*place, "preconditioner", *below), text


def _restless(
    block: SolverBlock, place: tuple[Any, ...], systems: Sequence[Equation]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield that a tangent at rest stands for none of the march, whose rates it lacks."""
    if block.preconditioner_from != "rest":
        return
    evolving = [e.field.name for e in systems if e.evolving]
    if evolving or not systems:
        what = f"{' and '.join(evolving)} changes at a rate" if evolving else "this model has rates"
        text = "which the tangent at rest lacks: rest is for quasi-static equations on elements"
        yield (*place, "preconditioner_from"), f"{what}, {text}"


def _block(block: SolverBlock, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield what is wrong with one block."""
    chosen: Any = block.preconditioner
    if chosen is None or not _varies(chosen):
        return
    named: list[tuple[tuple[Any, ...], Any]] = [((*place, "ksp"), block.ksp)] if block.ksp is not None else []
    named += [((*place, "options", k), v) for k, v in block.options.items() if k.lstrip("-") == "ksp_type"]
    for where, method in named:
        if method not in FLEXIBLE:
            text = (
                f"{chosen.type} changes from one application to the next, and {method} needs one that stays: "
                "write fgmres, or, where the matrix is symmetric, fcg or conjugate_directions, or leave the "
                "method out"
            )
            yield where, text


def _varies(chosen: Any) -> bool:
    """Return whether a preconditioner varies; not where only its bundle could tell, which is unsound."""
    try:
        return bool(registry.build("preconditioner", chosen).varies)
    except InputError:
        return False
