"""Pydantic's errors in the deck's words, with the nearest valid keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from plexus.deck.suggest import nearest

if TYPE_CHECKING:
    from pydantic import BaseModel

MOST = 200
"""Problems of one block that are told; a deck with more of them is not a deck."""
_TEXTS = {
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "int_parsing_size": "expected a smaller whole number",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "string_type": "expected text",
    "string_pattern_mismatch": "expected text of the form {pattern}",
    "none_required": "expected nothing",
    "greater_than": "must be > {gt:g}",
    "greater_than_equal": "must be >= {ge:g}",
    "less_than": "must be < {lt:g}",
    "less_than_equal": "must be <= {le:g}",
    "too_short": "needs at least {min_length} items, has {actual_length}",
    "too_long": "may have at most {max_length} items, has {actual_length}",
}


def in_words(error: ValidationError, model: type[BaseModel], data: Any) -> ValidationError:
    """Return the same errors with messages for the person who wrote the deck."""
    given = set(data) if isinstance(data, Mapping) else set()
    details: list[InitErrorDetails] = []
    items = error.errors(include_url=False)
    # A list whose items are wrong counts as empty; only the items are worth a message.
    parents = {item["loc"][:k] for item in items for k in range(len(item["loc"]))}
    for item in items[:MOST]:
        if item["type"] == "too_short" and item["loc"] in parents:  # the items are there, but wrong
            continue
        text = message(item, model, given)
        # The text is passed as a value because it may hold braces, which a template would interpret.
        custom = PydanticCustomError("deck", "{text}", {"text": text})
        details.append({"type": custom, "loc": item["loc"], "input": item.get("input")})
    return ValidationError.from_exception_data(model.__name__, details)


def message(item: Any, model: type[BaseModel], given: set[str]) -> str:
    """Return the message of one pydantic error that belongs to ``model``."""
    kind, loc, context = item["type"], item["loc"], item.get("ctx", {})
    if kind == "deck":
        return str(context["text"])
    fields = {f.alias or n: f for n, f in model.model_fields.items()}
    if kind == "extra_forbidden" and len(loc) == 1:
        return f"unknown key{nearest(str(loc[-1]), [f for f in fields if f not in given])}"
    if kind == "missing" and len(loc) == 1:
        tip = fields[str(loc[0])].description if str(loc[0]) in fields else None
        return "required but missing" + (f": {tip}" if tip else "")
    if kind == "missing" and isinstance(loc[-1], int):
        return f"entry {loc[-1] + 1} is missing"
    if kind == "literal_error":
        return _literal(item["input"], context["expected"])
    if kind in _TEXTS:
        return f"{_TEXTS[kind].format(**context)}{_got(item)}"
    return str(context["error"]) if kind in ("value_error", "assertion_error") else str(item["msg"])


def _literal(value: Any, expected: str) -> str:
    # Pydantic has the valid values only as English text: 'a', 'b' or 'c'.
    names = [part.strip(" '") for chunk in expected.split(" or ") for part in chunk.split(",")]
    return f"{_short(value)} is not valid here{nearest(str(value), names, len(names))}"


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= 40 else text[:37] + "..."


def _got(item: Any) -> str:
    value = item["input"]
    if isinstance(value, (list, tuple, dict)) or "actual_length" in item.get("ctx", {}):
        return ""
    return ", not nothing" if value is None else f", not {_short(value)}"
