"""The checkpoint of a training: weights, the optimiser's memory, and where it stands, without pickle.

hash = SHA-256 over what it says and the hash of the tensors (`plexus.bundles.container.hash_of_weights`)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of

from plexus.bundles import container
from plexus.errors import InputError
from plexus.fileformat import TRAINING
from plexus.runtime import files

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Tensor = torch.Tensor
NAME = TRAINING
KEY, HASH = "plexus_training", "sha256"


def write(path: Path, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a checkpoint; it appears when it is whole (one rank only)."""
    plain = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    text = json.dumps(facts)
    index, _, numbers = container.split(bytes_of(plain))
    texts = {KEY: text, HASH: _hash(text, index, numbers)}
    files.write_bytes(path, container.framed(index, numbers, texts))


def _hash(facts: str, index: dict[str, Any], numbers: bytes) -> str:
    """Return the hash of all that a checkpoint says and holds."""
    return hashlib.sha256((facts + container.hash_of_weights(index, numbers)).encode()).hexdigest()


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
        blob = path.read_bytes()
        texts, index, numbers = _opened(blob)
        if not set(texts) <= {KEY, HASH} or not isinstance(texts.get(KEY), str):
            return f"{path}: not a checkpoint of a training"
        # those of earlier versions have no hash
        if HASH in texts and texts[HASH] != _hash(texts[KEY], index, numbers):
            return f"{path}: the checkpoint is damaged (its bytes are not those that were written)"
        return json.loads(texts[KEY]), {name: t.numpy() for name, t in tensors_of(blob).items()}
    except (InputError, SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        return f"{path}: not a checkpoint of a training, or damaged ({error})"


def _opened(blob: bytes) -> tuple[dict[str, str], dict[str, Any], bytes]:
    """Return texts, index and numbers of a file whose header fits its length."""
    if not 2 <= int.from_bytes(blob[:8], "little") <= len(blob) - 8:
        raise InputError("cut off")
    index, texts, numbers = container.split(blob)
    return texts, container.tiled(index, len(numbers)), numbers
