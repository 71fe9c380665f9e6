"""A model on elements: mesh → spaces → equations → conditions → forms → solvers → initial values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from plexus import registry
from plexus.coupling.system import System
from plexus.deck import parts
from plexus.discretisations._closures import closures_of
from plexus.discretisations._initial import evaluated
from plexus.errors import InputError, at_path
from plexus.formulation.conditions import Conditions, sort_conditions
from plexus.formulation.dirichlet import Dirichlet
from plexus.protocols import Assembled
from plexus.run import inspect
from plexus.solvers.nonlinear import FieldSolver
from plexus.solvers.packages import available
from plexus.solvers.target import Target
from plexus.spaces.assembly import Form
from plexus.spaces.lagrange import Space
from plexus.spaces.quadrature_space import QuadratureSpace, quadrature_space

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.mesh.mesh import Mesh
    from plexus.protocols import Closure, Equation
    from plexus.runtime.context import Context


def assemble(deck: Deck, ctx: Context, t: float) -> Assembled:
    """Return mesh, system and initial values at time ``t``. Collective.

    Raises
    ------
    InputError
        If the deck does not fit the mesh or this machine.
    """
    with ctx.timers("mesh"):
        mesh = registry.build("mesh", deck.mesh).build(ctx.comm)
        inspect.check(deck.physics, mesh)
    closures = _closures(deck, ctx)
    equations = registry.build("physics", deck.physics, **closures).equations
    with ctx.timers("spaces"):
        spaces = _spaces(mesh, equations, getattr(deck.physics, "degree", 1))
        system = _system(deck, ctx, spaces, equations)
        solvers = system.solvers.values()
        system.include(closures, {path: part for s in solvers for path, part in s.parts.items()})
    values = _initial(deck, spaces, equations)
    # where initial and prescribed values disagree at the start, the prescribed ones hold
    for name, array in values.items():
        system.prescribe(name, t, array)
    return Assembled(mesh, system, values)


def _closures(deck: Deck, ctx: Context) -> dict[str, Closure]:
    """Return the closures of the deck, ready to be evaluated at quadrature points. Collective."""
    made, gap = closures_of(deck), parts.gap(deck.physics)
    for path, closure in made.items():
        assert gap is not None, "decks with a closure for a model without a gap are refused"
        with at_path(path):
            closure.prepare(gap.setting(comm=ctx.comm, device=ctx.device))
    return made


def _spaces(mesh: Mesh, equations: Sequence[Equation], degree: int) -> dict[str, Space]:
    """Return a space per unknown; all share one numbering of nodes."""
    spaces: dict[str, Space] = {}
    for equation in equations:
        shape = equation.field.components(mesh.dim), equation.field.shape == "scalar"
        first = next(iter(spaces.values()), None)
        spaces[equation.field.name] = (
            first.with_components(*shape) if first else Space(mesh, degree, shape[0], scalar=shape[1])
        )
    return spaces


def _system(deck: Deck, ctx: Context, spaces: Mapping[str, Space], equations: Sequence[Equation]) -> System:
    """Return forms and solvers of all equations."""
    dim = next(iter(spaces.values())).mesh.dim
    conditions = sort_conditions(deck.boundary, equations, dim)
    points = _points(spaces, equations)
    known: dict[str, Space | QuadratureSpace] = {**spaces, **points}
    forms, solvers, prescribed = {}, {}, {}
    for equation in equations:
        name = equation.field.name
        space, here = spaces[name], conditions[name]
        prescribed[name] = Dirichlet(space, here.prescribed)
        fixed = prescribed[name].fixed if here.prescribed else None
        # native kernels compute on the CPU only
        backend = "torch" if ctx.device != "cpu" else "auto"
        forms[name] = Form(space, equation, here.terms, known, fixed, backend, ctx.device)
        target = _target(space, equation, here)
        solvers[name] = FieldSolver(forms[name], deck.solver_for(name), target, ctx, _solver_path(deck, name))
    return System(spaces, equations, forms, solvers, prescribed, points)


def _points(spaces: Mapping[str, Space], equations: Sequence[Equation]) -> dict[str, QuadratureSpace]:
    """Return the points of every internal variable: those at which the forms integrate.

    Raises
    ------
    InputError
        If two equations remember something under one name.
    """
    points: dict[str, QuadratureSpace] = {}
    for equation in equations:
        space = spaces[equation.field.name]
        for spec in equation.internal:
            if spec.name in points or spec.name in spaces:
                raise InputError(f"physics: two equations have a field {spec.name!r}")
            points[spec.name] = quadrature_space(space, spec, 2 * space.degree)
    return points


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
                values[name][:, c] = evaluated(expression, at, name)
    return values
