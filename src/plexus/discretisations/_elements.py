"""A model on elements: mesh → spaces → equations → conditions → forms → solvers → initial values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from plexus import registry
from plexus.coupling.starts import Opening
from plexus.coupling.system import System
from plexus.deck.parts import gap as gap_of
from plexus.deck.walk import properties
from plexus.discretisations import _contacts, _places
from plexus.discretisations._closures import closures_of
from plexus.discretisations._controls import controls_of
from plexus.discretisations._degree import cautions, degree_of
from plexus.errors import InputError, at_path
from plexus.formulation.conditions import Conditions, sort_conditions
from plexus.formulation.dirichlet import Dirichlet
from plexus.mesh.doubled import in_mesh
from plexus.protocols import Assembled
from plexus.solvers.nonlinear import FieldSolver
from plexus.solvers.packages import available
from plexus.solvers.target import Target
from plexus.spaces.assembly import Form
from plexus.spaces.controls import Controls
from plexus.spaces.grounds import ElementGround
from plexus.spaces.lagrange import Space
from plexus.spaces.quadrature_space import QuadratureSpace, quadrature_space
from plexus.stepping.passes import Passes

if TYPE_CHECKING:
    from plexus.deck.property import Property
    from plexus.deck.schema import Deck
    from plexus.mesh.mesh import Mesh
    from plexus.protocols import Closure, Equation, Guarded
    from plexus.runtime.context import Context
    from plexus.spaces.held import Held
    from plexus.spaces.totals import NodalLoad


BENT = np.radians(5.0)
"""Angle between facets and the normals of their nodes of which a warning tells."""
TRIED = (-0.7, 0.3, 412.0)
"""Places, times and fields at which an expression is asked whether it is zero."""


def assemble(deck: Deck, ctx: Context, t: float) -> Assembled:
    """Return mesh, system and initial values at time ``t``. Collective.

    Raises
    ------
    InputError
        If the deck does not fit the mesh or this machine.
    """
    with ctx.timers("mesh"):
        mesh = registry.build("mesh", deck.mesh).build(ctx.comm)
        doubled = in_mesh(mesh)
    told = [f"mesh: {doubled}"] if doubled else []
    for caution in (*told, *cautions(deck.physics, mesh.cell, mesh.geometry_degree)):
        ctx.log.info(f"warning: {deck.placed(caution)}")
    closures = _closures(deck, ctx)
    equations = registry.build("physics", deck.physics, **closures).equations
    learned = _prepared(equations, ctx)
    with ctx.timers("spaces"):
        mesh.cut = _contacts.cut(deck, mesh)
        for text in _places.check(deck, mesh, equations):
            ctx.log.info(f"warning: {deck.placed(text)}")
        spaces = _spaces(mesh, equations, degree_of(deck.physics, mesh.geometry_degree))
        for text in _contacts.idle(deck, next(iter(spaces.values()))):
            ctx.log.info(f"warning: {deck.placed(text)}")
        span = None if deck.time is None else (deck.time.start, deck.time.end)
        controls = controls_of(deck, ElementGround(next(iter(spaces.values())), equations[0].measure, span))
        system = _system(deck, ctx, spaces, equations, controls)
        solvers = system.solvers.values()
        helped = {path: part for s in solvers for path, part in s.contexts.parts.items()}
        system.include(closures, helped | learned)
        system.opening = Opening(deck.initial, t, deck.time is not None)
    return Assembled(mesh, system, system.start())


def _closures(deck: Deck, ctx: Context) -> dict[str, Closure]:
    """Return the closures of the deck, ready to be evaluated at quadrature points. Collective."""
    made, gap = closures_of(deck), gap_of(deck.physics)
    for path, closure in made.items():
        assert gap is not None, "decks with a closure for a model without a gap are refused"
        with at_path(path):
            closure.prepare(gap.setting(comm=ctx.comm, device=ctx.device))
    return made


def _prepared(equations: Sequence[Equation], ctx: Context) -> dict[str, Guarded]:
    """Prepare the learned parts of equations; return what watches each, by deck path. Collective."""
    found = {}
    for path, part in (item for equation in equations for item in equation.learned.items()):
        from plexus.protocols import Setting

        with at_path(path):
            part.prepare(Setting(comm=ctx.comm, device=ctx.device))
        found[path] = part.guard
    return found


def _spaces(mesh: Mesh, equations: Sequence[Equation], degree: int) -> dict[str, Space]:
    """Return a space per unknown; all share one numbering of nodes."""
    spaces: dict[str, Space] = {}
    for spec in (spec for equation in equations for spec in equation.fields):
        shape = spec.components(mesh.dim), spec.shape == "scalar"
        first = next(iter(spaces.values()), None)
        spaces[spec.name] = (
            first.with_components(*shape) if first else Space(mesh, degree, shape[0], scalar=shape[1])
        )
    return spaces


def _system(
    deck: Deck,
    ctx: Context,
    spaces: Mapping[str, Space],
    equations: Sequence[Equation],
    controls: Controls,
) -> System:
    """Return forms and solvers of all equations."""
    points = _points(spaces, equations)
    maker = _Maker(deck, ctx, spaces, {**spaces, **points}, equations, controls)
    chosen = deck.coupling
    passes = None if chosen is None else Passes(chosen.iterations, chosen.tolerance)
    forms, solvers = {}, {}
    for equation in equations:
        name = equation.field.name
        forms[name] = maker.form(equation)
        solvers[name] = maker.solver(forms[name], name)
    return System(
        spaces,
        equations,
        forms,
        solvers,
        maker.prescribed,
        points,
        maker.completion,
        passes,
        _materials(deck),
        controls,
    )


class _Maker:
    """Makes forms and solvers of equations."""

    def __init__(
        self,
        deck: Deck,
        ctx: Context,
        spaces: Mapping[str, Space],
        known: Mapping[str, Space | QuadratureSpace],
        equations: Sequence[Equation],
        controls: Controls,
    ):
        self.deck, self.ctx, self.spaces, self.known = deck, ctx, spaces, known
        self.controls = controls
        self.equations = {equation.field.name: equation for equation in equations}
        mesh = next(iter(spaces.values())).mesh
        self.skeleton = set(mesh.skeleton) - set(mesh.boundaries)
        self.conditions = sort_conditions(deck.boundary, equations, mesh.dim, self.skeleton)
        self.prescribed = {
            name: Dirichlet(spaces[name], here.prescribed, here.normal, controls)
            for name, here in self.conditions.items()
        }
        self._warn_of_bends()

    def _warn_of_bends(self) -> None:
        for prescribed in self.prescribed.values():
            for path, bend in prescribed.inclined.bends.items() if prescribed.inclined else ():
                if bend > BENT:
                    text = f"facets lean up to {np.degrees(bend):.0f} degrees from the normals of their nodes"
                    better = "a finer mesh, or second-order cells, follow the surface better"
                    self.ctx.log.warn(self.deck.placed(f"{path}: {text}; {better}"))

    def held(self, equation: Equation, held: Collection[str] = ()) -> Held | None:
        """Return what is prescribed along normals; the fields ``held`` are prescribed whole."""
        if all(self.prescribed[spec.name].inclined is None for spec in equation.fields):
            return None
        from plexus.spaces.held import Held, joined

        parts, first = [], 0
        m = sum(self.spaces[spec.name].components for spec in equation.fields)
        for spec in equation.fields:
            inclined, space = self.prescribed[spec.name].inclined, self.spaces[spec.name]
            if inclined is not None and spec.name not in held:
                here = Held(inclined.nodes, inclined.projectors, space.n_owned)
                parts.append(here.within(m, first))
            first += space.components
        return joined(parts)

    def fixed(self, equation: Equation, held: Collection[str] = ()) -> np.ndarray | None:
        """Return which unknowns are prescribed, (n_local, m); those of the fields ``held`` all are."""
        names = [spec.name for spec in equation.fields]
        conditions = [self.conditions[name] for name in names]
        if not held and not any(here.prescribed or here.normal for here in conditions):
            return None
        return np.hstack([self.prescribed[name].fixed | (name in held) for name in names])

    def form(self, equation: Equation, known: Collection[str] = ()) -> Form:
        """Return the discrete equations; the fields ``known`` are prescribed everywhere."""
        fixed, held = self.fixed(equation, known), self.held(equation, known)
        first, here = self.spaces[equation.field.name], self.conditions[equation.field.name]
        m = sum(self.spaces[spec.name].components for spec in equation.fields)
        space = first if m == first.components else first.with_components(m)
        # native kernels compute on the CPU only
        backend = "torch" if self.ctx.device != "cpu" else "auto"
        degree = equation.quadrature * space.degree
        loads: list[NodalLoad] = []
        if here.totals:
            from plexus.discretisations._totals import spread

            loads = spread(space, equation, here.totals, self.skeleton, degree)
        return Form(
            space, equation, here.terms, self.known, fixed, backend, self.ctx.device, degree, loads, held,
            self.controls,
        )  # fmt: skip

    def solver(self, form: Form, prefix: str) -> FieldSolver:
        """Return the solver of a form, by the deck's block for its unknown."""
        name = form.equation.field.name
        conditions = [self.conditions[spec.name] for spec in form.equation.fields]
        target = _target(form, conditions, self.deck.time is not None)
        target = replace(target, name=prefix, zeros=tuple(_zeros(self.deck)))
        return FieldSolver(form, self.deck.solver_for(name), target, self.ctx, _solver_path(self.deck, name))

    def completion(self, name: str) -> FieldSolver:
        """Return the solver of the unknowns of a block that have no time derivative, the others held."""
        equation = self.equations[name]
        form = self.form(equation, equation.evolving)
        return self.solver(form, f"{name}_algebraic")


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
            points[spec.name] = quadrature_space(space, spec, equation.quadrature * space.degree)
    return points


