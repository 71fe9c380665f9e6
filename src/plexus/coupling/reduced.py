"""A reduced model as a system: u(x, t) = Σ_j γ_j(t) ψ_j(x), with the law asked at few points.

    r_j = Σ_k w_k σ(Σ_i γ_i E_i(x_k) + ε_0(x_k, t)) : E_j(x_k) + f_j(t) = 0

ψ_j are the modes of a basis, E_j the strain that each causes, x_k and w_k points and weights of a cubature,
ε_0 the strain without displacement (thermal, with a minus), f the loads on the basis. Newton's method solves
for γ; ranks add up what their points contribute, one reduction per iteration. A step costs the same on any
mesh.

The state of a run holds γ and the memory at the points. Fields are there when they are asked for: the
displacement as the sum of modes, the memory by *replay*: the law is marched at all quadrature points along
the displacements of the steps so far.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.coupling.fullsteps import FullSteps
from plexus.coupling.reducedfields import CostlyError, ReducedFields
from plexus.coupling.reducedstep import Step, Steps
from plexus.coupling.replay import Replay
from plexus.coupling.system import System
from plexus.coupling.trust import Record, Trust
from plexus.errors import GuardError, InputError, SolveError
from plexus.fields.keys import Key, keyed
from plexus.fields.state import State
from plexus.protocols import Instant, Reducible
from plexus.reduction.balance import Balance
from plexus.reduction.gappy import Gappy
from plexus.reduction.loads import Loads
from plexus.reduction.model import assembled
from plexus.reduction.points import Coordinates, ReducedPoints, Sites
from plexus.spaces.quadrature_space import QuadratureSpace

if TYPE_CHECKING:
    from plexus.coupling.base import Packed
    from plexus.coupling.refresh import Refresh
    from plexus.reduction.model import Model

Array = np.ndarray


class ReducedSystem(System):
    """One equation of equilibrium on a basis. Construction is collective.

    What needs the whole body is looked at when the run ends (`looks`), not on the way.

    Parameters
    ----------
    full : System
        The system that is reduced; its fields are those of outputs and quantities.
    model : Model
        Basis and cubature.
    times : sequence of float
        Times at which the loads of the run are sampled to find their shapes [s].
    tolerance : float
        Relative residual at which Newton's method ends.
    limit : float
        Largest share of the forces that may be out of balance, at the end and wherever fields are made.
    """

    looks = sys.maxsize

    def __init__(self, full: System, model: Model, times: Sequence[float], tolerance: float, limit: float):
        equation = full.equations[0]
        assert isinstance(equation, Reducible)
        if equation.learned:
            raise InputError(
                f"rom: {', '.join(equation.learned)} is learned, and a reduced run does not watch it"
            )
        name = equation.field.name
        self.full, self.model, self.name = full, model, name
        self.tolerance, self.limit = tolerance, limit
        self.told: dict[str, Any] = {}
        """What the summary tells of the model beside its size."""
        self.comm, self.equation = model.points.comm, equation
        points: Any = {n: model.points.like(space) for n, space in full.points.items()}
        spaces: Any = {name: Coordinates(self.comm, model.basis.shape[2])}
        self.counted = _Counted(full.solvers[name])
        self.fields: ReducedFields
        self._affordable: dict[str, bool] = {}
        solvers: Any = {name: self.counted}
        super().__init__(spaces, full.equations, {}, solvers, {}, points, controls=full.controls)
        form = full.forms[name]
        # what integrands read: controls, and no displacement
        held = {n: (full.controls.members[n], a) for n, a in full.controls.values.items()}
        self.given = {**held, name: (full.spaces[name], full.spaces[name].zeros())}
        self.times = list(times)
        self.loads = Loads(form, equation.load, self.given, times, model.basis)
        self.replay = Replay(full, name, model.basis)
        self.balance = Balance(form, model.facts["forces"])
        self.trust: Trust | None = None
        self.steps_in_full = FullSteps(self)
        self.refresh: Refresh | None = None
        self.refreshed = 0
        """Steps that the full model has taken for that."""
        self.gappy: dict[str, Gappy] | None = None
        self.first = model
        self.full_order, self._widths, self._facts = False, dict[str, int](), dict[str, Any]()
        self._step: Step | None = None
        self._memory: dict[str, Array] | None = None
        self.turn(model)

    def turn(self, model: Model) -> None:
        """Turn to another basis and other points, whose first modes are those of before. Collective."""
        self.model = model
        self.points = self._places(model.points)
        self.spaces = {self.name: Coordinates(self.comm, model.basis.shape[2])}
        self.loads.project(model.basis)
        self.replay.basis = model.basis
        self.sites = Sites(self.full.forms[self.name], model.points, self.given)
        self.steps = Steps(self, max(self.times))
        # what is judged is judged by a model whose points serve it
        if self.trust is not None and not model.open:
            self.trust.turn(model)
        if self.gappy is not None:
            self.fit()

    def _hand_over(self) -> None:
        """Have the rows and the solver of the full model."""
        self.full_order, self.points, self.spaces = True, self.full.points, self.full.spaces
        self.solvers = {self.name: self.counted.solver}

    def _places(self, points: ReducedPoints) -> dict[str, Any]:
        """Return the rows of each memory variable."""
        return {name: points.like(space) for name, space in self.full.points.items()}

    def give_up(self, at: Instant, memory: Mapping[str, Array]) -> None:
        """Let the full model march from here on, with the memory of the body at the start of the step."""
        self._hand_over()
        tally, own = self.counted.solver.tally, self.counted.tally
        tally.solves, tally.newton = tally.solves + own.solves, tally.newton + own.newton
        held: Any = at.before
        held.update(memory)

    @property
    def body(self) -> System:
        """The full system."""
        return self.full

    def prescribe(self, name: str, t: float, array: Array) -> None:
        """Do nothing: modes are zero where values are prescribed."""
        return

    def solve(self, name: str, values: dict[str, Array], at: Instant, held: bool = False) -> int:
        """Solve for the coordinates in place. Collective.

        Raises
        ------
        SolveError
            On all ranks, if Newton's method does not end.
        """
        if self.full_order:
            values[name] = self._expanded(values[name])
            return self.full.solve(name, values, at)
        g = self._expanded(values[name])[:, 0]
        if self.refresh is not None and self.refresh.due(at):
            taken = self.steps_in_full.take(at, self.model.basis @ g)
            g, self._memory = self.steps_in_full.complete(at, taken, search=False)
            self._at, self.refreshed = at, self.refreshed + 1
            values[name] = g[:, None]
            return 0
        if self.model.open:
            self.steps_in_full.close(at)
        why = None
        try:
            self._step = self.steps.of(at)
            g, count = self._step.solve(g)
            self.counted.count(count)
            self._memory = self._step.memory(g)
            why = None if self.trust is None else self.trust.judge(self._memory)
        except SolveError as error:
            if self.trust is None or self.trust.terms.action == "stop":
                raise
            why, count = str(error), 0
        if why is not None:
            assert self.trust is not None
            found, self._memory = self.trust.answer(at, self.model.basis @ g, why)
            g = found
        self._at = at
        values[name] = g if self.full_order else g[:, None]
        return count

    def advance(self, name: str, values: dict[str, Array], at: Instant) -> dict[str, Array]:
        """Return the memory at the points of the cubature, and note the step for fields."""
        if self.full_order and self._memory is None:
            return self.full.advance(name, values, at)
        assert self._memory is not None and self._at is at, "a step is solved before it is advanced"
        found, self._memory = self._memory, None
        if not self.full_order:
            self.replay.note(at, values[name][:, 0].copy())
        return found

    def _expanded(self, rows: Array) -> Array:
        """Return coordinates as this model has them, or the body's displacement where it marches."""
        modes = self.model.basis.shape[2]
        if not self.full_order:
            return np.concatenate([rows, np.zeros((modes - len(rows), 1))])
        if rows.shape[1] == self.full.spaces[self.name].components and len(rows) == len(self.model.basis):
            return rows
        return np.ascontiguousarray(self.model.basis[:, :, : len(rows)] @ rows[:, 0])

    def evaluation(self, constants: Mapping[str, float]) -> ReducedFields:
        """Return the fields of the whole body."""
        self.fields = ReducedFields(self, constants)
        return self.fields

    def implicit(self, name: str) -> Any:
        """Refuse: PETSc's TS marches no reduced model."""
        raise InputError("time.stepper: a reduced model takes quasistatic")

    def say(self, text: str) -> None:
        """Write a line into the log."""
        self.counted.solver.ctx.log.info(text)

    def watch(self, step: int) -> list[str]:
        """Return that the full model has taken over, if it has just done so."""
        told, happened = self.trust, super().watch(step)
        if told is not None:
            happened, told.told = [*happened, *told.told], []
        return happened

    def memory(self) -> Packed:
        """Return the memory of the whole body as far as fields need it, and a completed model."""
        if self.full_order:
            return {}
        self.replay.catch_up()
        found: Packed = {Key("memory", n): (self.full.points[n], a) for n, a in self.replay.memory.items()}
        if self.completed:
            found |= {_key(n): (self._room(n, a.shape[1]), a) for n, a in self.model.arrays.items()}
        return found

    def recall(self, rows: Mapping[Key, Array]) -> None:
        """Take over the memory of the whole body, and a model that has been completed."""
        found = {key.field: a for key, a in rows.items() if not key.label}
        if found:
            self.replay.restart(found)
        arrays = {_name(key): a for key, a in rows.items() if key.label}
        if arrays:
            own = {n: a[: self._room(n, a.shape[1]).n_owned] for n, a in arrays.items()}
            points = next(iter(self.full.points.values()))
            self.turn(assembled(self.full.forms[self.name], points, self._facts, own))

    def layout(self, state: State) -> dict[Key, Any]:
        """Return the rows of coordinates, of the memory at the points, and of that of the whole body."""
        found = super().layout(state)
        if self.full_order:
            return found
        found |= keyed("memory", self.full.points)
        return found | {_key(n): self._room(n, width) for n, width in self._widths.items()}

    def _room(self, name: str, width: int) -> Any:
        """Return the points or nodes that an array of a model has rows for."""
        space = self.full.spaces[self.name]
        if name.endswith(f"/{self.name}"):
            return space.with_components(width, False)
        points = next(iter(self.full.points.values()))
        return QuadratureSpace(space, points.degree, width, False)

    def pack(self, arrays: Mapping[Key, Array]) -> Packed:
        """Return the arrays with their spaces; coordinates of earlier states as this model has them."""
        return super().pack({k: self._expanded(a) if k.field == self.name else a for k, a in arrays.items()})

    @property
    def completed(self) -> bool:
        """Whether the model is another than that of the file."""
        return self.model is not self.first

    def facts(self) -> dict[str, Any]:
        """Return what a restart must know before it reads arrays, and what has happened."""
        own: dict[str, Any] = {
            "full_order": self.full_order, "balance": self.balance.state(), "refreshed": self.refreshed
        }  # fmt: skip
        if self.completed and not self.full_order:
            own |= {
                "model": self.model.facts,
                "widths": {n: a.shape[1] for n, a in self.model.arrays.items()},
            }
        if self.trust is not None:
            own["record"] = asdict(self.trust.record)
        return super().facts() | {"rom": own}

    def expect(self, facts: Mapping[str, Any]) -> None:
        """Make room for the state of a checkpoint with these facts. Collective."""
        told = facts.get("rom", {})
        self.full_order, self._widths = bool(told.get("full_order")), told.get("widths", {})
        self._facts = told.get("model", self.model.facts)
        if self.full_order:
            self._hand_over()
            return
        names, weights = np.array(self._facts["names"], dtype=np.int64), np.array(self._facts["weights"])
        chosen = ReducedPoints(next(iter(self.full.points.values())), names, weights)
        self.points = self._places(chosen)
        self.spaces = {self.name: Coordinates(self.comm, self._facts["modes"])}

    def adopt(self, facts: Mapping[str, Any]) -> None:
        """Continue from what `facts` returned."""
        super().adopt(facts)
        told = facts.get("rom", {})
        if "balance" in told:
            self.balance.restore(told["balance"])
        self.refreshed = int(told.get("refreshed", 0))
        if "record" in told and self.trust is not None:
            self.trust.record = Record(**told["record"])

    def histories(self, state: State) -> dict[str, dict[str, float]]:
        """Return the indicator and the size of the model, where a run judges itself."""
        rows = {} if self.trust is None else {"rom": self.trust.row()}
        return super().histories(state) | rows

    def counts(self) -> dict[str, Any]:
        """Return the size of the model, and its worst balance wherever fields were made. Collective.

        Raises
        ------
        GuardError
            On all ranks, if the forces are out of balance by more than the deck allows.
        """
        told = {"modes": self.model.basis.shape[2], "points": self.model.points.n_global}
        if self.refresh is not None:
            told |= {"refreshed": self.refreshed}
        if self.trust is not None:
            told |= asdict(self.trust.record)
        if self.replay.seen is not None and not self.full_order:
            self.balance.look(*self.replay.latest(), self.replay.memory)
        balance = self.balance.worst
        if not balance <= self.limit:
            raise GuardError(
                f"rom: the reduced model leaves {balance:.2g} of the forces out of balance, more than "
                f"{self.limit:g}: training has not seen such a load; reduce a run that has it, or take the "
                "full model"
            )
        return {"reduced": told | {"imbalance": balance, "limit": self.limit} | self.told}

    def displacement(self, state: State) -> dict[str, Array]:
        """Return the displacement at all nodes."""
        rows = state.values[self.name]
        if self.full_order:
            return {self.name: rows}
        return {self.name: self.model.basis @ self._expanded(rows)[:, 0]}

    def remembered(self, state: State) -> dict[str, Array]:
        """Return the memory of the whole body, and judge its balance. Collective."""
        if self.full_order:
            return dict(state.internal)
        if self.gappy is not None:
            return {name: self._fitted(name, rows) for name, rows in state.internal.items()}
        memory = self.replay.at(state.t)
        if state.step:
            self.balance.look(state.t, self.displacement(state)[self.name], memory)
        return memory

    def fit(self) -> None:
        """From now on make the memory of the whole body by its bases, without replay. Collective.

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
        """Return a memory variable of the whole body, of its values at the points. Collective."""
        assert self.gappy is not None
        space = self.full.points[name]
        found = space.zeros()
        found[: space.n_owned] = self.gappy[name].reconstructed(rows)
        space.halo.forward(found)
        return found

    def affords(self, quantity: str, evaluate: Callable[[], object]) -> bool:
        """Return whether a quantity needs no fields of the whole body. Collective at first."""
        if quantity not in self._affordable:
            try:
                with self.fields.spare():
                    evaluate()
                self._affordable[quantity] = True
            except CostlyError:
                self._affordable[quantity] = False
        return self._affordable[quantity]


def _key(name: str) -> Key:
    """Return the key of an array of a model in checkpoints."""
    label, _, field = name.partition("/")
    return Key("memory", field, f"model/{label}")


def _name(key: Key) -> str:
    """Return the name that `_key` was made of."""
    return f"{key.label.removeprefix('model/')}/{key.field}"


class _Counted:
    """Counts Newton steps where a run looks for a solver."""

    def __init__(self, solver: Any):
        self.solver, self.contexts = solver, solver.contexts
        self.tally = type(solver.tally)()

    def count(self, newton: int) -> None:
        """Add a solve."""
        self.tally.solves += 1
        self.tally.newton += newton

    def drain(self) -> list[Any]:
        """Return the records of steps that the full model took."""
        records: list[Any] = self.solver.drain()
        return records

    def lost(self) -> None:
        """Return nothing."""
        return
