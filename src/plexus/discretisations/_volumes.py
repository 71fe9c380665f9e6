"""A model on cells: grid → sides → scheme → solvers → initial means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus import registry
from plexus.coupling.starts import evaluated
from plexus.coupling.volumes import VolumeSystem
from plexus.deck.property import PointNames
from plexus.devices.tensors import to_device
from plexus.discretisations._controls import controls_of, unchanging
from plexus.errors import InputError, at_path
from plexus.mesh.lattice import SIDES
from plexus.models.volumes.affine import Affine
from plexus.models.volumes.form import CellForm
from plexus.models.volumes.places import Place, Places, Where
from plexus.models.volumes.scheme import Scheme, reach
from plexus.models.volumes.sides import Given, Mixed, Outflow, Prescribed, Rule, Side
from plexus.protocols import Assembled, Holds, Implicit, OnSides
from plexus.solvers.nonlinear import FieldSolver
from plexus.solvers.packages import available
from plexus.solvers.target import Target
from plexus.spaces.cells import CellSpace, sides
from plexus.spaces.controls import Sampled
from plexus.spaces.grounds import GridGround
from plexus.spaces.slabs import Slab
from plexus.stepping.passes import Passes

if TYPE_CHECKING:
    from plexus.deck.conditions import Condition
    from plexus.deck.ensemble import Ensemble
    from plexus.deck.schema import Deck
    from plexus.mesh.grid import Grid
    from plexus.protocols import Array, FieldSpec
    from plexus.runtime.context import Context

Key = tuple[int, int]
"""Axis and end of a side."""


def assemble(deck: Deck, ctx: Context, t: float) -> Assembled:
    """Return grid, system and initial means at time ``t``. Collective.

    Raises
    ------
    InputError
        If the deck does not fit the mesh, the ranks or this machine.
    """
    with ctx.timers("mesh"):
        grid = registry.build("mesh", deck.mesh).grid(ctx.comm)
    with ctx.timers("spaces"):
        law: Any = registry.build("physics", deck.physics)
        specs = law.fields(deck.physics)
        reconstruction = registry.build("reconstruction", deck.physics.reconstruction)
        riemann = registry.build("riemann", deck.physics.riemann)
        rules = _rules(deck.boundary, specs, grid)
        edges = {
            (a, end): Side(a, end, rule, reconstruction.order, grid.spacing[a])
            for (a, end), rule in rules.items()
        }
        places = Places(Slab(grid, ctx.device), reach(reconstruction))
        controls = controls_of(deck, _ground(places))
        places.given = Sampled(controls)
        scheme = Scheme(law, specs, places, reconstruction, riemann, edges)
        linear = law.linear and reconstruction.order == 1 and not controls.bend([s.name for s in specs])
        solvers = {spec.name: _solver(deck, ctx, scheme, spec, linear) for spec in specs if _implicit(deck)}
        chosen = deck.coupling
        passes = None if chosen is None else Passes(chosen.iterations, chosen.tolerance)
        members = deck.ensemble.members if deck.ensemble else None
        opening = partial(_opening, deck, ctx.seed, t)
        steady = unchanging(deck, deck.physics, deck.boundary)
        system = VolumeSystem(scheme, solvers, passes, members, controls, opening, steady)
        watched = (solver.contexts.parts.items() for solver in solvers.values())
        system.include({}, {path: part for parts in watched for path, part in parts})
    return Assembled(grid, system, system.start())


def _ground(places: Places) -> GridGround:
    """Return where fields of controls stand."""
    slab = places.slab
    cells = CellSpace(slab.grid, slab.rows)

    def array(values: Array) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float64, device=slab.device)

    return GridGround(cells, array, places.spread, {})


def _opening(deck: Deck, seed: int, t: float, scheme: Scheme) -> dict[str, torch.Tensor]:
    """Return the amounts with which a run begins at time ``t``."""
    values = _initial(deck, scheme, t)
    if deck.ensemble:
        values = {name: _members(u, scheme, deck.ensemble, name, seed) for name, u in values.items()}
    amounts = scheme.stored(torch.cat(list(values.values()), dim=1)).split(scheme.sizes, dim=1)
    return {name: u.contiguous() for name, u in zip(values, amounts, strict=True)}


def _members(u: torch.Tensor, scheme: Scheme, ensemble: Ensemble, name: str, seed: int) -> torch.Tensor:
    """Return (N, m, *cells) from (1, m, *cells): each member with what tells it apart.

    Numbers are drawn for the whole grid by seed, member and field: the same on any number of ranks.
    """
    slab, seed = scheme.slab, seed if ensemble.seed is None else ensemble.seed
    place = [spec.name for spec in scheme.specs].index(name)
    rows = slice(*slab.rows)
    many = u.repeat(ensemble.members, *(1,) * (u.ndim - 1))
    for k in range(ensemble.members if ensemble.perturbation else 0):
        draw = np.random.default_rng([seed, ensemble.first + k, place])
        noise = draw.standard_normal((u.shape[1], *slab.grid.cells))[:, rows]
        many[k] += ensemble.perturbation * to_device(noise, slab.device)
    return many


def _implicit(deck: Deck) -> bool:
    """Return whether steps are solved: only then there are vectors and solver blocks that count."""
    stepper = registry.component("stepper", deck.time.stepper.type).cls if deck.time else None
    return getattr(stepper, "needs", Implicit) is Implicit


def _solver(deck: Deck, ctx: Context, scheme: Scheme, spec: FieldSpec, linear: bool) -> FieldSolver:
    """Return the solver of a field's implicit steps; its matrix is made when it is first needed."""
    form = CellForm(scheme, spec.name, deck.ensemble.members if deck.ensemble else 1)
    if isinstance(scheme.law, Holds):
        if linear and unchanging(deck, deck.physics, [c.terms for c in deck.boundary]):
            form.affine = Affine(form, unchanging(deck, deck.physics, deck.boundary))
        linear = False
    held = any(isinstance(r, (Prescribed, Mixed)) for side in scheme.sides.values() for r in side.rules)
    target = Target(
        name=spec.name,
        size=form.space.n_global * form.space.components,
        dim=scheme.dim,
        components=form.space.components,
        ranks=ctx.comm.size,
        linear=linear,
        singular=not held,
        rigid=False,
        packages=available(),
    )
    name = spec.name
    path = "solver." + (name if name in deck.solver or "default" not in deck.solver else "default")
    return FieldSolver(form, deck.solver_for(name), target, ctx, path)


