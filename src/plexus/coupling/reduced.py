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

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.coupling.nodal import NodalFields
from plexus.coupling.system import System
from plexus.errors import GuardError, InputError, SolveError
from plexus.fields.keys import Key, by_field, keyed
from plexus.fields.state import State
from plexus.protocols import Instant, Reducible, Since
from plexus.reduction.loads import Loads
from plexus.reduction.points import Coordinates, Sites

if TYPE_CHECKING:
    from plexus.coupling.base import Packed
    from plexus.reduction.model import Model

Array = np.ndarray
MOST = 50
"""Newton steps after which a solve has failed."""


class ReducedSystem(System):
    """One equation of equilibrium on a basis. Construction is collective.

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

    def __init__(self, full: System, model: Model, times: Sequence[float], tolerance: float, limit: float):
        equation = full.equations[0]
        assert isinstance(equation, Reducible)
        name = equation.field.name
        self.full, self.model, self.name = full, model, name
        self.tolerance, self.limit, self.imbalance = tolerance, limit, 0.0
        self.told: dict[str, Any] = {}
        """What the summary tells of the model beside its size."""
        self.comm, self.equation = model.points.comm, equation
        points: Any = {n: model.points.like(space) for n, space in full.points.items()}
        spaces: Any = {name: Coordinates(self.comm, model.basis.shape[2])}
        self.counted = _Counted(full.solvers[name])
        solvers: Any = {name: self.counted}
        super().__init__(spaces, full.equations, {}, solvers, {}, points, controls=full.controls)
        form = full.forms[name]
        self.sites = Sites(form, model.points)
        # what integrands read: controls, and no displacement
        held = {n: (full.controls.members[n], a) for n, a in full.controls.values.items()}
        self.given = {**held, name: (full.spaces[name], full.spaces[name].zeros())}
        self.loads = Loads(form, equation.load, self.given, times, model.basis)
        self.replay = Replay(full, name, model.basis)
        self._step: _Step | None = None

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
        step = self._step = _Step(self, at, at.before)
        f, g = self.loads.at(at.t), values[name][:, 0]
        scale, first = float(np.linalg.norm(f)), None
        for count in range(MOST):
            r, k = step.residual(g)
            r = r + f
            size = float(np.linalg.norm(r))
            first = size if first is None else first
            if not np.isfinite(size):
                break
            if size <= self.tolerance * max(scale, first, 1e-300):
                self.counted.count(count)
                return count
            g = g - np.linalg.solve(k, r)
            values[name][:, 0] = g
        raise SolveError(
            f"{name}: the reduced model did not converge at t = {at.t:g} s (residual {size:.3g})"
        )

    def advance(self, name: str, values: dict[str, Array], at: Instant) -> dict[str, Array]:
        """Return the memory at the points of the cubature, and note the step for fields."""
        assert self._step is not None and self._step.at is at, "a step is solved before it is advanced"
        self.replay.note(at, values[name][:, 0].copy())
        return self._step.memory(values[name][:, 0])

    def evaluation(self, constants: Mapping[str, float]) -> ReducedFields:
        """Return the fields of the whole body."""
        return ReducedFields(self, constants)

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
        """Note which share of the forces is out of balance, if it is the largest. Collective."""
        form = self.full.forms[self.name]
        forces = form.reactions(t, u, None, {self.name: u, **memory}, Since(0.0, memory))
        own = [float((forces**2).sum())]
        own.append(float((form.released(forces) ** 2).sum()))
        acting, rest = self.comm.allreduce(np.array(own))
        # a share that is not a number stays, and is no balance
        self.imbalance = float(np.maximum(self.imbalance, (rest / acting) ** 0.5 if acting != 0 else 0.0))

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
        return {"reduced": told | {"imbalance": balance, "limit": self.limit} | self.told}

    def reconstructed(self, state: State) -> State:
        """Return the state of the whole body. Collective."""
        u, memory = self.model.basis @ state.values[self.name][:, 0], self.replay.at(state.t)
        if state.step:
            self._judge(state.t, u, memory)
        return State({self.name: u}, state.t, state.step, memory)


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


class _Step:
    """One instant: strain without displacement, data and memory at the points of this rank."""

    def __init__(self, system: ReducedSystem, at: Instant, before: Mapping[str, Array]):
        self.system, self.at = system, at
        sites, equation = system.sites, system.equation
        p = sites.batch(at.t, system.given)
        heated = equation.heated(p)
        names = {n: heated.fields[n] for n in heated.fields if n != system.name}
        rows = {n: before[n][:, None] if s.components > 1 else before[n] for n, s in system.points.items()}
        self.point = sites.view(p, names, dt=at.dt, before=rows)
        self.offset = sites.pick(equation.strain_of(p))
        self.weights = system.model.points.weights

    def residual(self, g: Array) -> tuple[Array, Array]:
        """Return Σ w σ:E and its slope, over all ranks. Collective."""
        e, n = self.system.model.strains, len(g)
        answer = self.system.equation.law.respond(self.point, self._strain(g), tangent=True)
        stress = answer.stress.reshape(-1, 9) * self.weights[:, None]
        slope = np.asarray(answer.tangent).reshape(-1, 9, 9) * self.weights[:, None, None]
        force = np.einsum("ka,kan->n", stress, e)
        stiffness = np.einsum("kam,kan->mn", e, np.einsum("kab,kbn->kan", slope, e))
        total = self.system.comm.allreduce(np.concatenate([force, stiffness.ravel()]))
        return total[:n], total[n:].reshape(n, n)

    def memory(self, g: Array) -> dict[str, Array]:
        """Return the memory at the end of the step, rows of the points of this rank."""
        found = self.system.equation.law.respond(self.point, self._strain(g), memory=True).memory
        return {n: np.ascontiguousarray(a.reshape(len(self.weights), -1)) for n, a in found.items()}

    def _strain(self, g: Array) -> Array:
        """Return the strain, (s, 1, 3, 3)."""
        e = self.system.model.strains @ g
        return np.ascontiguousarray(e.reshape(-1, 1, 3, 3) + self.offset)


class Replay:
    """Marches the law at all quadrature points along the steps of a reduced run, as far as somebody asks."""

    def __init__(self, full: System, name: str, basis: Array):
        self.full, self.name, self.basis = full, name, basis
        self.memory = full.begin()
        self.steps: dict[float, tuple[float, float, Array]] = {}
        self.seen: tuple[float, Array] | None = None
        """Time and coordinates of the latest step."""

    def note(self, at: Instant, g: Array) -> None:
        """Remember an attempt; that which is accepted is the last of those that end at its time."""
        self.steps[at.t] = (at.t - at.dt, at.dt, g)
        self.seen = at.t, g

    def restart(self, memory: Mapping[str, Array]) -> None:
        """Go on from a memory of the whole body."""
        self.memory, self.steps = dict(memory), {}

    def at(self, t: float) -> dict[str, Array]:
        """Return the memory of the whole body at a time that a step has led to."""
        chain, key = [], self._near(t)
        while key is not None:
            begin, dt, g = self.steps.pop(key)
            chain.append((key, dt, g))
            key = self._near(begin)
        form = self.full.forms[self.name]
        for end, dt, g in reversed(chain):
            u = self.basis @ g
            fields = {self.name: u, **self.memory}
            self.memory = form.advance(end, u, None, fields, Since(dt, self.memory))
        if chain:
            self.steps.clear()
        return self.memory

    def _near(self, t: float) -> float | None:
        """Return the end of the step that led to a time; the clock's times are theirs up to rounding."""
        found = min(self.steps, key=lambda s: abs(s - t), default=None)
        return found if found is not None and abs(found - t) <= 1e-6 * self.steps[found][1] else None

    def latest(self) -> tuple[float, Array]:
        """Return time and displacement of the latest step, to which the memory is brought."""
        assert self.seen is not None
        self.catch_up()
        return self.seen[0], self.basis @ self.seen[1]

    def catch_up(self) -> None:
        """Bring the memory to the latest step."""
        if self.steps:
            self.at(max(self.steps))


class ReducedFields(NodalFields):
    """Fields of the whole body, made from the coordinates when somebody asks."""

    def __init__(self, system: ReducedSystem, constants: Mapping[str, float]):
        self.reduced = system
        self._body: State | None = None
        super().__init__(system.full, constants)

    def look(self, state: State) -> None:
        """Turn to a state."""
        if state is not self._state:
            self._body = None
        super().look(state)

    @property
    def state(self) -> State:
        """The state of the whole body. Collective at the first access."""
        if self._body is None:
            self._body = self.reduced.reconstructed(super().state)
        return self._body
