"""What the steps of a march leave for a reduced model, and how checkpoints carry it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.observers.base import Scheduled
from plexus.reduction.balance import Balance

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.coupling.system import System
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
    memory : sequence of str
        Memory variables that are kept.

    Attributes
    ----------
    fields : list of array (n_local, m)
        The unknown after each step.
    stresses : list of array (own points, 9)
        The stresses then.
    memory : dict
        Name -> rows (own points, c) after each step.
    times : list of float
        Their ends [s].
    balance : Balance
        How well the forces of these steps balance.
    """

    def __init__(self, system: System, name: str, memory: Sequence[str]):
        self.system, self.name, self.balance = system, name, Balance(system.forms[name])
        self.fields, self.times = list[Array](), list[float]()
        self.stresses: list[Array] = []
        self.memory: dict[str, list[Array]] = {dual: [] for dual in memory}

    def keep(self, run: Run) -> None:
        """Keep the present state, unless that is done, and look whether its forces balance. Collective."""
        state, u = run.state, run.state.values[self.name]
        # a run that goes on shows the state of its checkpoint again
        if self.times and state.t == self.times[-1]:
            return
        n = self.system.quadrature.n_owned
        self.balance.look(state.t, u, state.internal)
        self.fields.append(u.copy())
        self.times.append(state.t)
        self.stresses.append(run.fields.evaluate("stress", "point")[2][:n].copy())
        for dual, rows in self.memory.items():
            rows.append(state.internal[dual][:n].copy())

    @property
    def largest(self) -> dict[str, float]:
        """Largest root mean square of each memory variable that is kept. Collective."""
        comm = self.system.forms[self.name].space.comm
        return {name: largest(comm, rows) for name, rows in self.memory.items()}

    def require_whole(self, run: Run) -> None:
        """Refuse a checkpoint of a run that has kept nothing.

        Raises
        ------
        InputError
            On all ranks, if it has steps that are not here.
        """
        if run.clock.step and not self.times:
            raise InputError(
                "reduce: the checkpoint has no steps of before: it is not of `plexus reduce` with this deck"
            )


def largest(comm: Comm, rows: Sequence[Array]) -> float:
    """Return the largest root mean square of snapshots (k, c). Collective."""
    squares, count = (
        comm.allreduce(np.array([float((a**2).sum()) for a in rows])),
        comm.allreduce(rows[0].size),
    )
    return float((squares.max() / count) ** 0.5)


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
        """Return the times of the steps and how well they balance."""
        return {"times": self.history.times, "balance": self.history.balance.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take that over; the rows come after it."""
        self._told = state

    def rooms(self, run: Run) -> Mapping[str, Any]:
        """Return the nodes, and the quadrature points for each kind of rows there."""
        system = self.history.system
        points = dict.fromkeys(self._rows(), system.quadrature)
        return {"snapshots": system.spaces[self.history.name], **points}

    def kept(self, run: Run) -> Mapping[str, Array]:
        """Return all steps side by side; nothing before the first one."""
        history = self.history
        if not history.times:
            return {}
        found = {"snapshots": np.concatenate(history.fields, axis=1)}
        n = history.system.quadrature.n_local
        for name, rows in self._rows().items():
            side_by_side = np.concatenate(rows, axis=1)
            found[name] = np.zeros((n, side_by_side.shape[1]))
            found[name][: len(side_by_side)] = side_by_side
        return found

    def take(self, rows: Mapping[str, Array]) -> None:
        """Go on from these steps."""
        history, n = self.history, self.history.system.quadrature.n_owned
        history.times = [float(t) for t in self._told["times"]]
        history.balance.restore(self._told["balance"])
        count = len(history.times)
        history.fields = [np.ascontiguousarray(a) for a in np.split(rows["snapshots"], count, axis=1)]
        for name, kept in self._rows().items():
            kept[:] = [np.ascontiguousarray(a) for a in np.split(rows[name][:n], count, axis=1)]

    def _rows(self) -> dict[str, list[Array]]:
        """Return what is kept at points by the names that it has in checkpoints."""
        memory = {f"snapshots_{name}": rows for name, rows in self.history.memory.items()}
        return {"snapshots_stress": self.history.stresses, **memory}
