"""Host decks: for every component a small deck in which it can show what it does.

They are found, not listed: meshes, steppers and closures of the registry are tried around a component's
`EXAMPLE` until the deck's own checks accept one and it can be put together.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args, get_origin

import pytest

from plexus import registry
from plexus.compose import compose
from plexus.deck.discretisation import made_for, serves
from plexus.deck.schema import Deck
from plexus.errors import PlexusError
from plexus.protocols import Controlled, Leaps
from plexus.run import Run

Data = dict[str, Any]
ROOT = Path(__file__).parents[2]
SMALL: list[Data] = [
    {"type": "box", "cell": "triangle", "cells": [6, 4]},
    {"type": "box", "cell": "quadrilateral", "cells": [8, 5]},
    {"type": "interval", "cells": 12},
    {"type": "periodic", "cells": [16, 12], "size": [10, 8]},
    {"type": "periodic", "cells": [32], "size": [22]},
]
"""Meshes that are tried first; then the examples of all other sources that need no file."""
STEP = 0.01
STEPS = 4
TURNS: Data = {"tables": {"turn": {"times": [0, STEPS * STEP], "values": [0, 1], "period": STEPS * STEP}}}
"""What makes a march one cycle."""
KINDS = {d: registry.component("discretisation", d) for d in registry.names("discretisation")}
"""Name -> discretisation."""


def example(kind: str, name: str) -> Data:
    """Return the component's example with its type."""
    module = sys.modules[registry.component(kind, name).cls.__module__]
    return {"type": name, **module.EXAMPLE}


def params(kind: str, name: str) -> Any:
    """Return the parameters of the component's example."""
    given = {k: v for k, v in example(kind, name).items() if k != "type"}
    return registry.component(kind, name).params.model_validate(given)


def served(kind: str, physics: str) -> list[str]:
    """Return the members of a kind that go with a physics."""
    return [name for name in registry.names(kind) if serves(kind, name, made_for(physics))]


def checked(data: Data) -> Deck:
    """Return the deck of plain data, checked as a file is.

    Raises
    ------
    ValueError
        If the checks refuse it.
    """
    return Deck.from_plain(
        {"data": data, "path": str(ROOT / "input_decks/host.yaml"), "origins": {}, "overrides": []}
    )


def composed(data: Data, folder: Path, seed: int = 0) -> Run:
    """Return the run of a deck, which writes into a folder. Collective."""
    from mpi4py import MPI

    from plexus.runtime import context

    return compose(checked(data), context.create(MPI.COMM_WORLD, folder, seed=seed))


def _meshes(physics: str) -> list[Data | None]:
    """Return mesh blocks that go with a physics, small ones first."""
    if made_for(physics).mesh is None:
        return [None]
    names = served("mesh", physics)
    others = [example("mesh", name) for name in names if name not in {m["type"] for m in SMALL}]
    return [m for m in SMALL if m["type"] in names] + [m for m in others if "file" not in m]


def _values(physics: str, mesh: Data | None) -> Data:
    """Return start values that grow along x, and values on the left that grow in time, where there is one."""
    if "boundary" in made_for(physics).blocks or mesh is None:
        return {}
    dim = len(mesh["cells"]) if isinstance(mesh.get("cells"), list) else 1
    found: dict[str, Data] = {}
    for key, variable in (("initial", "x"), ("boundary", "t")):
        found[key] = {}
        for spec in registry.component("physics", physics).cls.fields(params("physics", physics)):
            value = f"{spec.start} + 0.1*{variable}"
            found[key][spec.name] = value if spec.shape == "scalar" else [value] * dim
    return {"initial": found["initial"], "boundary": [{"on": "left", **found["boundary"]}]}


def _candidates(physics: str) -> Iterator[Data]:
    """Yield decks that might suit a physics; with every mesh, closure and stepper."""
    closures = [*(example("closure", name) for name in registry.names("closure")), None]
    for mesh in _meshes(physics):
        for values in (_values(physics, mesh), {}):
            for closure in closures:
                for stepper in served("stepper", physics):
                    time = {"stepper": example("stepper", stepper), "step": STEP, "end": STEPS * STEP}
                    data = {
                        "plexus": 1, "mesh": mesh, "physics": example("physics", physics), "time": time,
                        "closure": closure, **values,
                    }  # fmt: skip
                    yield {k: v for k, v in data.items() if v}


def accepted(data: Data) -> str:
    """Return why the checks refuse a deck, empty where they accept it."""
    try:
        checked(data)
    except (ValueError, PlexusError) as error:
        return str(error)
    return ""


