"""Training loads of a dictionary: the members of a deck's sweep, marched one after the other by all ranks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.compose import compose
from plexus.deck.members import check, resolve
from plexus.deck.schema import Deck
from plexus.fields.state import State
from plexus.offline.history import History
from plexus.offline.main import kept_of, reducible
from plexus.offline.snapshots import Snapshots
from plexus.offline.whole import let_go, require_end, require_held
from plexus.runtime.first import on_first

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.run import Run
    from plexus.runtime.context import Context

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Member:
    """What one training run left on this rank.

    Attributes
    ----------
    fields : array (n_local m, steps)
        The unknown at the nodes after each step, ghosts included.
    stresses : array (steps, points, 9)
        Stress at the own quadrature points.
    memory : dict
        Memory variable -> values at the own points after each step, (steps, points, k); those of the deck.
    last : dict
        Internal variable -> values at the own points at the end, (points, k).
    load : array (n_local,)
        The field by which a model is recommended, at the nodes.
    forces, imbalance : float
        The largest forces [N], and the largest share of them out of balance.
    """

    fields: Array
    stresses: Array
    memory: dict[str, Array]
    last: dict[str, Array]
    load: Array
    forces: float
    imbalance: float


def decks(deck: Deck, comm: Comm) -> list[Deck]:
    """Return the decks of a sweep's members; the first rank reads them. Collective.

    Raises
    ------
    InputError
        On all ranks, if the values of a member make no valid deck.
    """
    plain = on_first(comm, lambda: [resolve(deck, member).plain() for member in check(deck)])
    return [Deck.from_plain(each) for each in plain]


def march(deck: Deck, ctx: Context, load: str, at: float) -> tuple[Run, Member]:
    """March one member with the full model and return its run and what it left. Collective.

    Parameters
    ----------
    deck : Deck
        The member's deck.
    ctx : Context
        The run that makes the dictionary.
    load : str
        Field by which a model is recommended.
    at : float
        When it is read, after the start [s].

    Raises
    ------
    InputError
        If the physics cannot be reduced or has no such field.
    """
    run = compose(deck.model_copy(update={"rom": None, "output": (), "quantities": {}}), ctx)
    equation = reducible(run)
    name, points = equation.field.name, run.system.quadrature  # type: ignore[attr-defined]
    require_held(run, name)
    shown = loaded(run, load, at)
    kept = [] if deck.reduce is None else kept_of(equation, deck.reduce.duals)  # type: ignore[attr-defined]
    # what runs have in common is told by whole steps
    snapshots = Snapshots(run.system.forms[name], points, kept)  # type: ignore[attr-defined]
    found = History(run.system, name, snapshots)  # type: ignore[arg-type]
    run.observers = []
    for _ in run.march():
        found.keep(run)
    require_end(run)
    last = {n: a[: points.n_owned].copy() for n, a in run.state.internal.items()}
    fields = np.column_stack([u.ravel() for u in snapshots.fields.rows])
    stresses = np.array(snapshots.stresses.rows)
    memory = {dual: np.array(part.rows) for dual, part in snapshots.memory.items()}
    balance = found.balance
    return run, Member(fields, stresses, memory, last, shown, balance.scale, balance.worst)


def loaded(run: Run, load: str, at: float) -> Array:
    """Return the field by which a model is recommended at the nodes, a time after the start. Collective."""
    fields = run.fields
    fields.look(State(run.state.values, run.clock.t + at, 0, run.state.internal))
    _, _, values = fields.evaluate(load)
    return np.array(values[:, 0])


def marched(deck: Deck, ctx: Context, load: str, at: float) -> Iterator[tuple[Run, Member]]:
    """March all members of a deck's sweep, one after the other. Collective."""
    every = decks(deck, ctx.comm)
    for i, each in enumerate(every):
        ctx.log.info(f"training run {i + 1} of {len(every)}")
        yield march(each, ctx, load, at)
        let_go()


def weighed(comm: Comm, columns: Array, weights: Array) -> Any:
    """Return the Gram matrix of fields at the own points, (k, k), by one reduction. Collective."""
    return comm.allreduce((columns * weights[:, None]).T @ columns)
