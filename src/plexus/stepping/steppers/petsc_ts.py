"""Any implicit integrator of PETSc's TS: BDF of order 1 to 6, Rosenbrock-W, DIRK (ARKIMEX), θ and α methods.

TS integrates the one unknown with a time derivative in the form F(t, u, u_t) = 0 at the steps of the deck;
unknowns without one follow at the new time. Adaptive steps need ``theta`` or ``bdf2``, and the memory of
PETSc's BDF is not part of a checkpoint: after a restart it starts again with order 1. It tries stages that
are no steps, so that equations with internal variables are refused. S. Abhyankar et al.,
PETSc/TS: a modern scalable ODE/DAE solver library, arXiv:1806.01437 (2018).

Sources and boundary values that change in time cost some schemes their order, because TS does not give
Rosenbrock schemes the derivative ∂F/∂t: take ``{ts: bdf, order: 3}`` (up to 5), or ``{ts: rosw, method:
ra34pw2}``, which needs no earlier steps. Measured orders in time on heat conduction of a known solution
(6 x 4 quadratic cells, steps 1/20 to 1/80), with a source that changes, and with boundary values that do too:

===================================== ============== ===============
scheme                                source changes boundary as well
===================================== ============== ===============
bdf 2, 3, 4, 5                        2.0 3.2 3.9 6  2.0 2.9 4.0 5
rosw ra34pw2 (PETSc's default), ra3pw 2.7            2.7
arkimex l2, prssp2                    2.0            2.1, 1.9
theta, cn, alpha                      2.0            2.0
rosw 2m                               2.0            1.6
rosw sandu3                           1.2            1.4
rosw rodas3, 2p, theta1, theta2       1.0 to 1.3     1.0 to 1.1
rosw grk4t, shamp4, veldd4, 4l        below 1        1.3 to 2.0
===================================== ============== ===============

Without any load that changes rodas3 and sandu3 have order 2.6 to 2.9, 2m and theta2 have 2.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from plexus.deck.params import Field, Params
from plexus.errors import InputError
from plexus.protocols import StepResult, TimeIntegrable
from plexus.registry import register
from plexus.stepping.solves import Solves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from plexus.fields.keys import Key
    from plexus.fields.state import State

EXAMPLE: dict[str, Any] = {"type": "petsc_ts", "ts": "bdf", "order": 3}
EXPLICIT = ("ark3", "assp3p3s1c", "lassp3p4s2c", "llssp3p4s2c")
"""Schemes of rosw with an explicit stage."""
FALLING = {
    "2m": 1.6, "sandu3": 1.3, "rodas3": 1, "2p": 1.1, "theta1": 1, "theta2": 1,
    "grk4t": 1, "shamp4": 1, "veldd4": 1, "4l": 1,
}  # fmt: skip
"""Schemes of rosw that lose order where loads change in time, and what is about left (see above)."""


class PetscTsParams(Params):
    """Parameters of a PETSc integrator; more through the ``options`` of the field's solver block."""

    ts: Literal["bdf", "rosw", "arkimex", "theta", "cn", "beuler", "alpha"] = Field(
        description="PETSc's -ts_type"
    )
    order: int | None = Field(None, ge=1, le=6, description="order of bdf; PETSc's default is 2")
    method: str | None = Field(
        None,
        pattern=r"^[a-z0-9_]{1,60}$(?!\n)",
        description="scheme of rosw (ra34pw2, ra3pw keep their order under loads in time, rodas3 falls to 1) "
        "or arkimex (l2, prssp2)",
    )

    @model_validator(mode="after")
    def _implicit(self) -> PetscTsParams:
        # schemes with an explicit first stage take F for u_t + f(u), which a mass matrix is not
        if self.ts == "arkimex" and self.method not in (None, "l2", "prssp2"):
            raise ValueError(f"arkimex with method {self.method} needs an explicit stage; use l2 or prssp2")
        if self.ts == "rosw" and self.method is not None and self.method in EXPLICIT:
            raise ValueError(_stage(self.method))
        if self.method is not None and self.ts not in ("rosw", "arkimex"):
            raise ValueError(f"{self.ts} has no methods to choose from")
        return self


