"""A reduced model as a system: u = u_D(x, t) + Σ_j γ_j(t) ψ_j(x), with the law asked at few points.

    r_j = Σ_k w_k σ(Σ_i γ_i E_i(x_k) + ε_0(x_k, t)) : E_j(x_k) + f_j(t) + Σ_i S_ji γ_i = 0

ψ_j are the modes of a basis, E_j the strain that each causes, x_k and w_k points and weights of a cubature,
ε_0 the strain without modes (thermal, with a minus, and that of u_D, what is prescribed:
`plexus.reduction.lifts`), f the loads on the basis, S its elastic foundations. Newton's method solves for γ;
ranks add up what their points contribute, one reduction per iteration. A step costs the same on any mesh.

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
from plexus.coupling.reducedstate import ReducedState
from plexus.coupling.reducedstep import Step, Steps
from plexus.coupling.trust import Record, Trust
from plexus.errors import GuardError, InputError, SolveError
from plexus.protocols import Reducible
from plexus.reduction.lifts import Lifts
from plexus.reduction.loads import Loads
from plexus.reduction.points import Sites
from plexus.reduction.springs import Springs

if TYPE_CHECKING:
    from plexus.coupling.correction import Correction
    from plexus.coupling.refresh import Refresh
    from plexus.coupling.system import System
    from plexus.fields.state import State
    from plexus.protocols import Instant
    from plexus.reduction.model import Model

Array = np.ndarray


class ReducedSystem(ReducedState):
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
        super().__init__(full, model, Lifts(full, name, times), _Counted(full.solvers[name]))
        self.equation, self.tolerance, self.limit = equation, tolerance, limit
        self.told: dict[str, Any] = {}
        """What the summary tells of the model beside its size."""
        self.fields: ReducedFields
        self._affordable: dict[str, bool] = {}
        space = full.spaces[name]
        # what integrands read: controls, and no displacement
        held = {n: (full.controls.members[n], a) for n, a in full.controls.values.items()}
        self.given = {**held, name: (space, space.zeros())}
        self.times = list(times)
        self.loads = Loads(full.forms[name], equation.load, self.given, times, model.basis)
        self.springs = Springs(full.forms[name], times)
        self.trust: Trust | None = None
        self.steps_in_full = FullSteps(self)
        self.refresh: Refresh | None = None
        self.refreshed = 0
        """Steps that the full model has taken for that."""
        self.correction: Correction | None = None
        self._step: Step | None = None
        self._memory: dict[str, Array] | None = None
        self.turn(model)

    def turn(self, model: Model) -> None:
        """Turn to another basis and other points, whose first modes are those of before. Collective."""
        super().turn(model)
        self.loads.project(model.basis)
        self.sites = Sites(self.full.forms[self.name], model.points, self.given)
        self.steps = Steps(self, max(self.times))
        # what is judged is judged by a model whose points serve it
        if self.trust is not None and not model.open:
            self.trust.turn(model)

    def give_up(self, at: Instant, memory: Mapping[str, Array]) -> None:
        """Let the full model march from here on, with the memory of the body at the start of the step."""
        self.hand_over()
        held: Any = at.before
        held.update(memory)

    def prescribe(self, name: str, t: float, array: Array) -> None:
        """Do nothing: modes are zero where values are prescribed, and what is prescribed is added to them."""
        return

    def solve(self, name: str, values: dict[str, Array], at: Instant, held: bool = False) -> int:
        """Solve for the coordinates in place. Collective.

        Raises
        ------
        SolveError
            On all ranks, if Newton's method does not end.
        """
        if self.full_order:
            values[name] = self.expanded(values[name])
            return self.full.solve(name, values, at)
        g = self.expanded(values[name])[:, 0]
        if self.refresh is not None and self.refresh.due(at):
            taken = self.steps_in_full.take(at, self.whole.combined(self.whole.numbers(at.t, g)))
            g, self._memory = self.steps_in_full.complete(at, taken, search=False)
            self._at, self.refreshed = at, self.refreshed + 1
            values[name] = g[:, None]
            return 0
        if self.model.open:
            self.steps_in_full.close(at)
        g, count, why = self._tried(g, at)
        while why is not None and self.trust is not None and self.trust.joined(at, why):
            g, count, why = self._tried(self.expanded(values[name])[:, 0], at)
        if why is not None:
            assert self.trust is not None
            found, self._memory = self.trust.answer(at, self.whole.combined(self.whole.numbers(at.t, g)), why)
            g = found
        self._at = at
        values[name] = g if self.full_order else g[:, None]
        return count

    def _tried(self, g: Array, at: Instant) -> tuple[Array, int, str | None]:
        """Return the coordinates after a step, Newton steps, and why not to believe them. Collective."""
        try:
            self._step = self.steps.of(at)
            g, count = self._step.solve(g)
            self.counted.count(count)
            self._memory = self._step.memory(g)
            return g, count, None if self.trust is None else self.trust.judge(self._memory)
        except SolveError as error:
            if self.trust is None or (self.trust.terms.action == "stop" and not self.trust.waiting):
                raise
            return g, 0, str(error)

    def advance(self, name: str, values: dict[str, Array], at: Instant) -> dict[str, Array]:
        """Return the memory at the points of the cubature, and note the step for fields."""
        if self.full_order and self._memory is None:
            return self.full.advance(name, values, at)
        assert self._memory is not None and self._at is at, "a step is solved before it is advanced"
        found, self._memory = self._memory, None
        if not self.full_order:
            self.whole.note(at, values[name][:, 0])
        return found

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
        """Correct the state if that is due; return whether the full model has just taken over, in words."""
        if self.correction is not None and not self.full_order:
            self.correction.look(step)
        told, happened = self.trust, super().watch(step)
        if told is not None:
            happened, told.told = [*happened, *told.told], []
        return happened

    def facts(self) -> dict[str, Any]:
        """Return what a restart must know before it reads arrays, and what has happened."""
        found = super().facts()
        found["rom"]["refreshed"] = self.refreshed
        if self.trust is not None:
            found["rom"]["record"] = asdict(self.trust.record)
        return found

    def adopt(self, facts: Mapping[str, Any]) -> None:
        """Continue from what `facts` returned."""
        super().adopt(facts)
        told = facts.get("rom", {})
        self.refreshed = int(told.get("refreshed", 0))
        if "record" in told and self.trust is not None:
            self.trust.record = Record(**told["record"])

    def histories(self, state: State) -> dict[str, dict[str, float]]:
        """Return the indicator and the size of the model, where a run judges itself."""
        rows = {} if self.trust is None else {"rom": self.trust.row()}
        return super().histories(state) | rows

    remedies = "`indicator`, `correct`, `refresh`"
    """Keys of the deck that keep a drifting model in balance."""

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
        if self.correction is not None:
            told |= {"corrections": self.whole.corrected}
        if self.trust is not None:
            told |= asdict(self.trust.record)
        if not self.full_order:
            if not self.whole.remembers:
                return {"reduced": told | self.told}
            self.whole.settle()
        balance = self.whole.balance.worst
        found = {"reduced": told | {"imbalance": balance, "limit": self.limit} | self.told}
        if not balance <= self.limit:
            raise GuardError(
                f"rom: the reduced model leaves {balance:.2g} of the forces out of balance, more than "
                f"{self.limit:g}: training has not seen such a load, or the body has drifted away from it; "
                f"let it judge or correct itself ({self.remedies}), reduce a run that has "
                "more of the load, or take the full model",
                found,
            )
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


class _Counted:
    """Counts reduced solves where a run looks for a solver, beside those of the full model."""

    def __init__(self, solver: Any):
        self.solver, self.contexts = solver, solver.contexts

    @property
    def tally(self) -> Any:
        """That of the full model's solver, whose steps are counted there."""
        return self.solver.tally

    @tally.setter
    def tally(self, tally: Any) -> None:
        self.solver.tally = tally

    def count(self, newton: int) -> None:
        """Add a reduced solve, which has no Krylov iterations."""
        self.tally.solves += 1
        self.tally.newton += newton

    def drain(self) -> list[Any]:
        """Return the records of steps that the full model took."""
        records: list[Any] = self.solver.drain()
        return records

    def lost(self) -> None:
        """Return nothing."""
        return
