"""``dictionary.json``: what a dictionary of reduced models is made of, and where its files are.

Beside it lie one ``rom.h5`` per cluster and the bundle that recommends one of them. ``crossing[k][l]`` is
Ψ_kᵀ M Ψ_l: coordinates of a displacement on basis l become those of its projection on basis k.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.runtime.files import write_json

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
    crossing : nested list
        Ψ_kᵀ M Ψ_l for all pairs of models.
    about : dict
        Members, medoids, sizes, gains, accuracy.
    """

    unknown: str
    models: list[str]
    recommendation: str
    sha256: str
    crossing: list[list[list[list[float]]]]
    about: dict[str, Any] = field(default_factory=dict)

    def cross(self, k: int, l: int) -> np.ndarray:
        """Return Ψ_kᵀ M Ψ_l, (n_k, n_l)."""
        return np.array(self.crossing[k][l])


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
    found, problem = None, ""
    if comm.rank == 0:
        try:
            found = _parsed(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"{path}: this is no dictionary of reduced models ({error}); `plexus reduce` makes one"
    found, problem = comm.bcast((found, problem))
    if found is None:
        raise InputError(problem)
    return found


def _parsed(told: dict[str, Any]) -> Index:
    """Return what the file says; its names must be files beside it."""
    if told["kind"] != "dictionary" or told["format"] != VERSION:
        raise ValueError(f"kind {told['kind']!r}, format {told['format']!r}")
    found = Index(**{name: told[name] for name in Index.__dataclass_fields__})
    for name in (*found.models, *filter(None, [found.recommendation])):
        if Path(name).name != name:
            raise ValueError(f"{name!r} is no file beside it")
    sizes = [len(row[k]) for k, row in enumerate(found.crossing)]
    if (
        len(found.crossing) != len(found.models)
        or not sizes
        or any(
            np.shape(found.crossing[k][l]) != (sizes[k], sizes[l])
            for k in range(len(sizes))
            for l in range(len(sizes))
        )
    ):
        raise ValueError("its cross projections do not belong to its models")
    return found
