"""Facets in a deck: ``left``, ``[left, top]``, or one side, ``{interface: NAME, from: REGION}``.

``steel|copper`` are the facets where these two regions meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from plexus.deck.context import Context, known
from plexus.deck.suggest import nearest
from plexus.deck.values import check_name, refuse, schema_of
from plexus.protocols.facets import Facets, regions_at

Found = Iterator[tuple[tuple[str | int, ...], PydanticCustomError]]
"""Where inside the value something is wrong, and what."""
FORM = "{interface: NAME, from: REGION}"
_NAMES: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "array", "items": {"type": "string"}, "minItems": 1},
]
SCHEMA: dict[str, Any] = {"anyOf": [*_NAMES, {
    "type": "object", "properties": {"interface": {"anyOf": _NAMES}, "from": {"type": "string"}},
    "required": ["interface", "from"], "additionalProperties": False,
}]}  # fmt: skip


class FacetsOfNames:
    """Annotation of `plexus.protocols.facets.Facets`, which a deck gives by names."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        """Check the names against those that are known."""
        return schema_of(facets)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """Return a name, a list of names, or a mapping of names and a region."""
        return SCHEMA


def facets(value: Any, info: ValidationInfo) -> Facets:
    """Return the facets that a deck value names.

    Raises
    ------
    PydanticCustomError, ValidationError
        At the entries that are no names of boundaries or of a region.
    """
    if isinstance(value, Facets):
        return value
    problems = list(_problems(value, known(info)))
    for loc, problem in problems:
        if not loc:
            raise problem
    if problems:
        details: list[InitErrorDetails] = [
            {"type": problem, "loc": loc, "input": None} for loc, problem in problems
        ]
        raise ValidationError.from_exception_data("on", details)
    given = value if isinstance(value, dict) else {"interface": value}
    names = given["interface"]
    # what is named twice is there once
    return Facets((names,) if isinstance(names, str) else tuple(dict.fromkeys(names)), given.get("from"))


def _problems(value: Any, context: Context) -> Found:
    """Yield what is wrong with a value."""
    if not isinstance(value, dict):
        yield from _names(value, (), context)
        return
    for key in value:
        if key not in ("interface", "from"):
            yield (key,), refuse(f"unknown key{nearest(str(key), ['interface', 'from'])}")
    for key in ("interface", "from"):
        if key not in value:
            yield (), refuse(f"`{key}` is missing: one side of an interface is {FORM}")
            return
    yield from _names(value["interface"], ("interface",), context)
    yield from _name(value["from"], ("from",), "region", context)


def _names(value: Any, loc: tuple[str | int, ...], context: Context) -> Found:
    """Yield what is wrong with a name or a list of names of boundaries."""
    if not isinstance(value, list | tuple):
        yield from _name(value, loc, "boundary", context)
    elif not value:
        yield loc, refuse("needs at least 1 items, has 0")
    else:
        for i, name in enumerate(value):
            yield from _name(name, (*loc, i), "boundary", context)


def _name(value: Any, loc: tuple[str | int, ...], what: str, context: Context) -> Found:
    """Yield why a value is no name of a boundary or region."""
    try:
        if not isinstance(value, str):
            form = f", a list of names, or {FORM}" if what == "boundary" else ""
            raise refuse(f"expected the name of a {what}{form}")
        pair = regions_at(value) if what == "boundary" else None
        named = value in (context.boundaries or ())
        if pair is not None and not named:
            for region in pair:
                check_name(region, context.regions, "region")
            return
        if what == "boundary" and value in (context.regions or ()) and not named:
            raise refuse(f"{value} is a region, no boundary; it meets a region B on {value}|B")
        check_name(value, context.boundaries if what == "boundary" else context.regions, what)
    except PydanticCustomError as problem:
        yield loc, problem
