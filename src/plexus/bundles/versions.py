"""The schemas that are read: metadata of an older one come out as those of the present one.

Schema 1 knows closures only. It has units as exponents of length, time and mass, ranges of constants without
units, grids without a word on end points (all of them periodic), and no golden pair. What it does not tell is
left out of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plexus.bundles import fields, kinds
from plexus.errors import InputError

FIRST: kinds.Fields = {
    "schema": (int, ()),
    "kind": (str, ()),
    "type": (str, ()),
    "properties": (
        dict,
        ("kind", "locality", "inputs", "outputs", "symmetry", "conservation", "resolution"),
    ),
    "architecture": (dict, ("name", "hyper", "parameters")),
    "weights": (dict, ("sha256", "dtype")),
    "units": (str, ()),
    "normalisation": (dict, ()),
    "training": (
        dict,
        ("generator", "version", "parameters", "grid", "filter", "frames", "points", "seeds"),
    ),
    "physical": (dict, ()),
    "stepping": (dict, ("dt", "integrator")),
    "validation": (list, ()),
    "box": (dict, ()),
    "guard": (dict, ()),
    "software": (dict, ("plexus", "python", "torch", "commit", "date")),
    "licence": (str, ()),
}
"""Fields of schema 1."""


def checked(metadata: Any) -> dict[str, Any]:
    """Return sound metadata in the form of the present schema.

    Raises
    ------
    InputError
        If the schema is not read here, or a field of it is missing, malformed or altered.
    """
    if not isinstance(metadata, dict):
        raise InputError("metadata: not a mapping")
    if "schema" not in metadata:
        raise InputError("schema: missing")
    version = metadata["schema"]
    if isinstance(version, bool) or not isinstance(version, int) or version not in READERS:
        raise InputError(f"schema: version {version!r}, this Plexus reads {' and '.join(map(str, READERS))}")
    return READERS[version](metadata)


def _second(metadata: dict[str, Any]) -> dict[str, Any]:
    fields.check(metadata)
    return metadata


def _first(metadata: dict[str, Any]) -> dict[str, Any]:
    fields.whole(metadata, FIRST)
    normalisation = {n: _measured(f"normalisation.{n}", e) for n, e in metadata["normalisation"].items()}
    for name, entry in normalisation.items():
        fields.measure(f"normalisation.{name}", entry, ("value",))
    fields.rows(metadata["validation"])
    if not isinstance(metadata["training"]["parameters"], dict):
        raise InputError("training.parameters: must be dict")
    kept = ("kind", "type", "architecture", "weights", "units", "guard", "stepping", "validation", "software",
            "licence")  # fmt: skip
    found = {name: metadata[name] for name in kept} | {
        "schema": 1,
        "ports": {side: _ports(metadata["properties"], side) for side in ("inputs", "outputs")},
        "properties": {k: v for k, v in metadata["properties"].items() if k not in ("inputs", "outputs")},
        "normalisation": normalisation,
        "box": {name: _measured(f"box.{name}", entry) for name, entry in metadata["box"].items()},
        "training": {
            **{k: v for k, v in metadata["training"].items() if k != "grid"},
            "parameters": _ranges(metadata["training"]["parameters"] | metadata["physical"]),
        },
    }
    if isinstance(metadata["training"]["grid"], dict):
        found["domain"] = _domain(metadata["training"]["grid"])
    kinds.own("closure").check(found)
    return found


READERS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _first, 2: _second}
"""Schema -> what checks metadata and returns them in the present form."""


def _ports(properties: dict[str, Any], side: str) -> list[dict[str, Any]]:
    """Return ports with texts for units; all fields of schema 1 are scalars, complex ones with a spin."""
    found = []
    for port in properties[side]:
        path = f"properties.{side}.{port.get('name')}" if isinstance(port, dict) else f"properties.{side}"
        fields.have(path, port, ("name", "unit", "centring"))
        rest = {k: v for k, v in _measured(path, port).items() if k != "centring"}
        found.append(rest | {"shape": "scalar", "location": port["centring"], "scale": 1.0})
    return found


def _measured(path: str, entry: Any) -> dict[str, Any]:
    """Return an entry with the text of its unit, m^a s^b kg^c for the exponents (a, b, c)."""
    fields.have(path, entry, ("unit",))
    unit = entry["unit"]
    if not (isinstance(unit, list) and len(unit) == 3 and all(isinstance(n, int) for n in unit)):
        raise InputError(f"{path}.unit: must be three exponents of length, time and mass")
    named = [f"{name}^{n}" for name, n in zip(("m", "s", "kg"), unit, strict=True) if n]
    return {**entry, "unit": " ".join(named) or "1"}


def _ranges(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ranges of constants, given as numbers or as pairs; the order of a model is none of them."""
    found = {}
    for name, value in values.items():
        pair = value if isinstance(value, list) else [value, value]
        if name != "order" and len(pair) == 2:
            found[name] = {"low": pair[0], "high": pair[1]}
    return found


def _domain(grid: dict[str, Any]) -> dict[str, Any]:
    """Return the periodic box of a training."""
    cells = grid.get("cells", [])
    return {"cells": cells, "size": grid.get("size", []), "unit": "m", "end_points": [False] * len(cells)}
