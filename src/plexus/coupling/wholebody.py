"""The whole body in a reduced run: its displacement, and its memory by replay or by fits, when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from plexus.coupling.replay import Replay
from plexus.errors import InputError
from plexus.reduction.balance import Balance
from plexus.reduction.gappy import Gappy

if TYPE_CHECKING:
    from plexus.coupling.system import System
    from plexus.fields.state import State
    from plexus.protocols import Instant
    from plexus.reduction.lifts import Lifts
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
    lifts : Lifts
        What is prescribed.

    Attributes
    ----------
    modes : array (n_local, m, K + n)
        Responses to what is prescribed, and behind them the basis.
    correction : array (n_local, m)
        A displacement that is added, see `plexus.coupling.correction`.
    corrected : int
        How often it has changed.
    replay : Replay
        The memory at all quadrature points, along the steps so far.
    remembers : bool
        Whether the memory of the body is to be had at all; without it no balance is looked at.
    balance : Balance
        How far the forces were out of balance wherever fields were made.
    """

    def __init__(self, full: System, name: str, model: Model, lifts: Lifts):
        self.full, self.name, self.model, self.lifts = full, name, model, lifts
        self.modes = model.basis
        self.replay = Replay(full, name, self)
        self.correction, self.corrected = full.spaces[name].zeros(), 0
        self.balance = Balance(full.forms[name], model.facts["forces"])
        self.gappy: dict[str, Gappy] | None = None
        self.remembers = True

    def turn(self, model: Model) -> None:
        """Turn to another basis and other points, whose first modes are those of before. Collective."""
        self.model = model
        self.lifts.settle(model.kept.lifts)
        fields = self.lifts.fields
        self.modes = np.concatenate([fields, model.basis], axis=2) if self.lifts.count else model.basis
        if self.gappy is not None:
            self.fit()

    def numbers(self, t: float, g: Array) -> Array:
        """Return the amplitudes of what is prescribed, and behind them coordinates (n,). Collective."""
        return np.concatenate([self.lifts.at(t), g])

    def combined(self, numbers: Array) -> Array:
        """Return the displacement of such numbers at all nodes, (n_local, m); the last may be left out."""
        return np.asarray(self.modes[:, :, : len(numbers)] @ numbers) + self.correction

    def along(self, steps: Sequence[Array], room: int) -> list[Array]:
        """Return `combined` of several, at most ``room``, for which the modes are read once."""
        # products of another size round in another way: interrupted marches would go on with other digits
        rows = np.zeros((room, self.modes.shape[2]))
        for row, numbers in zip(rows, steps, strict=False):
            row[: len(numbers)] = numbers
        count, m, modes = self.modes.shape
        found = (rows @ self.modes.reshape(count * m, modes).T).reshape(room, count, m)[: len(steps)]
        return list(found + self.correction)

    def correct(self, field: Array) -> None:
        """From now on add a displacement (n_local, m), ghosts included; the replay has caught up."""
        self.correction, self.corrected = field, self.corrected + 1

    def displacement(self, state: State) -> Array:
        """Return the displacement of a state of coordinates at all nodes, (n_local, m). Collective."""
        return self.combined(self.numbers(state.t, state.values[self.name][:, 0]))

    def note(self, at: Instant, g: Array) -> None:
        """Remember a step to coordinates (n,), as far as the memory is asked for later. Collective."""
        if self.remembers:
            self.replay.note(at, self.numbers(at.t, g))

    def memory(self, state: State) -> dict[str, Array]:
        """Return the memory of a state of coordinates; that of a replay has to balance. Collective.

        Raises
        ------
        InputError
            On all ranks, if it is not kept.
        """
        if not self.remembers:
            raise InputError(
                "rom.duals: none keeps no memory of the whole body, and something reads it: replay has it"
            )
        if self.gappy is not None:
            return {name: self._fitted(name, rows) for name, rows in state.internal.items()}
        found = self.replay.at(state.t)
        if state.step:
            self.balance.look(state.t, self.displacement(state), found)
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
