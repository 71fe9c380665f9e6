"""The complete effective deck as YAML: defaults written out, the origin of each value as a comment.

The text is itself a deck: loading it gives an equal `Deck`. Numbers are in SI units, files are absolute.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plexus.deck.conditions import Condition
from plexus.deck.expressions import Expression
from plexus.deck.params import Moved, Params
from plexus.deck.property import Property
from plexus.deck.schedules import ScheduleText
from plexus.deck.tree import scalar
from plexus.fileformat import EFFECTIVE, shown
from plexus.protocols.facets import Facets

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

_PLAIN = re.compile(r"[A-Za-z_./][\w./+-]*(?: [\w./+^()=*-]+)*")
_DEFAULT = "default"


def effective_yaml(deck: Deck) -> str:
    """Return the effective deck."""
    lines = [f"{EFFECTIVE}{shown(deck.path.name, '')}; every value with the place it came from"]
    lines += [f"# -s {text}" for text in deck.overrides]
    return (
        "\n".join([*lines, *_Writer(deck.origins, set(_given(deck, ""))).mapping(to_data(deck), "", 0)])
        + "\n"
    )


def fragment(data: Mapping[str, Any]) -> str:
    """Return plain data as YAML in the deck's style, without comments."""
    return "\n".join(_Writer(None, set()).mapping(dict(data), "", 0))


def to_data(value: Any) -> Any:
    """Return a validated value as plain data that would be validated to the same value."""
    match value:
        case Condition():
            # Back under their own keys, as the deck has them.
            one = {name: _components(v) for name, v in value.values.items()}
            one |= dict(zip(["normal"], map(to_data, value.normals.values()), strict=False))
            terms = {name: _members(p) for name, p in value.terms.items()}
            place = {"on": to_data(value.on)} if value.at is None else {"at": list(value.at)}
            return place | one | terms
        case Params():
            return ({"type": value.type} if value.type else {}) | _members(value)
        case Expression():
            return _number(value.text)
        case Moved():
            return value.expression.text
        case Property():
            return value.spec
        case Facets():
            names = value.names[0] if len(value) == 1 else list(value.names)
            return names if value.side is None else {"interface": names, "from": value.side}
        case ScheduleText():
            return list(value.value) if isinstance(value.value, tuple) else str(value)
        case dict():
            # Initial values are tuples of expressions, one per component.
            return {k: _components(v) if _is_components(v) else to_data(v) for k, v in value.items()}
        case list() | tuple():
            return [to_data(v) for v in value]
    return value


def _members(params: Params) -> dict[str, Any]:
    return {name: to_data(getattr(params, name)) for name in type(params).model_fields}


def _is_components(value: Any) -> bool:
    return isinstance(value, tuple) and any(isinstance(v, Expression) for v in value)


def _components(values: tuple[Expression | None, ...]) -> Any:
    data = [None if v is None else _number(v.text) for v in values]
    return data[0] if len(data) == 1 else data


def _number(text: str) -> Any:
    value = scalar(text)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else text


def _given(value: Any, path: str) -> Iterator[str]:
    """Yield the paths of everything that was given, also through a short form."""
    match value:
        case Condition():
            yield from _given(value.terms, path)
        case Params():
            if value.type:
                yield f"{path}.type"
            for name in value.model_fields_set:
                inside = f"{path}.{name}".lstrip(".")
                yield inside
                yield from _given(getattr(value, name), inside)
        case dict():
            for name, item in value.items():
                yield from _given(item, f"{path}.{name}")
        case list() | tuple():
            for i, item in enumerate(value):
                yield from _given(item, f"{path}[{i}]")


class _Writer:
    """Writes data in block style; lists of scalars in flow style."""

    def __init__(self, origins: Mapping[str, str] | None, given: set[str]):
        self.origins, self.given = origins, given

    def mapping(self, data: dict[str, Any], path: str, depth: int) -> list[str]:
        lines = []
        for key, value in data.items():
            lines += self.item("  " * depth + _text(key) + ":", value, f"{path}.{key}".lstrip("."), depth)
        return lines

    def item(self, head: str, value: Any, path: str, depth: int) -> list[str]:
        if isinstance(value, dict) and value and not _is_flow(value):
            return [head, *self.mapping(value, path, depth + 1)]
        if isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value):
            return [head, *self.block_list(value, path, depth + 1)]
        return [f"{head} {_flow(value)}{self.comment(path)}"]

    def block_list(self, values: list[Any], path: str, depth: int) -> list[str]:
        lines, pad = [], "  " * depth
        for i, value in enumerate(values):
            inside = f"{path}[{i}]"
            if isinstance(value, dict) and value and not _is_flow(value):
                block = self.mapping(value, inside, depth + 1)
                lines += [f"{pad}- {block[0].lstrip()}", *block[1:]]
            else:
                lines.append(f"{pad}- {_flow(value)}{self.comment(inside)}")
        return lines

    def comment(self, path: str) -> str:
        # Fragments in explanations have no origin.
        if self.origins is None:
            return ""
        return f"  # {self.origin(path)}"

    def origin(self, path: str) -> str:
        """Return the place of a value, of its first part, or of the short form it was written out from."""
        assert self.origins is not None
        if path in self.origins:
            return self.origins[path]
        parts = [path + ".", path + "["]
        if path.startswith("boundary["):  # components of one field are gathered under its name
            parts.append(path + "_")
        inside = next((o for p, o in self.origins.items() if p.startswith(tuple(parts))), None)
        if inside:
            return inside
        if path not in self.given:
            return _DEFAULT
        while path and path not in self.origins:  # given through a short form such as `cg+gamg`
            path = path.rpartition(".")[0]
        return self.origins.get(path, _DEFAULT)


def _is_flow(value: dict[str, Any]) -> bool:
    return set(value) <= {"table", "of", "source"} and "table" in value


def _text(value: str) -> str:
    """Return a text that YAML reads as the same text; quoted only where it must be."""
    # Plain where nothing can be misread; JSON's quoting is valid YAML everywhere else.
    if _PLAIN.fullmatch(value) and scalar(value) == value:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    # JSON would write a pair of surrogates for what lies beyond 16 bits, which YAML has no use for
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


def _flow(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _text(value)
        case dict():
            return "{" + ", ".join(f"{_text(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    return "[" + ", ".join(_flow(v) for v in value) + "]"
