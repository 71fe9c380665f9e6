"""Bounds of a field that a run must keep: ``temperature: [0 K, 2000 K]``, open where an end is ``...``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationInfo, model_validator

from plexus.deck.context import known
from plexus.deck.params import Field, Params
from plexus.deck.suggest import nearest
from plexus.deck.values import convert, refuse

OPEN = "..."


class Limits(Params):
    """Lower and upper bound of a field, in its unit, and what happens beyond them.

    Short form: a list of both, where ``...`` or null leaves an end open; such bounds stop the run.
    """

    lower: float | None = Field(None, description="smallest value; a number with or without the field's unit")
    upper: float | None = Field(None, description="largest value")
    action: Literal["stop", "warn"] = Field(
        "stop", description="stop: end with exit code 5; warn: tell it once and count the steps"
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Allow the short form, and numbers with units."""
        end = {"type": ["number", "string", "null"]}
        block = handler(schema)
        for name in ("lower", "upper"):
            block["properties"][name] = {
                **end,
                "description": block["properties"][name].get("description", ""),
            }
        return {"anyOf": [{"type": "array", "items": end, "minItems": 2, "maxItems": 2}, block]}

    @model_validator(mode="after")
    def _ordered(self) -> Limits:
        if self.lower is None and self.upper is None:
            raise refuse("bounds nothing: give lower, upper, or a list of both")
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise refuse(f"lower {self.lower:g} is not below upper {self.upper:g}")
        return self


def in_units(value: Any, info: ValidationInfo) -> Any:
    """Return a deck's mapping of field names to bounds with plain numbers in the fields' units.

    Raises
    ------
    PydanticCustomError
        If a name is no field, or a bound no number in its unit.
    """
    if not isinstance(value, dict):
        raise refuse("expected a mapping such as {temperature: [0 K, ...]}")
    return {name: _block(str(name), item, info) for name, item in value.items()}


def _block(name: str, item: Any, info: ValidationInfo) -> Any:
    """Return the long form of one field's bounds."""
    if isinstance(item, Limits):
        return item
    unit = _unit(name, info)
    if isinstance(item, list):
        if len(item) != 2:
            raise refuse(f"{name}: expected a lower and an upper bound, one of which may be {OPEN}")
        item = {"lower": item[0], "upper": item[1]}
    if not isinstance(item, dict):
        raise refuse(f"{name}: expected [lower, upper] or {{lower: ..., upper: ..., action: ...}}")
    ends = {key: None if item[key] == OPEN else item[key] for key in ("lower", "upper") if key in item}
    return item | {
        key: end if unit is None else convert(end, unit, False, known(info)) for key, end in ends.items()
    }


def _unit(name: str, info: ValidationInfo) -> str | None:
    """Return the unit of a field or a component; None where fields are not known."""
    context = known(info)
    if context.fields is None:
        return None
    whole = name if name in context.fields else name.rpartition("_")[0]
    if name not in context.field_names():
        raise refuse(f"unknown field {name!r}{nearest(name, sorted(context.field_names()), 12)}")
    spec = context.fields[whole]
    if spec.shape != "scalar" and name == whole:
        axes = "x" if spec.shape == "vector" else "xx"
        raise refuse(f"{name} is a {spec.shape}: bound a component of it, such as {name}_{axes}")
    return spec.unit


def increments(value: Any, info: ValidationInfo) -> Any:
    """Return a deck's mapping of unknowns and internal variables to the most that they may change in a step.

    Raises
    ------
    PydanticCustomError
        If a name is neither, or a bound is no positive number in its unit.
    """
    if not isinstance(value, dict):
        raise refuse("expected a mapping such as {p: 1e-3}")
    context = known(info)
    fields = None if context.unknowns is None else {**context.unknowns, **context.internal}
    found = {}
    for name, bound in value.items():
        if fields is not None and name not in fields:
            text = f"{name!r} is neither an unknown nor an internal variable"
            raise refuse(f"{text}{nearest(str(name), sorted(fields), 12)}")
        number = convert(bound, "1" if fields is None else fields[name].unit, False, context)
        if not isinstance(number, (int, float)) or not number > 0:
            raise refuse(f"{name}: expected a positive number, not {bound!r}")
        found[name] = float(number)
    return found
