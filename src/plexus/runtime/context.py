"""What every part of a run may need: the communicator, the run folder, the log, timers, stop requests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.fileformat import DECK
from plexus.runtime import provenance
from plexus.runtime.files import write_text
from plexus.runtime.log import Log
from plexus.runtime.stop import StopRequests
from plexus.runtime.timers import Timers

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


@dataclass
class Context:
    """The surroundings of one run on one rank.

    Attributes
    ----------
    comm : communicator of all ranks of the run.
    folder : run folder, prepared by `plexus.runtime.folder.prepare`.
    log, timers, stop : services of this rank.
    seed : seed of everything random.
    device : where element work is done, ``cpu`` or ``cuda``.
    placement : where the ranks are (`plexus.devices.placement.place`).
    texts : what result files carry along: ``deck`` and ``provenance`` (JSON).
    pending : whether a restart is still to be accepted; until then deck and summary of before stay.
    told : what is known of a run that is refused at its end, for the summary.
    rng : random numbers, the same stream on every rank; its state goes into checkpoints.
    """

    comm: Comm
    folder: Path
    log: Log
    timers: Timers
    stop: StopRequests
    seed: int = 0
    device: str = "cpu"
    placement: list[dict[str, Any]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    pending: bool = False
    told: dict[str, Any] = field(default_factory=dict)
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        """Seed the random numbers."""
        self.rng = np.random.Generator(np.random.PCG64(self.seed))

    def describe(self, deck: str) -> None:
        """Fill `texts` with the effective deck and the provenance of this run. Collective."""
        found = None
        if self.root:
            facts = provenance.collect(self.comm.size, self.seed)
            found = {"deck": deck, "provenance": json.dumps(facts)}
        self.texts = self.comm.bcast(found)

    def accept(self) -> None:
        """Begin, or go on with what is in the run folder: write the effective deck there.

        Raises
        ------
        OutputError
            On rank 0 if it cannot be written.
        """
        self.pending = False
        if self.root and self.texts:
            write_text(self.folder / DECK, self.texts["deck"])

    @property
    def root(self) -> bool:
        """True on the rank that speaks and writes small files."""
        return self.comm.rank == 0


def create(
    comm: Comm,
    folder: Path,
    *,
    seed: int = 0,
    device: str = "cpu",
    time_limit: float | None = None,
    margin: float | None = None,
    begin: float | None = None,
) -> Context:
    """Return a context for a prepared run folder; times in seconds. Starts no signal handler.

    ``begin`` is when the clock of the run started, on the monotonic clock; now by default.
    """
    stop = StopRequests(comm, time_limit, margin)
    return Context(comm, folder, Log(comm, folder), Timers(begin), stop, seed, device)
