"""The coupled system: equations solved one after the other, each seeing the fields before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.coupling.base import BaseSystem, Packed
from plexus.coupling.nodal import NodalFields
from plexus.coupling.starts import Opening, start
from plexus.errors import InputError
from plexus.fields.keys import keyed
from plexus.fields.lost import first_lost, sentence
from plexus.fields.stacks import scatter, stacked
from plexus.protocols import Instant
from plexus.spaces.controls import Controls

if TYPE_CHECKING:
    from plexus.coupling.readers import Reader
    from plexus.coupling.traced import Traced
    from plexus.fields.keys import Key
    from plexus.fields.state import State
    from plexus.formulation.dirichlet import Dirichlet
    from plexus.protocols import Equation, FieldSpec
    from plexus.solvers.adjoint.stage import Stages
    from plexus.solvers.implicit import ImplicitProblem
    from plexus.solvers.nonlinear import FieldSolver
    from plexus.spaces.assembly import Form
    from plexus.spaces.lagrange import Space
    from plexus.spaces.quadrature_space import QuadratureSpace
    from plexus.stepping.passes import Passes


class System(BaseSystem):
    """All equations of a run on their spaces.

    Parameters
    ----------
    spaces, forms, solvers, prescribed : mapping
        By name of the unknown.
    equations : sequence of Equation
        In the order of solution.
    points : mapping
        Quadrature points by name of the internal variable.
    completion : callable
        Name of a block -> solver of its unknowns without time derivative; needed where there is such a block.
    passes : Passes
        How long a step is repeated until the equations agree; None for one pass.
    materials : sequence of str
        Regions that the properties of the model tell apart.
    controls : Controls
        What expressions may read beside fields.
    """

    def __init__(
        self,
        spaces: Mapping[str, Space],
        equations: Sequence[Equation],
        forms: Mapping[str, Form],
        solvers: Mapping[str, FieldSolver],
        prescribed: Mapping[str, Dirichlet],
        points: Mapping[str, QuadratureSpace] | None = None,
        completion: Callable[[str], FieldSolver] | None = None,
        passes: Passes | None = None,
        materials: Sequence[str] = (),
        controls: Controls | None = None,
    ):
        self.spaces, self.equations, self.forms = spaces, equations, forms
        self.solvers, self.prescribed = solvers, prescribed
        self.points = dict(points or {})
        self._completion, self.passes, self.materials = completion, passes, materials
        self.controls = controls or Controls()
        self.opening = Opening({}, 0.0, False)
        self._completions: dict[str, FieldSolver] = {}
        # what gradients through its solves share, one after the other: `plexus.coupling.traced` makes them
        self.stages: dict[str, Stages] = {}
        self.internal = {e.field.name: e.internal for e in equations if e.internal}
        blocks = [e for e in equations if len(e.fields) > 1]
        self.together = {e.field.name: tuple(spec.name for spec in e.fields) for e in blocks}
        self.algebraic = frozenset(
            spec.name for e in blocks if e.evolving for spec in e.fields if spec.name not in e.evolving
        )
        self.evolving = [e.field.name for e in equations if e.time_order > 0]
        self.instantaneous = [e.field.name for e in equations if e.time_order == 0]
        for name in self.instantaneous:
            solvers[name].rest = partial(self.rest, name)

    def solve(self, name: str, values: dict[str, np.ndarray], at: Instant, held: bool = False) -> int:
        """Solve F(t, u, u_t) = 0 for one unknown, or a block, in place, the others given. Collective.

        Prescribed values are those of the instant, or with ``held`` those that ``values`` has already.

        Returns
        -------
        int
            Krylov iterations.
        """
        if not held:
            for part in self.together.get(name, (name,)):
                self.prescribe(part, at.t, values[part])
        return self._solve(self.solvers[name], name, values, at)

    def rest(self, name: str) -> tuple[np.ndarray, Instant, dict[str, np.ndarray]]:
        """Return an unknown, or a block, and all fields as the run begins, before any step. Collective."""
        values, memory = self.start(), self.begin()
        u = stacked(self.together[name], values) if name in self.together else values[name]
        return u, Instant(self.opening.t, 0.0, before=memory), {**values, **memory}

    def complete(self, name: str, values: dict[str, np.ndarray], t: float) -> None:
        """Solve the unknowns of a block without time derivative in place, the others held. Collective."""
        for part in self.together[name]:
            if part in self.algebraic:
                self.prescribe(part, t, values[part])
        self._solve(self.completion(name), name, values, Instant(t))

    def completion(self, name: str) -> FieldSolver:
        """Return the solver of the unknowns of a block without time derivative. Collective at first."""
        if name not in self._completions:
            assert self._completion is not None
            self._completions[name] = self._completion(name)
        return self._completions[name]

    def _solve(self, solver: FieldSolver, name: str, values: dict[str, np.ndarray], at: Instant) -> int:
        """Solve for the unknowns that ``name`` leads, from and into their arrays; return iterations."""
        block = name in self.together
        u = stacked(self.together[name], values) if block else values[name]
        held, fixed = self.forms[name].held, self.forms[name].fixed
        kept = None if held is None else held.part(u)
        known = None if fixed is None else u[fixed]
        info = solver.solve(u, at, values)
        # a Krylov method keeps what is prescribed to its tolerance only
        if fixed is not None:
            u[fixed] = known
        if held is not None and kept is not None:
            held.put(u, kept)
        if block:
            scatter(u, self.forms[name].columns, values)
        self.forms[name].judge(at.t, u, at.rate(u), values, at.since)
        return info.iterations

    def advance(self, name: str, values: dict[str, np.ndarray], at: Instant) -> dict[str, np.ndarray]:
        """Return the internal variables to which the solved equation of ``name`` leads, all local cells."""
        if name not in self.internal:
            return {}
        u = stacked(self.together.get(name, (name,)), values)
        return self.forms[name].advance(at.t, u, at.rate(u), values, at.since)

    @property
    def quadrature(self) -> QuadratureSpace:
        """The points of one memory variable, which those of all others have, on the same rule."""
        return next(iter(self.points.values()))

    @property
    def rows(self) -> Mapping[str, np.ndarray]:
        """The present values of controls, those of ghosts included."""
        return self.controls.values

    def array(self, rows: np.ndarray) -> np.ndarray:
        """Return rows as an array of this system's kind: as they are."""
        return rows

    def start(self) -> dict[str, np.ndarray]:
        """Return the values with which a run begins, for the present values of controls. Collective."""
        return start(self, *self.opening)

    def traced(self, own: Mapping[str, Any]) -> Traced:
        """Return the system on tensors, with own values of controls. Collective."""
        from plexus.coupling.traced import Traced

        return Traced(self, own)

    def reader(self, of: str, x: np.ndarray) -> Reader:
        """Return what reads an unknown or component at places (k, d). Collective."""
        from plexus.coupling.readers import NodalReader, unknown

        name, column = unknown(of, self.spaces)
        return NodalReader(self.spaces[name], name, column, x)

    def begin(self) -> dict[str, np.ndarray]:
        """Return the internal variables at the start."""
        specs = [spec for specs in self.internal.values() for spec in specs]
        return {spec.name: self.points[spec.name].zeros() + spec.start for spec in specs}

    def prescribe(self, name: str, t: float, array: np.ndarray) -> None:
        """Set prescribed values at time ``t`` in ``array`` (n_local, m), ghosts included."""
        self.prescribed[name].apply(t, array)

    def implicit(self, name: str) -> ImplicitProblem:
        """Return the equations of one unknown in the form that PETSc's TS integrates."""
        from plexus.solvers.implicit import ImplicitProblem

        if self.forms[name].held is not None:
            raise InputError("time.stepper: petsc_ts takes no values along normals; use theta or bdf2")
        return ImplicitProblem(self.solvers[name], self.prescribed[name].apply)

    def rms(self, name: str, array: np.ndarray) -> float:
        """Return the root mean square of a field array over all nodes. Collective."""
        space = self.spaces[name]
        total = space.comm.allreduce(float(np.sum(array[: space.n_owned] ** 2)))
        return float(np.sqrt(total / (space.n_global * space.components)))

    def largest(self, name: str, array: np.ndarray) -> float:
        """Return the largest magnitude of a field array. Collective."""
        from mpi4py import MPI

        # initial=0: a rank may own no node
        space = self._rows(name)
        own = array[: space.n_owned]
        return float(space.comm.allreduce(np.max(np.abs(own), initial=0.0), MPI.MAX))

    @property
    def starting(self) -> list[FieldSpec]:  # type: ignore[override]
        """The unknowns that change in time."""
        return [spec for e in self.equations for spec in e.fields if spec.name in e.evolving]

    def evaluation(self, constants: Mapping[str, float]) -> NodalFields:
        """Return the fields at the nodes, on the cells and through the boundaries."""
        return NodalFields(self, constants)

    def finite(self, values: Mapping[str, np.ndarray]) -> bool:
        """Return whether all values on this rank are finite; one that is not spoils the sum."""
        return all(np.isfinite(np.sum(a)) for a in values.values())

    def blame(self, state: State) -> list[str | None]:
        """Return what the solvers met first, and where each field is lost. Collective."""
        found = [solver.lost() for solver in self.solvers.values()]
        for name, values in {**state.values, **state.internal}.items():
            space = self._rows(name)
            found.append(sentence(space.comm, name, state.t, first_lost(space.points, values)))
        return found

    def histories(self, state: State) -> dict[str, dict[str, float]]:
        """Return the passes of the last step, where the deck couples the equations, then what parts tell."""
        coupled = {} if self.passes is None else {"coupling": self.passes.row()}
        return coupled | super().histories(state)

    def counts(self) -> dict[str, Any]:
        """Return the passes of all steps, where the deck couples the equations."""
        return {} if self.passes is None else {"coupling": self.passes.summary()}

    def totals(self) -> dict[str, Any]:
        """Return what solvers and passes have counted so far."""
        passes = {} if self.passes is None else {"passes": self.passes.counted()}
        return super().totals() | passes

    def add_up(self, totals: Mapping[str, Any]) -> None:
        """Go on counting from what `totals` returned."""
        super().add_up(totals)
        if self.passes is not None:
            self.passes.add_up(totals.get("passes", {}))

    def pack(self, arrays: Mapping[Key, np.ndarray]) -> Packed:
        """Return the arrays with their spaces; they are rows already."""
        return {key: (self._rows(key.field), a) for key, a in arrays.items()}

    def layout(self, state: State) -> dict[Key, Any]:
        """Return the spaces of unknowns and internal variables."""
        return keyed("state", self.spaces) | keyed("internal", self.points)

    def _rows(self, name: str) -> Space | QuadratureSpace:
        return self.points[name] if name in self.points else self.spaces[name]

    def unpack(self, rows: Mapping[Key, np.ndarray]) -> dict[Key, np.ndarray]:
        """Return the rows: they are the arrays."""
        return dict(rows)
