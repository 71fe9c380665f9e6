"""What a bundle of a learned part says about itself, and the checks of it.

The metadata are one JSON mapping. Every field of `FIELDS`, and every one that the part's kind adds (see
`plexus.bundles.kinds`), must be there with every key that is listed beside it, and ``digests`` holds a hash
of each field, so that an altered one is found and named. Needs neither torch nor MPI.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, get_args

from plexus.bundles import kinds
from plexus.errors import InputError
from plexus.protocols import Shape

SCHEMA = 2
"""Version of the layout that is written; see `plexus.bundles.versions` for those that are read."""

FIELDS: kinds.Fields = {
    "schema": (int, ()),
    "kind": (str, ()),
    "type": (str, ()),
    "ports": (dict, ("inputs", "outputs")),
    "architecture": (dict, ("name", "hyper", "parameters")),
    "weights": (dict, ("sha256", "dtype")),
    "golden": (dict, ("tolerance", "inputs", "outputs")),
    "units": (str, ()),
    "normalisation": (dict, ()),
    "domain": (dict, ("cells", "size", "unit", "end_points")),
    "training": (dict, ("generator", "version", "parameters", "seeds", "seed", "deck")),
    "validation": (list, ()),
    "software": (dict, ("plexus", "python", "torch", "commit", "date")),
    "licence": (str, ()),
}
"""Field -> (type, keys that it must have).

``kind`` and ``type`` name the part as a deck does. ``ports`` lists {name, unit, shape, location, scale} and
what else the kind says of a port. Units are texts such as ``W/(m K)``; ``units`` tells what a metre and a
second stand for in them (SI, or the scales of a dimensionless model). ``golden`` describes the pair of inputs
and outputs that is stored with the weights (`plexus.bundles.golden`): name -> dtype.

``normalisation`` is name -> {value, unit}. ``domain`` is the grid of the training: cells and length of each
axis, and whether the end point of an axis is part of the grid (of a periodic one it is not); all empty for a
part that knows no grid. ``training`` names the data (generator, its version, seeds of its runs), the seed of
the training and its deck; its ``parameters`` are name -> {low, high, unit}, the range that each constant of
the model had. ``validation`` lists {case, metric, value, baselines, fallback}: the same metric of the
classical parts that it could replace, and the share that the fallback has answered (none in older bundles).
"""
PLAIN = ("1", "m")
"""Units that are read without the words of decks, which a program that only loads a part does not need."""
PORT = ("name", "unit", "shape", "location", "scale")


def required(kind: str) -> dict[str, tuple[type, tuple[str, ...]]]:
    """Return the fields that a bundle of a kind must have."""
    found = dict(FIELDS)
    for name, (type_, keys) in kinds.own(kind).fields.items():
        found[name] = (type_, (*found.get(name, (type_, ()))[1], *keys))
    return found


def seal(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata with their digests.

    Raises
    ------
    InputError
        If a field is missing or malformed.
    """
    try:
        text = json.dumps({k: v for k, v in metadata.items() if k != "digests"}, allow_nan=False)
    except ValueError as error:
        raise InputError(f"metadata: {error}") from None
    plain = json.loads(text)
    sealed = {**plain, "digests": {name: digest(value) for name, value in plain.items()}}
    check(sealed)
    return sealed


