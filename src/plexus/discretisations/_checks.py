"""Whether conditions and stepper take the equations of a model on elements: loads, memory, passes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from plexus import registry
from plexus.deck.doubts import STEADY
from plexus.discretisations._balance import one_sided
from plexus.discretisations._contacts import between, crossings
from plexus.discretisations._degree import degree_of
from plexus.discretisations._fields import unreached
from plexus.discretisations._reduced import reduced
from plexus.formulation.conditions import sort_conditions
from plexus.formulation.terms import accepted
from plexus.protocols import (
    Choosy,
    Doubt,
    Equation,
    FieldSpec,
    Found,
    Remembers,
    Repeats,
    Stores,
)
from plexus.protocols.facets import Facets

PLACE = ("time", "stepper")

Side = tuple[str, str | None]
"""Name of a boundary, and the region from which it is seen; None for every side."""


def problems(deck: Any) -> Iterator[Found]:
    """Yield what does not go together in a deck that is valid otherwise."""
    yield from radial(deck)
    yield from exchanges(deck)
    if deck.time is None and deck.coupling is None and not deck.boundary:
        return
    cls: Any = registry.component("physics", deck.physics.type).cls
    equations = cls(deck.physics).equations
    yield from contradictions(deck, equations)
    yield from repeated(deck, equations)
    yield from torn(deck, equations)
    if deck.coupling is not None and len(equations) < 2:
        yield ("coupling",), f"{deck.physics.type} is one system: there are no equations to iterate between"
    yield from reduced(deck, equations)
    if deck.time is None:
        yield from pathless(equations)
        return
    stepper = _stepper(deck.time)
    name = deck.time.stepper.type
    yield from capacities(stepper, equations)
    yield from estimates(deck.time, equations)
    yield from systems(stepper, equations)
    yield from memory(name, stepper, equations)
    if deck.coupling is not None and not isinstance(stepper, Repeats):
        yield PLACE, f"{name} cannot repeat a step for `coupling`; use theta, bdf2 or quasistatic"


def radial(deck: Any) -> Iterator[Found]:
    """Yield total forces away from the axis of a meridian section: all around it they cancel."""
    if getattr(deck.physics, "geometry", None) != "axisymmetric":
        return
    for i, condition in enumerate(deck.boundary):
        params = condition.terms.get("force")
        if params is not None and params.value[0].constant != 0:
            text = (
                "the radial force all around a body of revolution adds up to zero; use pressure or traction"
            )
            yield ("boundary", i, "force"), text


def exchanges(deck: Any) -> Iterator[Found]:
    """Yield flows by boundary terms of what has no terms, or through boundaries whose value is prescribed."""
    asked = {n: q for n, q in deck.quantities.items() if q.type == "flux" and q.by == "terms"}
    if not asked:
        return
    cls: Any = registry.component("physics", deck.physics.type).cls
    known = balances(cls(deck.physics).equations)
    for name, quantity in asked.items():
        unknown = known.get(quantity.of)
        if unknown is None:
            text = f"{quantity.of} is not the flux of a balance, whose boundary terms could be added up"
            yield ("quantities", name, "of"), text
            continue
        given = [c.on for c in deck.boundary if unknown in c.values]
        # what holds one side of an interface leaves the other one free
        side = quantity.on.side
        meant = {n for places in given if side is None or places.side in (side, None) for n in places}
        for on in sorted(meant.intersection(quantity.on)):
            yield ("quantities", name, "on"), held_there(unknown, on)


def balances(equations: Sequence[Equation]) -> dict[str, str]:
    """Return flux field -> unknown whose balance it belongs to."""
    return {e.flux_field.name: e.field.name for e in equations if e.flux_field}


def held_there(unknown: str, where: object) -> str:
    """Return what is said of a flow by terms where the unknown is prescribed."""
    return f"{unknown} is prescribed on {where}: take a reaction there, or by: gradients"


def _stepper(time: Any) -> object:
    """Return the stepper as the controller's tolerance makes it."""
    control = registry.component("controller", time.control.type).cls
    tolerance = control(time.control, time.step, time.end - time.start).tolerance
    return registry.build("stepper", time.stepper, tolerance)