@cache
def hosts(physics: str) -> list[Data]:
    """Return decks of a physics that the checks accept and that can be put together, one per mesh."""
    found: dict[str, Data] = {}
    for data in _candidates(physics):
        key = str(data.get("mesh"))
        if key not in found and not accepted(data) and _works(data):
            found[key] = data
    return list(found.values())


def _works(data: Data) -> bool:
    """Return whether a run can be made of a deck."""
    try:
        composed(data, Path("nowhere"))
    except PlexusError:
        return False
    return True


def _begins(data: Data) -> str:
    """Return why outputs and quantities of a deck cannot begin, empty where they can."""
    try:
        with TemporaryDirectory() as folder:
            run = composed(data, Path(folder))
            for observer in run.places:
                observer.start(run)
            run.values()
    except PlexusError as error:
        return str(error)
    return ""


def host(physics: str) -> Data:
    """Return the first host of a physics."""
    found = hosts(physics)
    assert found, (
        f"physics.{physics} has no host: no mesh, stepper and closure of the registry make a valid deck of "
        "its EXAMPLE; write one that needs no more than they offer"
    )
    return found[0]


@cache
def of_discretisation(name: str) -> list[str]:
    """Return the physics of a discretisation."""
    here = registry.component("discretisation", name).cls
    return [physics for physics in registry.names("physics") if isinstance(made_for(physics), here)]


@cache
def quantity_decks(name: str, discretisation: str) -> tuple[Data, str]:
    """Return a host with a quantity called `it`, or why there is none."""

    def add(host: Data, block: Data) -> Data:
        # some look at what an output has found
        of = getattr(registry.component("quantity", name).cls, "of_output", None)
        outputs = {} if of is None else {"output": [example("output", of)], **TURNS}
        return host | outputs | {"quantities": {"it": block}}

    return _around("quantity", name, discretisation, add)


@cache
def output_decks(name: str, discretisation: str) -> tuple[Data, str]:
    """Return a host with an output and checkpoints, both due often, or why there is none."""

    def add(host: Data, block: Data) -> Data:
        every = (
            {"every": "1 steps"} if "every" in registry.component("output", name).params.model_fields else {}
        )
        mine = block | every | ({"keep": 99} if name == "checkpoint" else {})
        kept = {"type": "checkpoint", "every": f"{STEPS // 2} steps", "keep": 99}
        if getattr(registry.component("output", name).cls, "needs", None) is Controlled:
            host = host | steered(host["physics"]["type"])
        host = host | (TURNS if name == "cycles" else {})
        return host | {"output": [mine] if name == "checkpoint" else [mine, kept]}

    return _around("output", name, discretisation, add)


def offered(kind: str) -> list[tuple[str, str]]:
    """Return the members of a kind with each discretisation that offers what they need."""
    pairs = ((name, d) for name in registry.names(kind) for d in KINDS)
    return [(name, d) for name, d in pairs if serves(kind, name, KINDS[d].cls(KINDS[d].params()))]


def deck_of(kind: str, name: str, discretisation: str) -> Data:
    """Return a host; where an example fits one discretisation only, it need not have one of the others."""
    of = {"quantity": quantity_decks, "output": output_decks}[kind]
    data, why = of(name, discretisation)
    if why and any(not of(name, d)[1] for n, d in offered(kind) if n == name):
        pytest.skip(why)
    assert not why, why
    return data


def _around(kind: str, name: str, discretisation: str, add: Callable[[Data, Data], Data]) -> tuple[Data, str]:
    why = "nothing of it goes with this component"
    for change in range(ADAPTED):
        for physics in of_discretisation(discretisation):
            for data in hosts(physics) if name in served(kind, physics) else ():
                deck = add(data, _adapted(kind, name, physics)[change])
                why = accepted(deck) or _begins(deck)
                if not why:
                    return deck, ""
    return {}, f"{kind}.{name} has no host of discretisation {discretisation}: {why}"


def steered(physics: str) -> Data:
    """Return a control of a host, and a quantity `mean` that depends on it."""
    shown = [spec.name for spec in _specs(physics) if spec.shape == "scalar"]
    of = f"a*{shown[0]}" if shown else "a"
    return {
        "controls": {"a": {"type": "scalar", "start": 1.5}},
        "quantities": {"mean": {"type": "mean", "of": of}},
    }


ADAPTED = 7


