"""What is stored of a reduced run: coordinates, memory at few points and of the body, a completed model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.linalg import norm

from plexus.coupling.system import System
from plexus.coupling.wholebody import WholeBody
from plexus.errors import InputError
from plexus.fields.keys import Key, keyed
from plexus.fields.state import State
from plexus.io.places import SAME, summed
from plexus.reduction.model import assembled
from plexus.reduction.points import Coordinates, ReducedPoints
from plexus.spaces.quadrature_space import QuadratureSpace

if TYPE_CHECKING:
    from plexus.coupling.base import Packed
    from plexus.reduction.lifts import Lifts
    from plexus.reduction.model import Model

Array = np.ndarray


class ReducedState(System):
    """The state of a reduced model, in checkpoints and as fields. Construction is collective.

    Parameters
    ----------
    full : System
        The system that is reduced.
    model : Model
        Basis and cubature.
    lifts : Lifts
        What is prescribed.
    solver : object
        What counts Newton steps, with the solver of the full model as ``solver``.

    Attributes
    ----------
    full_order : bool
        Whether the full model has taken over.
    """

    def __init__(self, full: System, model: Model, lifts: Lifts, solver: Any):
        name = full.equations[0].field.name
        self.full, self.first, self.name = full, model, name
        self.comm, self.counted, self.lifts = model.points.comm, solver, lifts
        self.whole = WholeBody(full, name, model, lifts)
        solvers: Any = {name: solver}
        super().__init__({}, full.equations, {}, solvers, {}, controls=full.controls)
        self.full_order, self._widths, self._facts = False, dict[str, int](), dict[str, Any]()
        self._corrected = 0
        space = full.spaces[name]
        width = space.components * model.basis.shape[2]
        self._told = summed(space, model.basis[: space.n_owned].reshape(space.n_owned, width))

    def turn(self, model: Model) -> None:
        """Turn to another basis and other points, whose first modes are those of before. Collective."""
        self.model = model
        self._make_room(model.points, model.basis.shape[2])
        self.whole.turn(model)

    def _make_room(self, points: ReducedPoints, modes: int) -> None:
        """Have rows for the memory at some points and for as many coordinates."""
        rows: Any = {name: points.like(space) for name, space in self.full.points.items()}
        spaces: Any = {self.name: Coordinates(self.comm, modes)}
        self.points, self.spaces = rows, spaces

    def hand_over(self) -> None:
        """Have the rows and the solver of the full model."""
        self.full_order, self.points, self.spaces = True, self.full.points, self.full.spaces
        self.solvers = {self.name: self.counted.solver}

    def expanded(self, rows: Array) -> Array:
        """Return coordinates as this model has them, or the body's displacement where it marches.

        What is prescribed is then that of the latest step: such a displacement is a guess.
        """
        modes = self.model.basis.shape[2]
        if not self.full_order:
            return np.concatenate([rows, np.zeros((modes - len(rows), 1))])
        if rows.shape[1] == self.full.spaces[self.name].components and len(rows) == len(self.model.basis):
            return rows
        return np.ascontiguousarray(self.whole.combined(np.concatenate([self.lifts.latest, rows[:, 0]])))

    # fields

    @property
    def body(self) -> System:
        """The full system."""
        return self.full

    def displacement(self, state: State) -> dict[str, Array]:
        """Return the displacement at all nodes. Collective."""
        return {self.name: state.values[self.name] if self.full_order else self.whole.displacement(state)}

    def remembered(self, state: State) -> dict[str, Array]:
        """Return the memory of the whole body, and judge its balance. Collective."""
        return dict(state.internal) if self.full_order else self.whole.memory(state)

    # checkpoints

    @property
    def completed(self) -> bool:
        """Whether the model is another than that of the file."""
        return self.model is not self.first

    def memory(self) -> Packed:
        """Return the memory of the whole body as far as fields need it, and a completed model."""
        if self.full_order:
            return {}
        replay = self.whole.replay
        found: Packed = {}
        if self.whole.remembers:
            replay.catch_up()
            found |= {Key("memory", n): (self.full.points[n], a) for n, a in replay.memory.items()}
        if self.completed:
            found |= {_key(n): (self._room(n, a.shape[1]), a) for n, a in self.model.arrays.items()}
        if self.whole.corrected:
            found[CORRECTION] = self.full.spaces[self.name], self.whole.correction
        return found

    def recall(self, rows: Mapping[Key, Array]) -> None:
        """Take over the memory of the whole body, and a model that has been completed."""
        found = {key.field: a for key, a in rows.items() if not key.label}
        if found:
            self.whole.replay.restart(found)
        if CORRECTION in rows:
            self.whole.correct(rows[CORRECTION])
            self.whole.corrected = self._corrected
        model = self.model
        arrays = {_name(key): a for key, a in rows.items() if key.label.startswith("model/")}
        if arrays:
            own = {n: a[: self._room(n, a.shape[1]).n_owned] for n, a in arrays.items()}
            model = assembled(self.full.forms[self.name], self.full.quadrature, self._facts, own)
        if arrays or CORRECTION in rows:
            self.turn(model)

    def layout(self, state: State) -> dict[Key, Any]:
        """Return the rows of coordinates, of the memory at the points, and of that of the whole body."""
        found = super().layout(state)
        if self.full_order:
            return found
        if self.whole.remembers:
            found |= keyed("memory", self.full.points)
        if self._corrected:
            found[CORRECTION] = self.full.spaces[self.name]
        return found | {_key(n): self._room(n, width) for n, width in self._widths.items()}

    def _room(self, name: str, width: int) -> Any:
        """Return the points or nodes that an array of a model has rows for."""
        space = self.full.spaces[self.name]
        if name.endswith(f"/{self.name}"):
            return space.with_components(width, False)
        return QuadratureSpace(space, self.full.quadrature.degree, width, False)

    def pack(self, arrays: Mapping[Key, Array]) -> Packed:
        """Return the arrays with their spaces; coordinates of earlier states as this model has them."""
        return super().pack({k: self.expanded(a) if k.field == self.name else a for k, a in arrays.items()})

    def facts(self) -> dict[str, Any]:
        """Return what a restart must know before it reads arrays, and what has happened."""
        whole = self.whole
        own: dict[str, Any] = {
            "full_order": self.full_order, "balance": whole.balance.state(), "remembers": whole.remembers,
            "corrected": whole.corrected,
        }  # fmt: skip
        if self.completed and not self.full_order:
            own |= {
                "model": self.model.facts,
                "widths": {n: a.shape[1] for n, a in self.model.arrays.items()},
            }
        elif not self.full_order:
            own["modes"] = self._told.tolist()
        return super().facts() | {"rom": own}

    def expect(self, facts: Mapping[str, Any]) -> None:
        """Make room for the state of a checkpoint with these facts. Collective.

        Raises
        ------
        InputError
            On all ranks, if this run needs the memory of the body, and that one had none, or if its
            coordinates are those of other modes.
        """
        told = facts.get("rom", {})
        # what was completed is in the checkpoint; those of before do not tell
        here, size = self._told, float(norm(self._told))
        there = np.array(told.get("modes", here))
        if there.shape != here.shape or not np.allclose(there, here, rtol=0, atol=SAME * size):
            raise InputError(
                "rom.file: the checkpoint belongs to another reduced model: restart with the file that it "
                "was written with, or begin anew without --restart"
            )
        if self.whole.remembers and not told.get("remembers", True):
            raise InputError("the checkpoint has no memory of the whole body: its run had `rom.duals: none`")
        self.full_order, self._widths = bool(told.get("full_order")), told.get("widths", {})
        self._facts, self._corrected = told.get("model", self.model.facts), int(told.get("corrected", 0))
        if self.full_order:
            self.hand_over()
            return
        names, weights = np.array(self._facts["names"], dtype=np.int64), np.array(self._facts["weights"])
        self._make_room(ReducedPoints(self.full.quadrature, names, weights), self._facts["modes"])

    def adopt(self, facts: Mapping[str, Any]) -> None:
        """Continue from what `facts` returned."""
        super().adopt(facts)
        told = facts.get("rom", {})
        if "balance" in told:
            self.whole.balance.restore(told["balance"])


CORRECTION = Key("memory", "correction", "body")
"""The key of `WholeBody.correction` in checkpoints."""


def _key(name: str) -> Key:
    """Return the key of an array of a model in checkpoints."""
    label, _, field = name.partition("/")
    return Key("memory", field, f"model/{label}")


def _name(key: Key) -> str:
    """Return the name that `_key` was made of."""
    return f"{key.label.removeprefix('model/')}/{key.field}"
