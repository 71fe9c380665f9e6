"""What a bundle of a trained model says about itself, and the checks of it.

The metadata are one JSON mapping. Every field of `FIELDS` must be there with every key that is listed
beside it, and ``digests`` holds a hash of each field, so that an altered one is found and named. Needs
neither torch nor MPI.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from plexus.errors import InputError

SCHEMA = 1
"""Version of the layout; another one is refused."""

FIELDS: dict[str, tuple[type, tuple[str, ...]]] = {
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
"""Field -> (type, keys that it must have).

``units`` says what the training's lengths and times were made dimensionless with; ``normalisation`` is name
-> {value, unit}, ``box`` is feature -> {low, high, unit, percentiles}, units as exponents of length, time
and mass; ``validation`` lists {case, metric, value, baselines}.
"""


def seal(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata with their digests.

    Raises
    ------
    InputError
        If a field is missing or malformed.
    """
    plain = json.loads(json.dumps({k: v for k, v in metadata.items() if k != "digests"}, allow_nan=False))
    sealed = {**plain, "digests": {name: digest(value) for name, value in plain.items()}}
    check(sealed)
    return sealed


def digest(value: Any) -> str:
    """Return the hash of one field's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def check(metadata: Any) -> None:
    """Check that every field is there, whole and unaltered.

    Raises
    ------
    InputError
        Naming the first field that is not.
    """
    if not isinstance(metadata, dict):
        raise InputError("metadata: not a mapping")
    if "schema" in metadata and metadata["schema"] != SCHEMA:
        raise InputError(f"schema: version {metadata['schema']!r}, this Plexus reads {SCHEMA}")
    digests = metadata.get("digests")
    if not isinstance(digests, dict):
        raise InputError("digests: missing")
    for name, (kind, keys) in FIELDS.items():
        if name not in metadata:
            raise InputError(f"{name}: missing")
        if not isinstance(metadata[name], kind) or isinstance(metadata[name], bool):
            raise InputError(f"{name}: must be {kind.__name__}, not {type(metadata[name]).__name__}")
        for key in keys:
            if key not in metadata[name]:
                raise InputError(f"{name}.{key}: missing")
    for name in (*FIELDS, *(set(metadata) - set(FIELDS) - {"digests"})):
        if digests.get(name) != digest(metadata[name]):
            raise InputError(f"{name}: altered since the bundle was made (its digest differs)")
    _check_numbers(metadata)


def _check_numbers(metadata: dict[str, Any]) -> None:
    """Check the tables whose keys are names of the model."""
    for name, entry in metadata["normalisation"].items():
        _measure(f"normalisation.{name}", entry, ("value",))
    for name, entry in metadata["box"].items():
        low, high = _measure(f"box.{name}", entry, ("low", "high"))
        if low > high:
            raise InputError(f"box.{name}: low {low:g} is above high {high:g}")
    dt = metadata["stepping"]["dt"]
    if dt is not None and not (isinstance(dt, list) and len(dt) == 2 and all(map(_finite, dt))):
        raise InputError("stepping.dt: must be [smallest, largest] or null")
    for i, row in enumerate(metadata["validation"]):
        for key in ("case", "metric", "value", "baselines"):
            if not isinstance(row, dict) or key not in row:
                raise InputError(f"validation[{i}].{key}: missing")


def _measure(path: str, entry: Any, keys: tuple[str, ...]) -> list[float]:
    """Return the finite numbers of an entry with a unit."""
    for key in (*keys, "unit"):
        if not isinstance(entry, dict) or key not in entry:
            raise InputError(f"{path}.{key}: missing")
    unit = entry["unit"]
    if not (isinstance(unit, list) and len(unit) == 3 and all(isinstance(n, int) for n in unit)):
        raise InputError(f"{path}.unit: must be three exponents of length, time and mass")
    for key in keys:
        if not _finite(entry[key]):
            raise InputError(f"{path}.{key}: must be a finite number")
    return [float(entry[key]) for key in keys]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def compare(path: str, expected: Any, found: Any) -> None:
    """Refuse ``found`` where it differs from ``expected``.

    Raises
    ------
    InputError
        Naming the deepest key that differs.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in expected:
            if key not in found:
                raise InputError(f"{path}.{key}: missing")
            compare(f"{path}.{key}", expected[key], found[key])
        return
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for i, (a, b) in enumerate(zip(expected, found, strict=True)):
            label = a.get("name", i) if isinstance(a, dict) else i
            compare(f"{path}.{label}" if isinstance(a, dict) else f"{path}[{label}]", a, b)
        return
    if expected != found:
        raise InputError(f"{path}: the model has {expected!r}, the bundle says {found!r}")
