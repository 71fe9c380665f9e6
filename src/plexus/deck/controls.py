"""The block `controls`: names for expressions, and what does not go together with the rest of the deck.

Expressions read controls by name in every evaluation. Numbers that are no expressions, such as a viscosity in
Fourier space, read scalars only (`plexus.deck.params.Movable`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.suggest import nearest
from plexus.deck.syntax import COORDINATES
from plexus.deck.units import Quantity, same_dimension
from plexus.deck.walk import everything

if TYPE_CHECKING:
    from plexus.deck.context import Context
    from plexus.protocols import Doubt, Found

BLOCKS = ("physics", "closure", "boundary", "initial", "quantities")
"""Blocks whose expressions may read controls."""


def announce(data: Any, context: Context) -> None:
    """Note names and units of the controls of a deck, plain data, so that a wrong one is told once."""
    given = data.get("controls") if isinstance(data, dict) else None
    if not isinstance(given, dict):
        return
    kinds = {name: block.get("type") for name, block in given.items() if isinstance(block, dict)}
    context.controls = {name: str(given[name].get("unit", "1")) for name in kinds}
    members = registry.names("control")
    context.inner = {n for n, kind in kinds.items() if kind in members and not _at_nodes(kind)}


def _at_nodes(kind: str) -> bool:
    cls: Any = registry.component("control", kind).cls
    return bool(cls.at_nodes)


def settle(controls: Mapping[str, Any], context: Context) -> None:
    """Note which controls are one number with which start, the same everywhere, or functions of fields."""
    members: dict[str, Any] = {name: registry.build("control", params) for name, params in controls.items()}
    context.scalars = {name: float(m.begin(None)[0]) for name, m in members.items() if m.constant}
    context.placeless = {n for n, m in members.items() if m.location == "own" and m.at_nodes}
    context.laws = {name for name, member in members.items() if member.ports}


def problems(deck: Any, context: Context) -> Iterator[Found]:
    """Yield controls that nothing reads, and ports that do not fit."""
    read = {name for block in BLOCKS for name in _names(getattr(deck, block), block)}
    for name, params in deck.controls.items():
        if name not in read:
            text = "nothing reads it: name it in an expression of the physics, a boundary or an initial value"
            yield ("controls", name), f"{text}, or remove it"
        member: Any = registry.component("control", params.type).cls
        for place, text in getattr(member, "problems", lambda params: ())(params):
            yield ("controls", name, *place), text
        ports = registry.build("control", params).ports
        yield from (
            (("controls", name, "inputs", port), text) for port, text in _misfits(ports, deck, context)
        )


def moving(deck: Any) -> dict[str, Any]:
    """Return the controls that have numbers, which gradients are taken in."""
    members = {name: registry.build("control", params) for name, params in deck.controls.items()}
    return {name: member for name, member in members.items() if member.location != "given"}


def still(name: str, deck: Any) -> str | None:
    """Return why no gradient is taken in what a deck names; None if one is."""
    if name not in deck.controls:
        return f"no control is called {name!r}{nearest(name, deck.controls, 12)}"
    return None if name in moving(deck) else f"{name} is given by another run: it has no numbers that move"


def gradients(deck: Any, context: Context) -> Iterator[Found]:
    """Yield what wants a gradient that does not exist."""
    for i, output in enumerate(deck.output):
        if output.type != "gradient":
            continue
        quantity = deck.quantities.get(output.of)
        if quantity is None:
            hint = nearest(output.of, deck.quantities) or "; the deck has no quantities"
            yield ("output", i, "of"), f"no quantity is called {output.of!r}{hint}"
        elif why := getattr(registry.component("quantity", quantity.type).cls, "rough", ""):
            yield ("output", i, "of"), f"{output.of} is a {quantity.type}: {why}"
        for k, name in enumerate(output.to):
            if text := still(name, deck):
                yield ("output", i, "to", k), text
        if not moving(deck):
            yield ("output", i, "to"), "the deck has no `controls` to differentiate in"
    if deck.time is not None and derived(deck):
        stepper: Any = registry.component("stepper", deck.time.stepper.type).cls
        if why := getattr(stepper, "rough", ""):
            yield ("time", "stepper"), why


def derived(deck: Any) -> list[str]:
    """Return the places of the deck that ask for derivatives."""
    outputs = [f"output[{i}]" for i, output in enumerate(deck.output) if output.type == "gradient"]
    return outputs if deck.calibrate is None else ["calibrate", *outputs]


def given_steps(deck: Any) -> Iterator[Doubt]:
    """Yield where derivatives leave out that steps follow from the numbers of controls."""
    control: Any = registry.component("controller", deck.time.control.type).cls
    for place in () if control.fixed else derived(deck):
        text = "adaptive steps follow from the controls, and derivatives count their lengths as given"
        yield place, f"{text}: they are wrong by the order of a step's error; fixed steps have exact ones"


def _names(block: Any, path: str) -> Iterator[str]:
    for _, leaf in everything(block, path):
        yield from leaf.names


def _misfits(ports: Mapping[str, Any], deck: Any, context: Context) -> Iterator[tuple[str, str]]:
    """Yield ports of a control that are no scalar unknown of the model, or no value of it."""
    fields = context.fields or {}
    for name, ends in ports.items():
        spec = fields.get(name)
        if spec is None:
            valid = [*COORDINATES, *(n for n, s in fields.items() if s.shape == "scalar")]
            yield name, f"no field is called {name!r}{nearest(name, valid, 12)}"
        elif spec.shape != "scalar":
            yield name, f"{name} is a {spec.shape}: a port takes a scalar"
        elif name in context.derived:
            yield name, f"{name} follows from the unknowns: a port takes an unknown or an internal variable"
        else:
            units = [end.unit for end in ends if isinstance(end, Quantity)]
            if not all(same_dimension(spec.unit, unit) for unit in units):
                yield name, f"{name} is in {spec.unit}, its range is not"
