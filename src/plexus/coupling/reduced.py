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
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.coupling.reducedfields import CostlyError, ReducedFields
from plexus.coupling.reducedstep import Step, Steps
from plexus.coupling.replay import Replay
from plexus.coupling.system import System
from plexus.errors import GuardError, InputError
from plexus.fields.keys import Key, by_field, keyed
from plexus.fields.state import State
from plexus.protocols import Instant, Reducible, Since
from plexus.reduction.loads import Loads
from plexus.reduction.points import Coordinates, Sites

if TYPE_CHECKING:
    from plexus.coupling.base import Packed
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
        name = equation.field.name
        self.full, self.model, self.name = full, model, name
        self.tolerance, self.limit, self.imbalance = tolerance, limit, 0.0
        self.judged = np.zeros(2)
        """Largest squares so far of the forces that act, and of what of them is out of balance."""
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
        self.sites = Sites(form, model.points, self.given)
        self.times = list(times)
        self.loads = Loads(form, equation.load, self.given, times, model.basis)
        self.replay = Replay(full, name, model.basis)
        self.steps = Steps(self, max(times))
        self._step: Step | None = None

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
        self._step = self.steps.of(at)
        values[name][:, 0], count = self._step.solve(values[name][:, 0])
        self.counted.count(count)
        return count

    def advance(self, name: str, values: dict[str, Array], at: Instant) -> dict[str, Array]:
        """Return the memory at the points of the cubature, and note the step for fields."""
        assert self._step is not None and self._step.at is at, "a step is solved before it is advanced"
        self.replay.note(at, values[name][:, 0].copy())
        return self._step.memory(values[name][:, 0])

    def evaluation(self, constants: Mapping[str, float]) -> ReducedFields:
        """Return the fields of the whole body."""
        self.fields = ReducedFields(self, constants)
        return self.fields

    def implicit(self, name: str) -> Any:
        """Refuse: PETSc's TS marches no reduced model."""
        raise InputError("time.stepper: a reduced model takes quasistatic")

    def memory(self) -> Packed:
        """Return the memory of the whole body, as far as fields need it."""
        self.replay.catch_up()
        return {Key("memory", n): (self.full.points[n], a) for n, a in self.replay.memory.items()}

    def recall(self, rows: Mapping[Key, Array]) -> None:
        """Take over the memory of the whole body."""
        found = by_field("memory", rows)
        if found:
            self.replay.restart(found)

    def layout(self, state: State) -> dict[Key, Any]:
        """Return the rows of coordinates, of the memory at the points, and of that of the whole body."""
        return super().layout(state) | keyed("memory", self.full.points)

    def _judge(self, t: float, u: Array, memory: Mapping[str, Array]) -> None:
        """Note what is out of balance beside what has acted. Collective.

        Both are the largest so far: a body without loads is under its own stresses, and nothing acts on it.
        """
        form = self.full.forms[self.name]
        forces = form.reactions(t, u, None, {self.name: u, **memory}, Since(0.0, memory))
        own = [float((forces**2).sum())]
        own.append(float((form.released(forces) ** 2).sum()))
        # a share that is not a number stays, and is no balance
        self.judged = np.maximum(self.judged, self.comm.allreduce(np.array(own)))
        acting, rest = self.judged
        self.imbalance = float((rest / acting) ** 0.5 if acting != 0 else 0.0)

    def counts(self) -> dict[str, Any]:
        """Return the size of the model, and its worst balance wherever fields were made. Collective.

        Raises
        ------
        GuardError
            On all ranks, if the forces are out of balance by more than the deck allows.
        """
        told = {"modes": self.unknowns, "points": self.model.points.n_global}
        if self.replay.seen is not None:
            self._judge(*self.replay.latest(), self.replay.memory)
        balance = self.imbalance
        if not balance <= self.limit:
            raise GuardError(
                f"rom: the reduced model leaves {balance:.2g} of the forces out of balance, more than "
                f"{self.limit:g}: training has not seen such a load; reduce a run that has it, or take the "
                "full model"
            )
        return {"reduced": told | {"imbalance": balance, "limit": self.limit}}

    def displacement(self, state: State) -> dict[str, Array]:
        """Return the displacement at all nodes."""
        return {self.name: self.model.basis @ state.values[self.name][:, 0]}

    def remembered(self, state: State) -> dict[str, Array]:
        """Return the memory of the whole body, and judge its balance. Collective."""
        memory = self.replay.at(state.t)
        if state.step:
            self._judge(state.t, self.displacement(state)[self.name], memory)
        return memory

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


class _Counted:
    """Counts Newton steps where a run looks for a solver."""

    def __init__(self, solver: Any):
        self.tally = type(solver.tally)()
        self.contexts = solver.contexts

    def count(self, newton: int) -> None:
        """Add a solve."""
        self.tally.solves += 1
        self.tally.newton += newton

    def drain(self) -> list[Any]:
        """Return no records: there are no linear solves."""
        return []

    def lost(self) -> None:
        """Return nothing."""
        return
