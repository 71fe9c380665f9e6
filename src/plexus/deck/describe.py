"""What a parameter model says about itself: the rows behind `plexus explain` and the reference pages."""

from __future__ import annotations

import inspect
import math
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from plexus import registry
from plexus.deck.discretisation import made_for
from plexus.deck.expressions import Expression
from plexus.deck.ondemand import OnDemand
from plexus.deck.params import Component, Params, Within, notes, unit_of
from plexus.deck.property import Property
from plexus.deck.schedules import ScheduleText
from plexus.deck.values import Name
from plexus.errors import PlexusError
from plexus.protocols import FieldSpec

_NAMES: dict[Any, str] = {
    float: "number", int: "whole number", bool: "true or false", str: "text", type(None): "nothing",
    Any: "any", Expression: "expression", Property: "property", ScheduleText: "schedule",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One parameter: dotted name, type in words, unit, default, bounds, tip and source of the default."""

    name: str
    type: str
    unit: str
    default: str
    bounds: str
    tip: str
    source: str


def rows(model: type[Params], prefix: str = "") -> Iterator[Row]:
    """Yield the parameters of a model, nested groups after the parameter that holds them."""
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        yield Row(
            name=prefix + name,
            type=words(info.annotation, info.metadata),
            unit=unit_of(info),
            default=default_of(info),
            bounds=", ".join(_bounds(info)),
            tip=info.description or "",
            source=str(extra.get("source", "")),
        )
        # A block may contain itself (a solver's fallback); its rows are listed once.
        for inner in models_in(info.annotation):
            if inner is not model and inner is not Params:
                yield from rows(inner, f"{prefix}{name}.")


def models_in(annotation: Any) -> list[type[Params]]:
    """Return the parameter models inside a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Params):
        return [annotation]
    later = [m.model for m in getattr(annotation, "__metadata__", ()) if isinstance(m, OnDemand)]
    return [*later, *(m for a in get_args(annotation) for m in models_in(a))]


def words(annotation: Any, metadata: Any = ()) -> str:
    """Return a type annotation in the words of a deck."""
    slot = next((m for m in metadata if isinstance(m, Component)), None)
    if slot:
        return f"a {slot.kind}"
    if any(isinstance(m, OnDemand) for m in metadata):
        return "block"
    reference = next((m for m in metadata if isinstance(m, Name)), None)
    if reference:
        return f"name of a {reference.what}"
    origin, args = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return words(args[0], annotation.__metadata__)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(words(a) for a in args if a is not type(None)))
    if origin is Literal:
        return " | ".join(str(a).lower() if isinstance(a, bool) else str(a) for a in args)
    if origin in (list, tuple):
        inner = dict.fromkeys(words(a) for a in args if a is not Ellipsis)
        return f"list of ({' , '.join(inner)})" if len(inner) > 1 else f"list of: {next(iter(inner), 'any')}"
    if origin is dict:
        return f"mapping of name to: {words(args[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Params):
        return "block"
    return _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


def default_of(info: FieldInfo) -> str:
    """Return the default as a deck would write it; ``required`` if there is none."""
    if info.default is PydanticUndefined:
        return "required"
    default = info.default
    if default is None:
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, (tuple, list)):
        return f"[{', '.join(map(str, default))}]"
    if isinstance(default, Params):
        return default.type or "{}"
    if default == "":
        return "empty"
    return f"{default:g}" if isinstance(default, float) and math.isfinite(default) else str(default)


def _bounds(info: FieldInfo) -> Iterator[str]:
    inner = [m for m in notes(info.annotation, ()) if isinstance(m, Within)]
    for item in (*info.metadata, *inner):
        for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<=")):
            value = getattr(item, name, None)
            if value is not None:
                yield f"{sign} {value:g}"
        for name, text in (("min_length", "at least {} items"), ("max_length", "at most {} items")):
            value = getattr(item, name, None)
            if value is not None:
                yield text.format(value)


def fields(component: registry.Component) -> list[tuple[FieldSpec, bool]]:
    """Return the fields of a physics model and whether each is an unknown, for all variants of its example.

    A variant is another choice of one parameter, e.g. of the geometry. Empty for other kinds.
    """
    example = getattr(sys.modules[component.cls.__module__], "EXAMPLE", None)
    if component.kind != "physics" or example is None:
        return []
    found: dict[str, tuple[FieldSpec, bool]] = {}
    for variant in ({}, *_choices(component.params)):
        try:
            model: Any = component.cls(component.params(**{**example, **variant}))
        except (ValueError, PlexusError):  # the example's other parameters do not go with this choice
            continue
        for spec, unknown in made_for(component.name).fields(model):
            found.setdefault(spec.name, (spec, unknown))
    return list(found.values())


def _choices(model: type[Params]) -> Iterator[dict[str, Any]]:
    for name, info in model.model_fields.items():
        if get_origin(info.annotation) is Literal:
            yield from ({name: choice} for choice in get_args(info.annotation))


def documentation(component: registry.Component) -> str:
    """Return the docstring of the file that defines a component: equation, symbols, source, validity."""
    return inspect.cleandoc(sys.modules[component.cls.__module__].__doc__ or "")


def summary(kind: str, name: str) -> str:
    """Return the first line of a component's file."""
    lines = documentation(registry.component(kind, name)).splitlines()
    return lines[0] if lines else ""