def digest(value: Any) -> str:
    """Return the hash of one field's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def check(metadata: dict[str, Any]) -> None:
    """Check that every field of this schema is there, whole and unaltered.

    Raises
    ------
    InputError
        Naming the first field that is not.
    """
    kind = metadata.get("kind")
    whole(metadata, required(kind) if isinstance(kind, str) else FIELDS)
    _check_ports(metadata["ports"])
    for name, entry in metadata["normalisation"].items():
        measure(f"normalisation.{name}", entry, ("value",))
    if not isinstance(metadata["training"]["parameters"], dict):
        raise InputError("training.parameters: must be dict")
    for name, entry in metadata["training"]["parameters"].items():
        ordered(f"training.parameters.{name}", entry)
    _check_golden(metadata["golden"])
    _check_domain(metadata["domain"])
    rows(metadata["validation"])
    kinds.own(metadata["kind"]).check(metadata)


def whole(metadata: dict[str, Any], wanted: kinds.Fields) -> None:
    """Check that fields are there with their keys and as they were when the bundle was made.

    Raises
    ------
    InputError
        Naming the first field that is not.
    """
    digests = metadata.get("digests")
    if not isinstance(digests, dict):
        raise InputError("digests: missing")
    for name, (kind, keys) in wanted.items():
        if name not in metadata:
            raise InputError(f"{name}: missing")
        if not isinstance(metadata[name], kind) or isinstance(metadata[name], bool):
            raise InputError(f"{name}: must be {kind.__name__}, not {type(metadata[name]).__name__}")
        for key in keys:
            if key not in metadata[name]:
                raise InputError(f"{name}.{key}: missing")
    for name in (*wanted, *(set(metadata) - set(wanted) - {"digests"})):
        if digests.get(name) != digest(metadata[name]):
            raise InputError(f"{name}: altered since the bundle was made (its digest differs)")


def measure(path: str, entry: Any, keys: tuple[str, ...]) -> list[float]:
    """Return the finite numbers of an entry with a unit.

    Raises
    ------
    InputError
        If a key is missing, a number is not finite, or the unit is none.
    """
    have(path, entry, (*keys, "unit"))
    check_unit(path, entry["unit"])
    return [finite(f"{path}.{key}", entry[key]) for key in keys]


def ordered(path: str, entry: Any) -> None:
    """Check a range {low, high, unit}; raises as `measure` does, and where low is above high."""
    low, high = measure(path, entry, ("low", "high"))
    if low > high:
        raise InputError(f"{path}: low {low:g} is above high {high:g}")


def have(path: str, entry: Any, keys: tuple[str, ...]) -> None:
    """Refuse an entry that is no mapping with these keys."""
    for key in keys:
        if not isinstance(entry, dict) or key not in entry:
            raise InputError(f"{path}.{key}: missing")


def check_unit(path: str, unit: Any) -> None:
    """Refuse what is not the text of a unit."""
    if unit in PLAIN:
        return
    from plexus.deck.units import UnitError, parse_unit

    try:
        if not isinstance(unit, str):
            raise UnitError(f"must be the text of a unit, not {unit!r}")
        parse_unit(unit)
    except UnitError as error:
        raise InputError(f"{path}.unit: {error}") from None


def finite(path: str, value: Any) -> float:
    """Return a number, or refuse what is none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise InputError(f"{path}: must be a finite number")
    return float(value)


def rows(table: list[Any]) -> None:
    """Check the table of metrics beside those of the classical parts."""
    for i, row in enumerate(table):
        have(f"validation[{i}]", row, ("case", "metric", "value", "baselines"))


def _check_ports(ports: dict[str, Any]) -> None:
    """Check names, units, shapes and scales of what goes in and out."""
    for side in ("inputs", "outputs"):
        if not isinstance(ports[side], list) or not ports[side]:
            raise InputError(f"ports.{side}: must list at least one port")
        for i, port in enumerate(ports[side]):
            path = f"ports.{side}[{i}]"
            have(path, port, PORT)
            check_unit(path, port["unit"])
            finite(f"{path}.scale", port["scale"])
            if port["shape"] not in get_args(Shape):
                raise InputError(f"{path}.shape: must be one of {', '.join(get_args(Shape))}")


def _check_golden(golden: dict[str, Any]) -> None:
    """Check tolerance and names of the pair."""
    if finite("golden.tolerance", golden["tolerance"]) <= 0:
        raise InputError("golden.tolerance: must be positive")
    for side in ("inputs", "outputs"):
        if not isinstance(golden[side], dict) or not golden[side]:
            raise InputError(f"golden.{side}: must name at least one tensor")


def _check_domain(domain: dict[str, Any]) -> None:
    """Check that cells, lengths and end points belong to the same axes."""
    check_unit("domain", domain["unit"])
    for key, kind in (("cells", int), ("size", int | float), ("end_points", bool)):
        if not isinstance(domain[key], list) or not all(isinstance(v, kind) for v in domain[key]):
            raise InputError(f"domain.{key}: must be a list with one entry for each axis")
        if len(domain[key]) != len(domain["cells"]):
            raise InputError(
                f"domain.{key}: has {len(domain[key])} axes, the cells have {len(domain['cells'])}"
            )


def compare(path: str, expected: Any, found: Any) -> None:
    """Refuse ``found`` where it differs from ``expected``; units may be written differently.

    Raises
    ------
    InputError
        Naming the deepest key that differs.
    """
    from plexus.deck.units import parse_unit

    if isinstance(expected, dict) and isinstance(found, dict):
        for key in expected:
            if key not in found:
                raise InputError(f"{path}.{key}: missing")
            if key != "unit" or parse_unit(expected[key]) != parse_unit(found[key]):
                compare(f"{path}.{key}", expected[key], found[key])
        return
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for i, (a, b) in enumerate(zip(expected, found, strict=True)):
            label = a.get("name", i) if isinstance(a, dict) else i
            compare(f"{path}.{label}" if isinstance(a, dict) else f"{path}[{label}]", a, b)
        return
    if expected != found:
        raise InputError(f"{path}: the model has {expected!r}, the bundle says {found!r}")
