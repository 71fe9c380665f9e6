"""The checkpoint of a training: weights, the optimiser's memory, and where it stands, without pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as bytes_of

from plexus.errors import InputError
from plexus.fileformat import TRAINING
from plexus.runtime import files

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Tensor = torch.Tensor
NAME = TRAINING
KEY = "plexus_training"


def write(path: Path, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a checkpoint; it appears when it is whole (one rank only)."""
    plain = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    files.write_bytes(path, bytes_of(plain, {KEY: json.dumps(facts)}))


def read(path: Path, comm: Comm | None = None) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return facts and tensors of a checkpoint. Collective: the first rank reads.

    Raises
    ------
    InputError
        On all ranks, if there is none or it cannot be read.
    """
    found: Any = None
    if comm is None or comm.rank == 0:
        found = _read(path)
    if comm is not None:
        found = comm.bcast(found)
    if isinstance(found, str):
        raise InputError(found)
    facts, arrays = found
    return facts, {name: torch.from_numpy(a) for name, a in arrays.items()}


def _read(path: Path) -> Any:
    """Return facts and arrays, or what is wrong."""
    if not path.is_file():
        return f"{path.parent} holds no training to go on with ({path.name} is missing)"
    try:
        with safe_open(str(path), framework="pt") as file:
            facts = json.loads((file.metadata() or {})[KEY])
            return facts, {name: file.get_tensor(name).numpy() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        return f"{path}: not a checkpoint of a training ({error})"