def capacities(stepper: Any, equations: Sequence[Equation]) -> Iterator[Found]:
    """Yield what a march lacks of an equation's data; a method without order looks at no rate."""
    if not stepper.marches or not stepper.order:
        return
    for equation in equations:
        if isinstance(equation, Stores) and equation.lumped:
            yield from _of_memory(equation)
        if equation.lacking:
            what = f"{equation.field.name} has no rate of change without {' and '.join(equation.lacking)}"
            needs = "them" if len(equation.lacking) > 1 else "it"
            others = f"a march needs {needs}, or `stepper: quasistatic` where it follows its loads at once"
            first = f"required but missing: {what}; {others}"
            yield ("physics", "material", equation.lacking[0]), first


def _of_memory(equation: Any) -> Iterator[Found]:
    """Yield that a capacity that reads memory, known at quadrature points, cannot be taken at the nodes."""
    names: Collection[str] = getattr(equation.stored.capacity, "names", ())
    for spec in equation.internal:
        if spec.name in names:
            yield (
                ("physics", "capacity"),
                f"lumped, but the capacity depends on {spec.name}, which nodes do not know",
            )


def lumped(deck: Any, equations: Sequence[Equation]) -> Iterator[Doubt]:
    """Yield what lumping does not bring at degree 2."""
    if degree_of(deck.physics, 1) > 1 and any(isinstance(e, Stores) and e.lumped for e in equations):
        text = (
            "at degree 2 the lumped capacity is the scaled diagonal of Hinton, Rock and Zienkiewicz: errors"
        )
        key = "mass" if hasattr(deck.physics, "mass") else "capacity"
        yield (
            f"physics.{key}",
            f"{text} fall with h^2, and values may leave the range of the data; degree 1 keeps it",
        )


def estimates(time: Any, equations: Sequence[Equation]) -> Iterator[Found]:
    """Yield that steps cannot be adapted to the error of a march in which nothing has a rate."""
    if time.control.type != "error" or time.control.limit or any(e.evolving or e.lacking for e in equations):
        return
    place = ("time", "adaptive" if time.adaptive is not None else "controller")
    text = "no unknown has a time derivative, so there is no error to adapt steps to"
    yield place, f"{text}; leave it out, or use `controller: failures` for steps that do not converge"


def doubts(deck: Any) -> Iterator[Doubt]:
    """Yield what the block `initial` and capacities are good for where nothing marches."""
    cls: Any = registry.component("physics", deck.physics.type).cls
    equations = cls(deck.physics).equations
    yield from unreached(deck)
    if deck.time is not None:
        yield from lumped(deck, equations)
        return
    # terms do not ask for the dimension, which a mesh file may keep to itself until it is read
    conditions = sort_conditions(deck.boundary, equations, 3).values()
    bent = any(registry.build("control", params).ports for params in deck.controls.values())
    if not bent and all(part.linear for part in (*equations, *conditions)):
        for name in deck.initial:
            yield f"initial.{name}", f"{STEADY}, and its equations are linear: no initial value has an effect"
    yield from _capacities(deck)
    yield from one_sided(deck, equations)


def _capacities(deck: Any) -> Iterator[Doubt]:
    """Yield heat capacities that the deck itself states; a material's file may hold more than is needed."""
    stated = {path: place for path, place in deck.origins.items() if str(place).startswith(f"{deck.path}:")}
    here = [p for p in stated if p.startswith(("physics.material.specific_heat", "physics.capacity"))]
    heavy = not getattr(deck.physics, "gravity", None)
    if here and heavy:
        here = [p for p in stated if p.startswith("physics.material.density")] + here
    for path in here:
        yield path, f"{STEADY}: it has no effect without a rate of change"


def systems(stepper: object, equations: Sequence[Equation]) -> Iterator[Found]:
    """Yield why the stepper does not take the equations, or the steps that the controller chooses."""
    if isinstance(stepper, Choosy):
        evolving = [e for e in equations if e.time_order > 0]
        why = stepper.refusal([tuple(spec.name for spec in e.fields) for e in evolving])
        if why is not None:
            yield PLACE, why


