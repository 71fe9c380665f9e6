"""``dictionary.json``: what a dictionary of reduced models is made of, and where its files are.

Beside it lie one ``rom.h5`` per cluster and the bundle that recommends one of them. `identities` and `sha256`
tie these to it, and `digest` is that of all its other facts. Files of format 1 tell neither and are taken.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.errors import InputError
from plexus.fileformat import to_json
from plexus.io import seal
from plexus.reduction.facts import digest
from plexus.runtime.files import write_json
from plexus.runtime.first import on_first

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

VERSION = 2
KIND = "dictionary"


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
    identities : list of str
        What the seal of each model says of it.
    """

    unknown: str
    models: list[str]
    recommendation: str
    sha256: str
    about: dict[str, Any] = field(default_factory=dict)
    identities: list[str] = field(default_factory=list)


def write(path: Path, index: Index) -> None:
    """Write the file beside its models, which are complete (one rank)."""
    told = {"format": VERSION, "kind": KIND, **asdict(index)}
    told["identities"] = [seal.identity(path.parent / name) for name in index.models]
    plain = to_json(json.loads(json.dumps(told)))
    write_json(path, plain | {"digest": digest(plain)})


def read(path: Path, comm: Comm) -> Index:
    """Read the file; the first rank does, and all have it. Collective.

    Raises
    ------
    InputError
        On all ranks, as `look` does.
    """
    return on_first(comm, lambda: look(path))


def look(path: Path) -> Index:
    """Read the file (one rank).

    Raises
    ------
    InputError
        If it is no dictionary, was altered, or lies beside other models than its own.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
        found = _parsed(told)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why = f"this is no dictionary of reduced models ({error}); `plexus reduce` makes one"
        raise InputError(f"{path}: {why}") from error
    if told["format"] == VERSION and told.pop("digest", None) != digest(told):
        raise InputError(f"{path}: altered since `plexus reduce` has written it")
    for name, identity in zip(found.models, found.identities, strict=False):
        if seal.identity(path.parent / name) != identity:
            raise InputError(f"{path}: {name} beside it is another model than the one of this dictionary")
    return found


def _parsed(told: dict[str, Any]) -> Index:
    """Return what the file says; its names must be files beside it."""
    if told["kind"] != KIND or told["format"] not in (1, VERSION):
        raise ValueError(f"kind {told['kind']!r}, format {told['format']!r}")
    found = Index(**{name: told[name] for name in Index.__dataclass_fields__ if name in told})
    for name in (*found.models, *filter(None, [found.recommendation])):
        if Path(name).name != name:
            raise ValueError(f"{name!r} is no file beside it")
    if not found.models or bool(found.recommendation) != (len(found.models) > 1):
        raise ValueError("several models need a recommendation, one has none")
    return found
