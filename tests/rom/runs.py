"""What tests of reduced models share: decks of plain blocks, runs to their end, runs that stop and go on."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

from mpi4py import MPI

from plexus.compose import compose
from plexus.deck.schema import Deck
from plexus.runtime import context

COMM = MPI.COMM_WORLD


def plain(folder, data):
    """Return the deck of plain data, as if it lay in a folder."""
    return Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})


def together(folder):
    """Return the first rank's folder."""
    return Path(COMM.bcast(str(folder) if COMM.rank == 0 else None))


def started(folder, deck):
    """Return the run of a deck, without outputs."""
    run = compose(deck, context.create(COMM, folder))
    run.observers = []
    return run


def ended(run):
    """March a run to its end and return it."""
    for _ in run.march():
        pass
    return run


def continued(whole, again, steps):
    """Let one run take over what another remembers after some steps; march both to their end."""
    for _ in zip(range(steps), whole.march(), strict=False):
        pass
    meta, packed = deepcopy(whole.checkpoint_state()[0]), whole.checkpoint_state()[1]
    again.expect(meta)
    assert again.layout().keys() == packed.keys()
    again.restore_state(meta, {key: rows.copy() for key, (_, rows) in packed.items()})
    return ended(whole), ended(again)