def memory(name: str, stepper: object, equations: Sequence[Equation]) -> Iterator[Found]:
    """Yield that the stepper cannot advance what the equations remember at their quadrature points."""
    kept = stepper.memory if isinstance(stepper, Remembers) else None
    for equation in equations:
        what = ", ".join(spec.name for spec in equation.internal)
        if what and kept is None:
            others = "use theta, bdf2 or quasistatic"
            yield PLACE, f"{name} cannot advance internal variables ({what}); {others}"
        elif what and kept == "smooth" and equation.time_order and not equation.smooth:
            text = f"{what} follows a path and cannot be extrapolated from a stage inside the step"
            yield PLACE, f"{text}; use theta: 1, bdf2 or quasistatic"


def pathless(equations: Sequence[Equation]) -> Iterator[Found]:
    """Yield that a steady solve has no path along which memory could change."""
    for equation in equations:
        what = ", ".join(spec.name for spec in equation.internal)
        if what and not equation.smooth:
            text = f"{what} follow a path in time, and without the block `time` nothing would flow"
            yield ("physics",), f"{text}; give time: {{stepper: quasistatic, step: ..., end: ...}}"


def contradictions(deck: Any, equations: Sequence[Equation]) -> Iterator[Found]:
    """Yield loads on boundaries by whose names the deck prescribes every component of the unknown."""
    # where unknowns jump, a value on one side leaves the other one free
    apart = any(crossings(deck.boundary))
    for equation in equations:
        spec = equation.field
        held: dict[Side, dict[int, int]] = {}
        for j, condition in enumerate(deck.boundary):
            for c, value in enumerate(condition.values.get(spec.name, ())):
                for side in _sides(condition.on, apart) if value is not None else ():
                    held.setdefault(side, {}).setdefault(c, j)
        terms = set(accepted(equation.boundary_terms, spec.name))
        for i, condition in enumerate(deck.boundary):
            # a side of an interface may be held: what lies between both is judged with the mesh
            kinds = {k for k in terms & set(condition.terms) if not between(k)}
            if not kinds or not condition.on:
                continue
            by = [held.get((n, s), {}) | held.get((n, None), {}) for n, s in _sides(condition.on, apart)]
            if all(len(components) >= _entries(deck, spec) for components in by):
                where = min(by[0].values())
                text = f"has no effect, {spec.name} is prescribed there by boundary[{where}]; remove one"
                yield from ((("boundary", i, kind), text) for kind in kinds)


def _sides(on: Facets, apart: bool) -> list[Side]:
    """Return names and the side that is meant, if that matters."""
    return [(name, on.side if apart else None) for name in on]


def repeated(deck: Any, equations: Sequence[Equation]) -> Iterator[Found]:
    """Yield supports along the normal of boundaries that have one already."""
    for equation in equations:
        first: dict[frozenset[str], int] = {}
        for i, condition in enumerate(deck.boundary):
            if equation.field.name in condition.normals and condition.on:
                j = first.setdefault(frozenset(condition.on), i)
                if j != i:
                    text = "other conditions prescribe this direction at all its nodes"
                    yield ("boundary", i, "normal"), f"{text}: boundary[{j}]; remove one"


def torn(deck: Any, equations: Sequence[Equation]) -> Iterator[Found]:
    """Yield terms between two sides beside an unknown that must not jump there: all share their nodes."""
    whole = [e.field.name for e in equations if e.near_nullspace == "rigid"]
    for i, kind, _ in crossings(deck.boundary) if whole else ():
        text = (
            f"all unknowns of a model share their nodes, so that {whole[0]} would be torn apart there, too; "
            "mesh the contact as a layer of some thickness d and conductivity d/R, or solve by heat alone"
        )
        yield ("boundary", i, kind), text


def _entries(deck: Any, spec: FieldSpec) -> int:
    """Return the number of components that have to be prescribed, as far as the dimension is known."""
    given = [len(c.values[spec.name]) for c in deck.boundary if spec.name in c.values]
    return max(given, default=1)
