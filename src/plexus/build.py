"""From a deck to a `Run`: the only place where names become objects.

Order: mesh → spaces → equations → conditions and terms → forms → solvers → initial state → stepper →
quantities → observers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus import registry
from plexus.coupling import inspect
from plexus.coupling.system import System
from plexus.errors import InputError, at_path
from plexus.fields.state import State
from plexus.formulation.conditions import Conditions, sort_conditions
from plexus.formulation.dirichlet import Dirichlet
from plexus.run import Run
from plexus.solvers.nonlinear import FieldSolver
from plexus.solvers.packages import available
from plexus.solvers.target import Target
from plexus.spaces.assembly import Form
from plexus.spaces.lagrange import Space
from plexus.stepping.clock import Clock
from plexus.stepping.controller import Adaptive, Fixed, Limits

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.mesh.mesh import Mesh
    from plexus.protocols import Equation
    from plexus.runtime.context import Context

ALWAYS = ("series", "progress", "checkpoint")
"""Outputs that a run has even if its deck does not name them."""


def build(deck: Deck, ctx: Context) -> Run:
    """Return the run that a deck describes. Collective.

    Raises
    ------
    InputError
        If the deck does not fit the mesh or this machine.
    """
    with ctx.timers("mesh"):
        mesh = registry.build("mesh", deck.mesh).build(ctx.comm)
        inspect.check(deck.physics, mesh)
    equations = registry.build("physics", deck.physics).equations
    with ctx.timers("spaces"):
        spaces = _spaces(mesh, equations, getattr(deck.physics, "degree", 1))
        system = _system(deck, ctx, spaces, equations)
    clock, stepper, controller = _stepping(deck)
    state = State(_initial(deck, spaces, equations), clock.t)
    # where initial and prescribed values disagree at the start, the prescribed ones hold
    for name, values in state.values.items():
        system.apply_dirichlet(name, clock.t, values)
    run = Run(deck, ctx, mesh, system, state, clock, stepper, controller)
    run.quantities = {name: registry.build("quantity", p) for name, p in deck.quantities.items()}
    _prepare(run)
    named = [registry.build("output", p) for p in deck.output]
    run.places = {observer: f"output[{i}]" for i, observer in enumerate(named)}
    run.observers = _observers(deck, named)
    return run


def _prepare(run: Run) -> None:
    """Let quantities find what they look at, so that a mistake is told before the first solve. Collective."""
    for name, quantity in run.quantities.items():
        if hasattr(quantity, "prepare"):
            with at_path(f"quantities.{name}"):
                quantity.prepare(run)


def _observers(deck: Deck, named: Sequence[Any]) -> list[Any]:
    """Return the outputs that the deck names and those that every run has; checkpoints come last.

    When a checkpoint appears, the other files then hold the step that it continues from.
    """
    observers = [*named]
    for name in ALWAYS:
        if not any(p.type == name for p in deck.output):
            default = registry.component("output", name)
            observers.append(default.cls(default.params()))
    last = registry.component("output", "checkpoint").cls
    return sorted(observers, key=lambda o: isinstance(o, last))


def _spaces(mesh: Mesh, equations: Sequence[Equation], degree: int) -> dict[str, Space]:
    """Return a space per unknown; all share one numbering of nodes."""
    spaces: dict[str, Space] = {}
    for equation in equations:
        components = equation.field.components(mesh.dim)
        first = next(iter(spaces.values()), None)
        spaces[equation.field.name] = (
            first.with_components(components) if first else Space(mesh, degree, components)
        )
    return spaces


def _system(deck: Deck, ctx: Context, spaces: Mapping[str, Space], equations: Sequence[Equation]) -> System:
    """Return forms and solvers of all equations."""
    dim = next(iter(spaces.values())).mesh.dim
    conditions = sort_conditions(deck.boundary, equations, dim)
    forms, solvers, prescribed = {}, {}, {}
    for equation in equations:
        name = equation.field.name
        space, here = spaces[name], conditions[name]
        prescribed[name] = Dirichlet(space, here.prescribed)
        fixed = prescribed[name].fixed if here.prescribed else None
        # native kernels compute on the CPU only
        backend = "torch" if ctx.device != "cpu" else "auto"
        forms[name] = Form(space, equation, here.terms, spaces, fixed, backend, ctx.device)
        target = _target(space, equation, here)
        solvers[name] = FieldSolver(forms[name], deck.solver_for(name), target, ctx, _solver_path(deck, name))
    return System(spaces, equations, forms, solvers, prescribed)


def _solver_path(deck: Deck, name: str) -> str:
    """Return the deck path of the block that serves a field."""
    return "solver." + (name if name in deck.solver or "default" not in deck.solver else "default")


def _target(space: Space, equation: Equation, conditions: Conditions) -> Target:
    """Return what the choice of a solver depends on."""
    return Target(
        name=equation.field.name,
        size=space.n_global * space.components,
        dim=space.mesh.dim,
        components=space.components,
        ranks=space.comm.size,
        linear=equation.linear and conditions.linear,
        singular=not conditions.prescribed,
        rigid=equation.near_nullspace == "rigid",
        packages=available(),
    )


def _initial(deck: Deck, spaces: Mapping[str, Space], equations: Sequence[Equation]) -> dict[str, np.ndarray]:
    """Return the initial values; those of the equations' fields where the deck says nothing."""
    start = deck.time.start if deck.time else 0.0
    values = {e.field.name: spaces[e.field.name].zeros() + e.field.start for e in equations}
    for name, components in deck.initial.items():
        space = spaces[name]
        at = {axis: space.points[:, k] for k, axis in enumerate("xyz"[: space.mesh.dim])} | {"t": start}
        for c, expression in enumerate(components[: space.components]):
            if expression is not None:
                values[name][:, c] = _evaluated(expression, at, name)
    return values


def _evaluated(expression: Any, at: Mapping[str, Any], name: str) -> Any:
    """Evaluate an initial value."""
    unknown = sorted(set(expression.names) - set(at))
    if unknown:
        raise InputError(f"initial.{name}: {', '.join(unknown)} is not known at the start; use x, y, z, t")
    return expression(at)


def _stepping(deck: Deck) -> tuple[Clock, Any, Any]:
    """Return clock, stepper and step control; without a ``time`` block one steady step."""
    time = deck.time
    if time is None:
        steady = registry.component("stepper", "steady")
        return Clock(0.0, 0.0), steady.cls(steady.params()), Fixed(0.0)
    adaptive = time.adaptive
    stepper = registry.build("stepper", time.stepper, adaptive.tolerance if adaptive else None)
    # a steady stepper inside a time block solves once, under the loads of the start time
    if not stepper.marches:
        return Clock(time.start, time.start), stepper, Fixed(0.0)
    clock = Clock(time.start, time.end)
    if adaptive is None:
        return clock, stepper, Fixed(time.step)
    return clock, stepper, Adaptive(time.step, Limits(adaptive.min, adaptive.max or time.end - time.start))