@register("stepper", "petsc_ts", PetscTsParams)
class PetscTs:
    """One step of a TS per call."""

    needs = TimeIntegrable
    marches = True
    order = 1
    rough = (
        "no gradient leads through petsc_ts: PETSc keeps the stages of its steps to itself and has no "
        "adjoint of bdf, rosw and alpha; use theta or bdf2"
    )

    def __init__(self, params: PetscTsParams, tolerance: float | None = None):
        self.params, self.tolerance = params, tolerance
        self._ts: Any = None

    @staticmethod
    def under_loads(params: PetscTsParams) -> str | None:
        """Return what becomes of the scheme where loads change in time, None where it keeps its order."""
        left = FALLING.get(params.method or "") if params.ts == "rosw" else None
        if left is None:
            return None
        return f"{params.method} falls to about order {left:g} under such loads; use ra34pw2, or ts: bdf"

    def refusal(self, systems: Sequence[Sequence[str]]) -> str | None:
        """Return why fields with a time derivative, by systems, or adaptive steps are none for TS."""
        if self.tolerance is not None:
            return "petsc_ts takes fixed steps; use theta or bdf2"
        if len(systems) != 1:
            return (
                f"petsc_ts integrates one unknown with a time derivative, here are {len(systems)}; "
                "use theta or bdf2"
            )
        if len(systems[0]) > 1:
            block = " and ".join(systems[0])
            return f"petsc_ts integrates one unknown, and {block} are solved together; use theta or bdf2"
        return None

    def step(self, system: TimeIntegrable, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt``. Collective."""
        if self._ts is None:
            self._start(system)
        ts, problem = self._ts, self._problem
        new = state.values[self._name].copy()
        problem.values = state.values
        self._x.setArray(new[: problem.space.n_owned].ravel())
        info = problem.advance(ts, t, dt)
        new[: problem.space.n_owned] = self._x.getArray(readonly=True).reshape(-1, new.shape[1])
        problem.space.halo.forward(new)
        # schemes that are not stiffly accurate end a step beside the algebraic rows u_d = g
        system.prescribe(self._name, t + dt, new)
        values = {**state.values, self._name: new}
        solves = Solves(system, state)
        solves.iterations[self._name] = info.iterations
        solves.finish(t + dt, dt, values)
        return StepResult(values, None, solves.iterations, solves.internal)

    def _start(self, system: TimeIntegrable) -> None:
        """Create the TS at the first step."""
        from petsc4py import PETSc

        why = self.refusal([system.together.get(name, (name,)) for name in system.evolving])
        if why is not None:
            raise InputError(f"time.stepper: {why}")
        self._name = system.evolving[0]
        self._problem = problem = system.implicit(self._name)
        prefix = f"{self._name}_"
        self._ts = ts = PETSc.TS().create(problem.space.comm)
        ts.setOptionsPrefix(prefix)
        problem.attach(ts)
        # those of the deck's solver block come last
        problem.attempt.options.add(self._options())
        self._x = problem.space.vector()
        ts.setSolution(self._x)
        # Plexus's clock decides when the run ends
        ts.setMaxSteps(2**30)
        # a failed step is reported in Plexus's words, or tried again with a shorter step
        ts.setErrorIfStepFails(False)
        problem.settle(ts, "time.stepper")
        scheme = problem.attempt.options.value("ts_rosw_type")
        if scheme in EXPLICIT:
            raise InputError(f"{problem.solver.path}.options.ts_rosw_type: {_stage(scheme)}")

    def _options(self) -> dict[str, str]:
        """Return the PETSc options of the parameters."""
        p = self.params
        chosen = {"ts_type": p.ts, "ts_adapt_type": "none", "ts_max_snes_failures": "1"}
        if p.order is not None:
            chosen["ts_bdf_order"] = str(p.order)
        method = p.method or ("l2" if p.ts == "arkimex" else None)
        if method is not None:
            chosen[f"ts_{p.ts}_type"] = method
        return chosen

    def forget(self) -> None:
        """Begin anew: TS keeps the states behind its formulas, so another one takes over."""
        if self._ts is not None:
            self._ts.destroy()
            self._x.destroy()
            self._ts = None

    def history(self) -> tuple[dict[str, Any], dict[Key, np.ndarray]]:
        """Return nothing: PETSc does not give its memory away."""
        return {}, {}

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[Key, np.ndarray]) -> None:
        """Accept the empty history."""


def _stage(scheme: str) -> str:
    """Return why a scheme of rosw is refused."""
    return f"rosw with method {scheme} has an explicit stage; use ra34pw2 or ra3pw"
