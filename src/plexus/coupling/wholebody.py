"""The whole body in a reduced run: its displacement, and its memory by replay or by fits, when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.coupling.replay import Replay
from plexus.errors import InputError
from plexus.reduction.balance import Balance
from plexus.reduction.gappy import Gappy

if TYPE_CHECKING:
    from plexus.coupling.system import System
    from plexus.fields.state import State
    from plexus.reduction.model import Model

Array = np.ndarray


class WholeBody:
    """Fields of the whole body, made of coordinates and of the memory at few points.

    Parameters
    ----------
    full : System
        The system that is reduced.
    name : str
        Its unknown.
    model : Model
        Basis and cubature.

    Attributes
    ----------
    replay : Replay
        The memory at all quadrature points, along the steps so far.
    balance : Balance
        How far the forces were out of balance wherever fields were made.
    """

    def __init__(self, full: System, name: str, model: Model):
        self.full, self.name, self.model = full, name, model
        self.replay = Replay(full, name, model.basis)
        self.balance = Balance(full.forms[name], model.facts["forces"])
        self.gappy: dict[str, Gappy] | None = None

    def turn(self, model: Model) -> None:
        """Turn to another basis and other points, whose first modes are those of before. Collective."""
        self.model, self.replay.basis = model, model.basis
        if self.gappy is not None:
            self.fit()

    def displacement(self, rows: Array) -> Array:
        """Return the displacement of coordinates (n, 1) at all nodes, (n_local, m)."""
        return np.asarray(self.model.basis[:, :, : len(rows)] @ rows[:, 0])

    def memory(self, state: State) -> dict[str, Array]:
        """Return the memory of a state of coordinates; that of a replay has to balance. Collective."""
        if self.gappy is not None:
            return {name: self._fitted(name, rows) for name, rows in state.internal.items()}
        found = self.replay.at(state.t)
        if state.step:
            self.balance.look(state.t, self.displacement(state.values[self.name]), found)
        return found

    def settle(self) -> None:
        """Look at the balance of the latest step, if there was one. Collective."""
        if self.replay.seen is not None:
            self.balance.look(*self.replay.latest(), self.replay.memory)

    def fit(self) -> None:
        """From now on make the memory by its bases, without replay. Collective.

        Raises
        ------
        InputError
            If the model lacks the basis of a memory variable.
        """
        kept = self.model.kept.duals
        if lacking := [name for name in self.full.points if name not in kept]:
            raise InputError(
                f"rom.duals: gappy needs a basis of {', '.join(lacking)}: `reduce: {{duals: all}}` keeps it"
            )
        self.gappy = {name: Gappy(name, kept[name], self.model.points) for name in self.full.points}

    def _fitted(self, name: str, rows: Array) -> Array:
        """Return a memory variable of its values at the points."""
        assert self.gappy is not None
        space = self.full.points[name]
        found = space.zeros()
        found[: space.n_owned] = self.gappy[name].reconstructed(rows)
        space.halo.forward(found)
        return found