def _materials(deck: Deck) -> list[str]:
    """Return the regions that the model's properties tell apart."""
    found = properties(deck.physics, "physics")
    return sorted({name for _, prop in found for name in prop.regions})


def _solver_path(deck: Deck, name: str) -> str:
    """Return the deck path of the block that serves a field."""
    return "solver." + (name if name in deck.solver or "default" not in deck.solver else "default")


def _zeros(deck: Deck) -> Iterator[str]:
    """Yield the deck paths of properties that the deck says are zero."""
    for path, prop in properties(deck.physics, "physics"):
        if deck.place(path) and _vanishes(prop):
            yield path


def _vanishes(prop: Property) -> bool:
    """Return whether a property is zero wherever it is looked at: an expression at `TRIED`."""
    if prop.expression is None:
        return not any(prop.table.ys) if prop.table else all(map(_vanishes, prop.regions.values()))
    names = {name: np.array(TRIED) + i for i, name in enumerate(sorted(prop.names))}
    with np.errstate(all="ignore"):
        return not np.any(prop.expression(names))


def _target(form: Form, conditions: Sequence[Conditions], marches: bool) -> Target:
    """Return what the choice of a solver depends on."""
    space, equation = form.space, form.equation
    return Target(
        name=equation.field.name,
        size=space.n_global * space.components,
        dim=space.mesh.dim,
        components=space.components,
        ranks=space.comm.size,
        linear=equation.linear
        and all(here.linear for here in conditions)
        and not form.controls.bend([spec.name for spec in equation.fields]),
        # what evolves has its mass in the matrix, and within a block no constant is free of it
        singular=form.fixed is None and not (marches and form.columns),
        rigid=equation.near_nullspace == "rigid",
        packages=available(),
        parts={name: here.stop - here.start for name, here in form.columns.items()},
    )
