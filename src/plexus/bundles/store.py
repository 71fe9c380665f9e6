"""Learned parts to and from files, and from rank 0 to the other ranks."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import save as bytes_of

from plexus import __version__
from plexus.bundles import container, fields
from plexus.bundles.golden import PREFIX, Pair
from plexus.bundles.pieces import PIECE, Pieces
from plexus.errors import InputError, at_path
from plexus.runtime import files, provenance

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Tensor = torch.Tensor
KINDS = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
         "C64": torch.complex64, "I64": torch.int64, "I32": torch.int32, "I16": torch.int16,
         "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}  # fmt: skip


@dataclass(frozen=True)
class Bundle:
    """A learned part: metadata (see `plexus.bundles.fields`) and weights by name."""

    metadata: dict[str, Any]
    weights: dict[str, Tensor]
    golden: Pair | None = None
    """What it answered when it was written; None in a bundle of schema 1."""
    sha256: str = ""
    """Hash of the file that it came from."""


def pack(metadata: Mapping[str, Any], weights: Mapping[str, Tensor], golden: Pair) -> bytes:
    """Return the bytes of a bundle's file; hash, version, software and golden fields are filled in.

    Raises
    ------
    InputError
        If a field of the metadata is missing or malformed.
    """
    pair, described = _flat(golden)
    plain = {k: v.detach().cpu().contiguous() for k, v in {**weights, **pair}.items()}
    index, _, numbers = container.split(bytes_of(plain))
    dtypes = sorted({_name(v) for v in weights.values()})
    told = {
        "software": software(),
        **metadata,
        "schema": fields.SCHEMA,
        "golden": {"tolerance": golden.tolerance, **described},
        "weights": {"sha256": container.hash_of_weights(index, numbers), "dtype": ",".join(dtypes)},
    }
    return container.join(index, numbers, fields.seal(told))


def _flat(golden: Pair) -> tuple[dict[str, Tensor], dict[str, dict[str, str]]]:
    """Return the tensors of a pair by their names in the file, and their types by side and name."""
    tensors, types = {}, {}
    for side, values in (("inputs", golden.inputs), ("outputs", golden.outputs)):
        types[side] = {name: _name(v) for name, v in values.items()}
        for name, v in values.items():
            # safetensors has no complex numbers of double precision: real and imaginary part are an axis
            tensors[f"{PREFIX}/{side}/{name}"] = torch.view_as_real(v.resolve_conj()) if v.is_complex() else v
    return tensors, types


def _name(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _pair(described: dict[str, Any], tensors: dict[str, Tensor]) -> Pair:
    """Take a pair out of the tensors of a file."""

    def taken(side: str) -> dict[str, Tensor]:
        return {
            name: _joined(f"golden.{side}.{name}", kind, tensors.pop(f"{PREFIX}/{side}/{name}"))
            for name, kind in described[side].items()
        }

    return Pair(taken("inputs"), taken("outputs"), described["tolerance"])


def _joined(path: str, kind: str, stored: Tensor) -> Tensor:
    """Return a tensor of a pair as it was before it was stored."""
    parts = stored.dtype in (torch.float32, torch.float64) and stored.shape[-1:] == (2,)
    value = torch.view_as_complex(stored) if parts and str(kind).startswith("complex") else stored
    if _name(value) != kind:
        raise InputError(f"{path}: the bundle says {kind!r}, its tensor is {_name(stored)}")
    return value


def save(path: str | Path, metadata: Mapping[str, Any], weights: Mapping[str, Tensor], golden: Pair) -> str:
    """Write a bundle; the file appears when it is whole. Returns its sha256 for the deck.

    Raises
    ------
    InputError
        If a field of the metadata is missing or malformed.
    """
    blob = pack(metadata, weights, golden)
    files.write_bytes(Path(path), blob)
    return hashlib.sha256(blob).hexdigest()


def load(path: str | Path, sha256: str | None = None, comm: Comm | None = None, piece: int = PIECE) -> Bundle:
    """Return a bundle. Collective: the first rank reads ``piece`` bytes at a time and all receive them.

    Every rank hashes what it received, and all compare.

    Raises
    ------
    InputError
        On all ranks, if the file is no sound bundle or the ranks hold different weights.
    """
    buffers: dict[str, np.ndarray] = {}

    def target(name: str, size: int) -> np.ndarray:
        buffers[name] = np.empty(size, np.uint8)
        return buffers[name]

    with Pieces(path, comm, piece) as source:
        found = container.gather(source, sha256, target)
    tensors = {name: _tensor(buffers[name], entry) for name, entry in found.index.items()}
    described = found.metadata.get("golden")
    with at_path(source.path):
        golden = _pair(described, tensors) if described else None
    return Bundle(found.metadata, tensors, golden, found.sha256)


def _tensor(numbers: np.ndarray, entry: Mapping[str, Any]) -> Tensor:
    """Return the tensor whose memory is ``numbers``."""
    kind, shape = KINDS[entry["dtype"]], entry["shape"]
    return (
        torch.from_numpy(numbers).view(kind).reshape(shape)
        if len(numbers)
        else torch.empty(shape, dtype=kind)
    )


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
