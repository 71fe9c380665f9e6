"""``rom.json``: what a reduced model was made of, beside its ``rom.h5``, to be read without HDF5 and MPI.

`model` is the digest in the seal of the other file and ties both; `sha256` is the digest of all other facts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plexus.errors import InputError
from plexus.fileformat import FACTS, to_json
from plexus.io import seal
from plexus.runtime.files import write_text

VERSION = 1
KIND = "reduced model"


def beside(path: Path) -> Path:
    """Return the file with the facts of a model."""
    return path.with_suffix(FACTS)


def write(path: Path, facts: Mapping[str, Any]) -> None:
    """Write the facts of a model whose file is complete (one rank).

    Raises
    ------
    OutputError
        If the disk or the folder refuses.
    """
    told = {"format": VERSION, "kind": KIND, "file": path.name, "model": seal.identity(path), **facts}
    plain = to_json(json.loads(json.dumps(told)))
    text = json.dumps(plain | {"sha256": digest(plain)}, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(beside(path), text + "\n")


def read(path: Path) -> dict[str, Any] | None:
    """Return the facts of the model in a file, None where there are none beside it (one rank).

    Raises
    ------
    InputError
        If they are damaged, altered, or those of another model, or the model's own file is cut short.
    """
    file = beside(path)
    if not file.exists():
        seal.identity(path)
        return None
    try:
        told: dict[str, Any] = json.loads(file.read_text("utf-8"))
        given = told.pop("sha256")
        if told["kind"] != KIND or told["format"] != VERSION:
            raise ValueError(f"kind {told['kind']!r}, format {told['format']!r}")
        model = told["model"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}"
        raise InputError(f"{file}: damaged, or not what `plexus reduce` has written ({why})") from error
    if given != digest(told):
        raise InputError(f"{file}: altered since `plexus reduce` has written it")
    if model != seal.identity(path):
        raise InputError(
            f"{file}: belongs to another {path.name} than the one beside it; take both of one reduction"
        )
    return told


def digest(plain: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain data, whatever the order of their keys."""
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
