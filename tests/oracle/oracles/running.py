"""Runs a deck of the oracles in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from oracles.cases import Case, Tree
from oracles.leaves import Writer, plain, written

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.run import Run


@dataclass
class Outcome:
    """What a run gave: quantities with their units, places and values of the nodes, histories."""

    quantities: dict[str, float]
    units: dict[str, str]
    nodes: dict[str, tuple[np.ndarray, np.ndarray]]
    history: list[tuple[float, dict[str, float]]]


def deck_of(case: Case, write: Writer = plain) -> Tree:
    """Return a case's deck as plain data."""
    return written(case.deck, write)


def read(data: Tree, folder: Path) -> Deck:
    """Return a deck given as plain data."""
    from plexus.deck.schema import Deck

    return Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})


def ended(data: Tree, folder: Path, *observers: Any) -> Run:
    """Run a deck on all ranks to its end. Collective."""
    from mpi4py import MPI

    from plexus.compose import compose
    from plexus.runtime import context

    made = compose(read(data, folder), context.create(MPI.COMM_WORLD, folder))
    made.observers = list(observers)
    made.execute()
    return made


def run(data: Tree, case: Case, folder: Path, scale: float = 1.0, order: int | None = None) -> Outcome:
    """Run a deck on all ranks; ``scale`` and ``order`` are those of a mesh file. Collective.

    Raises
    ------
    PlexusError, ValidationError
        If the deck is refused or cannot be solved.
    """
    from mpi4py import MPI

    if case.body.file:
        if MPI.COMM_WORLD.rank == 0:
            case.body.write(folder / "mesh.msh", scale, order)
        MPI.COMM_WORLD.Barrier()
    watch = _Watch()
    made = ended(data, folder, watch)
    nodes = {}
    for name in case.units:
        space = made.system.spaces[name]
        nodes[name] = (space.points[: space.n_owned], made.state.values[name][: space.n_owned])
    return Outcome(dict(made.values()), dict(made.units), nodes, watch.seen)


class _Watch:
    """An output that keeps all quantities of every step."""

    def __init__(self) -> None:
        from plexus.stepping.schedules import Steps

        self.seen: list[tuple[float, dict[str, float]]] = []
        self.schedule = Steps(1)

    def start(self, run: Any) -> None:
        """Nothing to prepare."""

    def observe(self, run: Any) -> None:
        """Keep the quantities."""
        self.seen.append((run.clock.t, dict(run.values())))

    def finish(self, run: Any) -> None:
        """Nothing to close."""

    def state(self) -> dict[str, Any]:
        """Nothing to remember."""
        return {}

    def restore(self, state: Any) -> None:
        """Nothing to restore."""
