"""The block `controls`: names for expressions, and what does not go together with the rest of the deck.

Models on elements read controls by name in every evaluation. Others have them as parameters: a scalar stands
for its start there, and nothing else can be a control.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.suggest import nearest
from plexus.deck.syntax import COORDINATES
from plexus.deck.units import Quantity, parse_unit, same_dimension
from plexus.deck.values import refuse
from plexus.deck.walk import everything

if TYPE_CHECKING:
    from plexus.deck.context import Context
    from plexus.protocols import Doubt, Found

BLOCKS = ("physics", "closure", "boundary", "initial", "quantities")
"""Blocks whose expressions may read controls."""


def read_by_name(data: Any) -> bool:
    """Return whether the model of a deck, plain data, reads controls by name; True where it has none."""
    from plexus.deck.discretisation import made_for
    from plexus.protocols import Controlled

    physics = data.get("physics") if isinstance(data, dict) else None
    name = physics.get("type") if isinstance(physics, dict) else physics
    if not isinstance(name, str) or name not in registry.names("physics"):
        return True
    return Controlled in made_for(name).offers


def announce(data: Any, context: Context) -> None:
    """Note names and units of the controls of a deck, plain data, so that a wrong one is told once."""
    context.controlled = read_by_name(data)
    given = data.get("controls") if isinstance(data, dict) else None
    if not context.controlled or not isinstance(given, dict):
        return
    kinds = {name: block.get("type") for name, block in given.items() if isinstance(block, dict)}
    context.controls = {name: str(given[name].get("unit", "1")) for name in kinds}
    members = registry.names("control")
    context.inner = {n for n, kind in kinds.items() if kind in members and not _at_nodes(kind)}


def _at_nodes(kind: str) -> bool:
    cls: Any = registry.component("control", kind).cls
    return bool(cls.at_nodes)


def settle(controls: Mapping[str, Any], context: Context) -> None:
    """Make scalars parameters where the model reads no control by name.

    Raises
    ------
    PydanticCustomError
        If one of these is no scalar.
    """
    if context.controlled:
        return
    for name, params in controls.items():
        if params.type != "scalar":
            text = "fields, tables and networks are controls of models on elements only"
            raise refuse(f"{name}: {text}; here a scalar stands for its start")
    context.parameters = {**context.parameters, **_numbers(controls)}


def fixed(deck: Any) -> dict[str, float]:
    """Return the controls that stand for their start."""
    return {} if read_by_name(deck.plain()["data"]) else _numbers(deck.controls)


def _numbers(controls: Mapping[str, Any]) -> dict[str, float]:
    """Return the starts of scalars; with their units, if they have one."""
    found: dict[str, float] = {}
    for name, params in controls.items():
        unit, start = params.unit, float(params.start)
        pure = unit in ("", "1")
        found[name] = start if pure else Quantity(start, parse_unit(unit), f"{start!r} {unit}")
    return found


def problems(deck: Any, context: Context) -> Iterator[Found]:
    """Yield controls that nothing reads, and ports that do not fit."""
    read = {name for block in BLOCKS for name in _names(getattr(deck, block), block)}
    for name, params in deck.controls.items():
        if context.controlled and name not in read:
            text = "nothing reads it: name it in an expression of the physics, a boundary or an initial value"
            yield ("controls", name), f"{text}, or remove it"
        ports = registry.build("control", params).ports
        yield from (
            (("controls", name, "inputs", port), text) for port, text in _misfits(ports, deck, context)
        )


def gradients(deck: Any) -> Iterator[Found]:
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
            if name not in deck.controls:
                text = f"no control is called {name!r}{nearest(name, deck.controls, 12)}"
                yield ("output", i, "to", k), text
        if not deck.controls:
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
