"""Trained models to and from files, and from rank 0 to the other ranks."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of

from plexus import __version__
from plexus.bundles import container, fields
from plexus.errors import InputError, PlexusError
from plexus.runtime import files, provenance

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


@dataclass(frozen=True)
class Bundle:
    """A trained model: metadata (see `plexus.bundles.fields`) and weights by name."""

    metadata: dict[str, Any]
    weights: dict[str, torch.Tensor]
    sha256: str = ""
    """Hash of the file that it came from."""


def pack(metadata: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> bytes:
    """Return the bytes of a bundle's file; hash, version and software fields are filled in.

    Raises
    ------
    InputError
        If a field of the metadata is missing or malformed.
    """
    index, numbers = container.split(bytes_of({k: v.detach().cpu().contiguous() for k, v in weights.items()}))
    dtypes = sorted({str(v.dtype).removeprefix("torch.") for v in weights.values()})
    told = {
        "schema": fields.SCHEMA,
        "software": software(),
        **metadata,
        "weights": {"sha256": container.hash_of_weights(index, numbers), "dtype": ",".join(dtypes)},
    }
    return container.join(index, numbers, fields.seal(told))


def save(path: str | Path, metadata: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> str:
    """Write a bundle; the file appears when it is whole. Returns its sha256 for the deck.

    Raises
    ------
    InputError
        If a field of the metadata is missing or malformed.
    """
    blob = pack(metadata, weights)
    files.write_bytes(Path(path), blob)
    return container.parse(blob).sha256


def load(path: str | Path, sha256: str | None = None, comm: Comm | None = None) -> Bundle:
    """Return a bundle. Collective: the first rank reads, the others receive, and all compare the hash.

    Raises
    ------
    InputError
        On all ranks, if the file is no sound bundle or the ranks hold different weights.
    """
    blob = _everywhere(path, sha256, comm)
    found = container.parse(blob)
    try:
        weights = tensors_of(blob)
    except SafetensorError as error:
        raise InputError(f"{path}: weights: {error}") from None
    same_everywhere(found.metadata["weights"]["sha256"], comm)
    return Bundle(found.metadata, weights, found.sha256)


def _everywhere(path: str | Path, sha256: str | None, comm: Comm | None) -> bytes:
    """Return the file's bytes on all ranks, or raise the first rank's error on all."""
    if comm is None:
        return container.read(path, sha256).blob
    told: bytes | PlexusError | None = None
    if comm.rank == 0:
        try:
            told = container.read(path, sha256).blob
        except PlexusError as error:
            told = error
    told = comm.bcast(told)
    if isinstance(told, PlexusError):
        raise told
    assert told is not None
    return told


def same_everywhere(sha256: str, comm: Comm | None) -> None:
    """Refuse weights that differ between ranks. Collective: the smallest and the largest hash must agree.

    Raises
    ------
    InputError
        If they do not.
    """
    if comm is None or comm.size == 1:
        return
    from mpi4py import MPI

    number = int(sha256[:15], 16)
    low, high = comm.allreduce(number, MPI.MIN), comm.allreduce(number, MPI.MAX)
    if low != high:
        raise InputError(f"weights.sha256: ranks hold different weights ({low:015x}, {high:015x})")


def software() -> dict[str, str]:
    """Return the versions behind a training that ends now."""
    return {
        "plexus": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": str(getattr(sys.modules.get("numpy"), "__version__", "")),
        "commit": provenance.source_state(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