def _adapted(kind: str, name: str, physics: str) -> list[Data]:
    """Return the example of a component, then with other names and places, each also in short."""
    whole, fields = example(kind, name), registry.component(kind, name).params.model_fields
    shown = [spec.name for spec in _specs(physics) if spec.shape == "scalar"]
    names: Data = {"on": "right", "at": [1], "points": [[1]]}
    names |= {"of": shown[0], "fields": [shown[0]]} if shown else {}
    found = [whole]
    for replaced in ({"on"}, {"on", "of", "fields"}, {*names}):
        other = {k: names.get(k, v) if k in replaced else v for k, v in whole.items()}
        found += [other, {k: v for k, v in other.items() if k == "type" or fields[k].is_required()}]
    return found


def _specs(physics: str) -> list[Any]:
    """Return all fields of the example of a physics."""
    cls = registry.component("physics", physics).cls
    return [spec for spec, _ in made_for(physics).fields(cls(params("physics", physics)))]


def mesh_block(name: str, folder: Path) -> Data:
    """Return the example of a mesh source; a file that it names is copied or converted into the folder."""
    from plexus.mesh.convert import convert

    block = example("mesh", name)
    if "file" not in block:
        return block
    target = folder / block["file"]
    shipped = ROOT / "input_decks" / block["file"]
    source = shipped if shipped.exists() else next(shipped.parent.glob(f"{shipped.stem}.*msh"), shipped)
    assert source.exists(), f"mesh.{name}: its EXAMPLE names {block['file']}, which input_decks lack"
    target.parent.mkdir(parents=True, exist_ok=True)
    if source == shipped:
        target.write_bytes(source.read_bytes())
    else:
        convert(source, target)
    return block


def columns(physics: str, data: Data) -> dict[str, Data]:
    """Return quantities that see all fields of a physics: the integrated square of every component."""
    source = checked(data).mesh
    axes = "xyz"[: 0 if source is None else registry.build("mesh", source).estimate().dim]
    tails = {
        "scalar": [""], "vector": [f"_{a}" for a in axes], "tensor": [f"_{a}{b}" for a in axes for b in axes],
    }  # fmt: skip
    return {
        f"{spec.name}{tail}": {"type": "integral", "of": f"({spec.name}{tail})^2"}
        for spec in _specs(physics)
        for tail in tails[spec.shape]
    }


def decks() -> dict[str, Data]:
    """Return all hosts by kind and name."""
    found: dict[str, Data] = {}
    for physics in registry.names("physics"):
        for data in hosts(physics)[:1]:
            found[f"physics.{physics}"] = data | {"quantities": columns(physics, data)}
    for discretisation in registry.names("discretisation"):
        for name in registry.names("output"):
            data, _ = output_decks(name, discretisation)
            if data:
                found[f"output.{name}.{discretisation}"] = data
        for name in registry.names("quantity"):
            data, _ = quantity_decks(name, discretisation)
            if data:
                # quantities of one host share its run
                shared = found.setdefault(quantity_label(data), data | {"quantities": {}})
                shared["quantities"][name] = data["quantities"]["it"]
    return found


def quantity_label(data: Data) -> str:
    """Return the name of the deck that the quantities of a host share."""
    return f"quantity.{data['physics']['type']}.{data['mesh']['type'] if 'mesh' in data else ''}"


def shareable(data: Data) -> bool:
    """Return whether two ranks can share the mesh of a deck."""
    mesh = checked(data).mesh
    if mesh is None:
        return True
    most = registry.build("mesh", mesh).estimate().ranks
    return most is None or most > 1


def write(folder: Path) -> None:
    """Write all hosts and meshes into a folder, for the script `on_ranks`."""
    for name, data in decks().items():
        if shareable(data):
            (folder / f"{name}.yaml").write_text(json.dumps(data))
    blocks = {f"mesh.{name}": mesh_block(name, folder) for name in registry.names("mesh")}
    (folder / "meshes.json").write_text(json.dumps(blocks))


def stepper_variants(*needs: type) -> list[Data]:
    """Return the examples of all steppers, or of those that march and need one of these, and all choices."""
    found: list[Data] = []
    for name in registry.names("stepper"):
        component = registry.component("stepper", name)
        if needs and not (component.cls.needs in needs and component.cls.marches):
            continue
        if component.cls.needs is Leaps:
            continue  # its steps are those of a bundle: tests/unit/operators
        found.append(example("stepper", name))
        for key, field in component.params.model_fields.items():
            choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
            bounds = [bound.le for bound in field.metadata if getattr(bound, "le", None) is not None]
            found += [{"type": name, key: v} for v in choices or bounds * (field.annotation is float)]
    return [v for i, v in enumerate(found) if v not in found[:i]]


def label(given: Data) -> str:
    """Return a test's name for a block."""
    return " ".join(str(value) for value in given.values())