def _initial(deck: Deck, scheme: Scheme, t: float) -> dict[str, torch.Tensor]:
    """Return the means of the initial values; those of the fields where the deck says nothing."""
    slab, every = scheme.slab, Where((0,) * scheme.dim)
    values = {}
    for spec, m in zip(scheme.specs, scheme.sizes, strict=True):
        given = deck.initial.get(spec.name, (None,) * m)[:m]
        parts = []
        for expression in given:
            if expression is None:
                parts.append(torch.full(slab.shape, spec.start, dtype=torch.float64, device=slab.device))
            else:
                f = partial(_start, expression, spec.name)
                parts.append(scheme.places.mean(f, every, range(scheme.dim), t))
        values[spec.name] = torch.stack(parts)[None].contiguous()
    return values


def _start(expression: Any, name: str, p: Place) -> Array:
    """Return an initial value at points."""
    controls = {n: PointNames(p)[n] for n in expression.names if n in p.fields}
    return evaluated(expression, dict(zip("xyz", p.x.unbind(-1), strict=False)) | {"t": p.t} | controls, name)


def _rules(conditions: Sequence[Condition], specs: Sequence[FieldSpec], grid: Grid) -> dict[Key, list[Rule]]:
    """Return a rule per component of all fields for every side; a side of which nothing is said is closed.

    Raises
    ------
    InputError
        If a component has two conditions on one side.
    """
    sizes = {spec.name: spec.components(grid.dim) for spec in specs}
    where = {name: sum(list(sizes.values())[:i]) for i, name in enumerate(sizes)}
    total = sum(sizes.values())
    found: dict[Key, dict[int, Rule]] = {
        (a, end): {} for a in range(grid.dim) if grid.ends(a) for end in (0, 1)
    }
    for number, condition in enumerate(conditions):
        with at_path(f"boundary[{number}]"):
            rules = list(_of_condition(condition, specs, sizes, where))
            for key in sides(condition.on, grid):
                for c, rule in rules:
                    before = found[key].get(c)
                    # of two prescribed values the later one holds, as on elements
                    if before is not None and not (
                        isinstance(before, Prescribed) and isinstance(rule, Prescribed)
                    ):
                        side = SIDES[key[0]][key[1]]
                        raise InputError(f"{side} has two conditions: give a value, a flux, or outflow")
                    found[key][c] = rule
    closed = Given(lambda p: 0 * p.one)
    return {key: [rules.get(c, closed) for c in range(total)] for key, rules in found.items()}


def _of_condition(
    condition: Condition, specs: Sequence[FieldSpec], sizes: dict[str, int], where: dict[str, int]
) -> Iterator[tuple[int, Rule]]:
    """Yield component and rule of each entry of a condition; terms hold for all fields."""
    for name, values in condition.values.items():
        for c, expression in enumerate(values[: sizes[name]]):
            if expression is not None:
                yield where[name] + c, Prescribed(partial(_at, expression))
    for term, params in condition.terms.items():
        for spec in specs:
            rule = _term(registry.component("boundary", term).cls(params, spec))
            for c in range(sizes[spec.name]):
                yield where[spec.name] + c, rule


def _at(expression: Any, p: Place) -> Array:
    """Return a prescribed value at points."""
    return expression.sure(PointNames(p))


def _term(term: OnSides) -> Rule:
    """Return the rule of a member of kind ``boundary``."""
    law = term.side()
    if law.open:
        return Outflow()
    assert law.value is not None, "a side that is not open has a flux"
    return Given(law.value) if law.coefficient is None else Mixed(law.coefficient, law.value)
