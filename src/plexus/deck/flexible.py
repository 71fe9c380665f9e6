"""Preconditioners that change from one application to the next need a Krylov method that bears it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from plexus import registry

if TYPE_CHECKING:
    from plexus.deck.schema import Deck, SolverBlock

FLEXIBLE = ("fcg", "fgmres")
"""Krylov methods whose preconditioner may vary."""


def problems(deck: Deck) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield place and sentence of every Krylov method that does not go with its preconditioner."""
    for name, block in deck.solver.items():
        yield from _chain(block, ("solver", name))


def _chain(block: SolverBlock, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield the problems of a block and of its fallbacks."""
    yield from _block(block, place)
    if block.on_failure != "error":
        yield from _chain(block.on_failure, (*place, "on_failure"))


def _block(block: SolverBlock, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield what is wrong with one block."""
    chosen: Any = block.preconditioner
    if chosen is None or not registry.build("preconditioner", chosen).varies:
        return
    named: list[tuple[tuple[Any, ...], Any]] = [((*place, "ksp"), block.ksp)] if block.ksp is not None else []
    named += [((*place, "options", k), v) for k, v in block.options.items() if k.lstrip("-") == "ksp_type"]
    for where, method in named:
        if method not in FLEXIBLE:
            text = (
                f"{chosen.type} changes from one application to the next, and {method} needs one that stays: "
                "write fgmres, or fcg where the matrix is symmetric, or leave the method out"
            )
            yield where, text
