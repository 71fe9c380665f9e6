"""``dictionary.json``: what a dictionary of reduced models is made of, and where its files are.

Beside it lie one ``rom.h5`` per cluster and the bundle that recommends one of them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.errors import InputError
from plexus.runtime.files import write_json
from plexus.runtime.first import on_first

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

VERSION = 1


@dataclass(frozen=True)
class Index:
    """The contents of the file.

    Attributes
    ----------
    unknown : str
        The field that is reduced.
    models : list of str
        File of each cluster's model, beside this one.
    recommendation, sha256 : str
        The bundle's file and hash; empty where there is one model only.
    about : dict
        Members, medoids, sizes, gains, accuracy.
    """

    unknown: str
    models: list[str]
    recommendation: str
    sha256: str
    about: dict[str, Any] = field(default_factory=dict)


def write(path: Path, index: Index) -> None:
    """Write the file (one rank)."""
    write_json(path, {"format": VERSION, "kind": "dictionary", **asdict(index)})


def read(path: Path, comm: Comm) -> Index:
    """Read the file; the first rank does, and all have it. Collective.

    Raises
    ------
    InputError
        On all ranks, if it cannot be read or is no dictionary.
    """
    return on_first(comm, lambda: _read(path))


def _read(path: Path) -> Index:
    try:
        return _parsed(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"this is no dictionary of reduced models ({error}); `plexus reduce` makes one"
        raise InputError(f"{path}: {why}") from error


def _parsed(told: dict[str, Any]) -> Index:
    """Return what the file says; its names must be files beside it."""
    if told["kind"] != "dictionary" or told["format"] != VERSION:
        raise ValueError(f"kind {told['kind']!r}, format {told['format']!r}")
    found = Index(**{name: told[name] for name in Index.__dataclass_fields__})
    for name in (*found.models, *filter(None, [found.recommendation])):
        if Path(name).name != name:
            raise ValueError(f"{name!r} is no file beside it")
    if not found.models or bool(found.recommendation) != (len(found.models) > 1):
        raise ValueError("several models need a recommendation, one has none")
    return found
