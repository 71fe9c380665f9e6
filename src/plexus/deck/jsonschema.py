"""JSON Schema of a deck with all registered components, for editors and other tools.

Pydantic writes the schema of each parameter model; here the slots become unions over their kind's
members, ``${...}`` is allowed where a number is expected, and ``include`` in every mapping.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from plexus import registry
from plexus.deck.describe import models_in
from plexus.deck.ondemand import OnDemand
from plexus.deck.params import Params, notes
from plexus.deck.schema import Deck
from plexus.deck.templates import SCHEMA

Schema = dict[str, Any]
PATH = Path("input_decks") / SCHEMA
_REFERENCE = {"type": "string", "pattern": r"\$\{"}
_INCLUDE = {
    "description": "file or files merged into this mapping, relative to this file",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
}


def deck_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of the whole deck."""
    members = [registry.component(kind, name) for kind in registry.KINDS for name in registry.names(kind)]
    models: list[type[Params]] = [Deck, *_on_demand(Deck), *dict.fromkeys(m.params for m in members)]
    refs, made = models_json_schema([(m, "validation") for m in models], ref_template="#/$defs/{model}")
    named = {model: refs[model, "validation"]["$ref"].rpartition("/")[2] for model in models}
    defs = dict(made["$defs"])
    result: Schema = {"reference": _REFERENCE}
    for member in members:
        result[f"{member.kind}.{member.name}"] = _member(member, defs[named[member.params]])
    for kind in registry.KINDS:
        result[kind] = _union(kind)
    # A model that only occurs as a component is there under the component's name already.
    used = {named[m.params] for m in members}
    root = defs.pop(named[Deck])
    result |= {
        name: schema for name, schema in defs.items() if name not in used or _is_used(name, defs, root)
    }
    whole = _relax({**root, "$defs": result})
    definitions = whole.pop("$defs")
    # A deck that includes another one may hold parts of blocks: only the names of its keys can be checked.
    loose = {"propertyNames": {"enum": list(whole["properties"])}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Plexus deck",
        "description": "One deck is one run.", "type": "object",
        "if": {"required": ["include"]}, "then": loose, "else": whole, "$defs": definitions,
    }  # fmt: skip


def _on_demand(model: type[Params]) -> Iterator[type[Params]]:
    """Yield the models that are imported on demand, in a model and its blocks."""
    for info in model.model_fields.values():
        yield from (m.model for m in notes(info.annotation, info.metadata) if isinstance(m, OnDemand))
        for inner in models_in(info.annotation):
            if inner is not model:
                yield from _on_demand(inner)


def _is_used(name: str, defs: Schema, root: Schema) -> bool:
    """Return whether a component's model is also used as a plain block."""
    return json.dumps({"$ref": f"#/$defs/{name}"}) in json.dumps([defs, root])


def _member(member: registry.Component, model: Schema) -> Schema:
    """Return a model's schema with the component's ``type`` as required first key."""
    if member.kind == "boundary":  # a boundary term is chosen by its key, not by `type`
        return {"type": "object", **model, "title": f"boundary.{member.name}"}
    properties = {"type": {"const": member.name}, **model.get("properties", {})}
    required = ["type", *model.get("required", [])]
    return {"type": "object", **model, "title": f"{member.kind}.{member.name}", "properties": properties,
            "required": required, "additionalProperties": False}  # fmt: skip


def _union(kind: str) -> Schema:
    names = registry.names(kind)
    blocks = [{"$ref": f"#/$defs/{kind}.{name}"} for name in names]
    # The included file may hold the `type`, which no editor looks up.
    includes = {"type": "object", "required": ["include"], "not": {"required": ["type"]}}
    return {"description": registry.KINDS[kind][1], "anyOf": [{"enum": names}, _REFERENCE, *blocks, includes]}


def _relax(schema: Any) -> Any:
    """Return a schema that allows ``${...}`` for numbers and flags, and ``include`` in mappings."""
    if isinstance(schema, list):
        return [_relax(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "x-component" in schema:
        return {"$ref": f"#/$defs/{schema['x-component']}"}
    if "x-model" in schema:
        return {"$ref": f"#/$defs/{schema['x-model']}"}
    result = {key: value if key in ("default", "const", "enum", "required") else _relax(value)
              for key, value in schema.items()}  # fmt: skip
    if result.get("type") in ("number", "integer", "boolean"):
        told = {k: result.pop(k) for k in ("description", "default", "title") if k in result}
        return {**told, "anyOf": [result, {"$ref": "#/$defs/reference"}]}
    if result.get("type") == "object" and result.get("additionalProperties") is False:
        result["properties"] = {**result.get("properties", {}), "include": _INCLUDE}
        required = result.pop("required", None)
        if required:  # an included file may hold what this mapping lacks
            result |= {"if": {"not": {"required": ["include"]}}, "then": {"required": required}}
    return result


def text() -> str:
    """Return the schema as the committed file holds it."""
    return json.dumps(deck_schema(), indent=1, ensure_ascii=False) + "\n"
