"""What the steps of a march leave for a reduced model, and how checkpoints carry it."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.observers.base import Scheduled
from plexus.reduction.balance import Balance

if TYPE_CHECKING:
    from plexus.coupling.system import System
    from plexus.offline.snapshots import Snapshots
    from plexus.reduction.lifts import Lifts
    from plexus.run import Run

Array = np.ndarray


class History:
    """What the steps of a march leave.

    Parameters
    ----------
    system : System
        The full model.
    name : str
        The unknown.
    snapshots : Snapshots
        Where it goes.
    lifts : Lifts, optional
        What is prescribed, with its fields; displacements are kept without it.

    Attributes
    ----------
    times : list of float
        The ends of the steps [s].
    balance : Balance
        How well the forces of these steps balance.
    """

    def __init__(self, system: System, name: str, snapshots: Snapshots, lifts: Lifts | None = None):
        self.system, self.name, self.snapshots, self.lifts = system, name, snapshots, lifts
        self.times, self.balance = list[float](), Balance(system.forms[name])

    def keep(self, run: Run) -> None:
        """Keep the present state, unless that is done, and look whether its forces balance. Collective."""
        state, u = run.state, run.state.values[self.name]
        # a run that goes on shows the state of its checkpoint again
        if self.times and state.t == self.times[-1]:
            return
        n = self.system.quadrature.n_owned
        self.balance.look(state.t, u, state.internal)
        self.times.append(state.t)
        # modes are zero where values are prescribed
        shown = u.copy() if self.lifts is None else u - self.lifts.field(state.t)
        stress = run.fields.evaluate("stress", "point")[2][:n].copy()
        memory = {dual: state.internal[dual][:n].copy() for dual in self.snapshots.memory}
        # batches of points hold each other, and through them the memory of the step that is over: all young
        gc.collect(1)
        self.snapshots.add(shown, stress, memory)

    def require_whole(self, run: Run) -> None:
        """Refuse a checkpoint of a run that has kept nothing; the last step is shown again when it goes on.

        Raises
        ------
        InputError
            On all ranks, if it has earlier steps that are not here.
        """
        if run.clock.step > len(self.times) + 1:
            raise InputError(
                "reduce: the checkpoint has no steps of before: it is not of `plexus reduce` with this deck"
            )


class Carried(Scheduled):
    """An output that writes nothing: it gives a history to checkpoints and takes it back (`Keeps`)."""

    def __init__(self, history: History):
        super().__init__(SimpleNamespace(every=None))
        self.history = history
        self._told: dict[str, Any] = {}

    def observe(self, run: Run) -> None:
        """Do nothing."""
        return

    def state(self) -> dict[str, Any]:
        """Return the times of the steps, how well they balance, and how their rows are to be read."""
        history = self.history
        return {
            "times": history.times, "balance": history.balance.state(), "snapshots": history.snapshots.state()
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Take that over; the rows come after it."""
        self._told = state

    def rooms(self, run: Run) -> Mapping[str, Any]:
        """Return the nodes, and the quadrature points for each kind of rows there."""
        system = self.history.system
        points = dict.fromkeys(self.history.snapshots.parts, system.quadrature)
        return points | {"decomposed": system.spaces[self.history.name]}

    def kept(self, run: Run) -> Mapping[str, Array]:
        """Return all modes and rows side by side; nothing before the first step."""
        history, rooms = self.history, self.rooms(run)
        if not history.times:
            return {}
        return {name: _beside(part.rows, rooms[name]) for name, part in history.snapshots.parts.items()}

    def take(self, rows: Mapping[str, Array]) -> None:
        """Go on from these."""
        history = self.history
        history.times = [float(t) for t in self._told["times"]]
        history.balance.restore(self._told["balance"])
        n, field = history.system.quadrature.n_owned, rows["decomposed"]
        own = {name: a[:n] for name, a in rows.items()} | {"decomposed": field}
        history.snapshots.restore(self._told["snapshots"], own)


def _beside(rows: Sequence[Array], room: Any) -> Array:
    """Return rows (own or local, c) side by side, zero for ghosts that have none."""
    c = rows[0].shape[1]
    found = np.zeros((room.n_local, c * len(rows)))
    for k, row in enumerate(rows):
        found[: len(row), c * k : c * (k + 1)] = row
    return found
