"""A bundle as NumPy arrays, for parts that answer without torch; `plexus.bundles.store` gives tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.bundles import container
from plexus.bundles.golden import PREFIX, Pair
from plexus.bundles.pieces import Pieces
from plexus.errors import InputError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

KINDS = {"F64": np.float64, "F32": np.float32, "I64": np.int64, "I32": np.int32, "BOOL": np.bool_}


@dataclass(frozen=True)
class Arrays:
    """Metadata (see `plexus.bundles.fields`), weights by name, golden pair of a bundle."""

    metadata: dict[str, Any]
    weights: dict[str, np.ndarray]
    golden: Pair | None


def load(path: str | Path, sha256: str | None = None, comm: Comm | None = None) -> Arrays:
    """Return a bundle. Collective: the first rank reads, and all receive and hash what it read.

    Raises
    ------
    InputError
        On all ranks, if the file is no sound bundle or has numbers that NumPy does not know.
    """
    buffers: dict[str, np.ndarray] = {}

    def target(name: str, size: int) -> np.ndarray:
        buffers[name] = np.empty(size, np.uint8)
        return buffers[name]

    with Pieces(path, comm) as source:
        found = container.gather(source, sha256, target)
    arrays = {name: _array(str(path), name, buffers[name], entry) for name, entry in found.index.items()}
    described = found.metadata.get("golden")
    golden = None
    if described:
        inputs, outputs = (
            {name: arrays.pop(f"{PREFIX}/{side}/{name}") for name in described[side]}
            for side in ("inputs", "outputs")
        )
        golden = Pair(inputs, outputs, described["tolerance"])
    return Arrays(found.metadata, arrays, golden)


def _array(path: str, name: str, numbers: np.ndarray, entry: Mapping[str, Any]) -> np.ndarray:
    """Return the array whose memory is ``numbers``."""
    if entry["dtype"] not in KINDS:
        raise InputError(f"{path}: weights: {name}: numbers of type {entry['dtype']!r} need torch")
    return numbers.view(KINDS[entry["dtype"]]).reshape(entry["shape"])
