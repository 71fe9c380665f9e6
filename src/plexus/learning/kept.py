"""Samples that members of a sweep share: computed by the first that needs them, read by all others.

They lie in the sweep's folder, in `data-<hash>.h5`; the hash is that of all that they depend on. Whoever
computes holds a lock, so that members that run at once wait instead of computing the same.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import h5py
import torch

from plexus import __version__
from plexus.errors import InputError
from plexus.fileformat import DATA, SWEEP
from plexus.learning.samples import Named, Samples
from plexus.runtime import files


def shared(folder: Path) -> Path | None:
    """Return where the run in a folder finds what it shares with others: the sweep's folder; None without."""
    return folder.parent if (folder.parent / SWEEP).is_file() else None


def once(folder: Path, told: Mapping[str, Any], compute: Callable[[], Samples]) -> tuple[Samples, bool]:
    """Return samples from a folder, computed if they are not there, and whether they were (one rank only).

    ``told`` is all that they depend on, as JSON has it. Tensors come back on the CPU.

    Raises
    ------
    OutputError
        If they cannot be written.
    InputError
        If the file that is there cannot be read.
    """
    text = json.dumps([__version__, told], sort_keys=True, default=str)
    path = folder / DATA.format(hashlib.sha256(text.encode()).hexdigest()[:32])
    with held(path):
        there = path.is_file()
        if not there:
            files.write_bytes(path, _packed(compute()))
    try:
        return _unpacked(path), there
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); delete it, and it is computed again") from None


def held(path: Path) -> AbstractContextManager[None]:
    """Return what holds the lock of a file of samples, waiting for it."""
    return files.locked(path.with_name(f".{path.name}.lock"))


def _packed(samples: Samples) -> bytes:
    """Return the content of the file."""
    blob = io.BytesIO()
    with h5py.File(blob, "w") as file:
        named = {"inputs": samples.inputs, "targets": samples.targets}
        named |= {f"later/{lead}": fields for lead, fields in samples.later.items()}
        for path, fields in named.items():
            # in their order, in which sums over them are taken
            group = file.create_group(path, track_order=True)
            for name, value in fields.items():
                group[name] = value.cpu().numpy()
        for name in ("number", "group", "time"):
            file[name] = getattr(samples, name).cpu().numpy()
        file.attrs["measured"] = json.dumps(samples.measured)
    return blob.getvalue()


def _unpacked(path: Path) -> Samples:
    """Return the samples of a file."""

    def fields(group: Any) -> Named:
        return {name: torch.from_numpy(group[name][()]) for name in group}

    with h5py.File(path, "r") as file:
        later = {int(lead): fields(file["later"][lead]) for lead in sorted(file.get("later", ()), key=int)}
        given = {name: fields(file[name]) for name in ("inputs", "targets")}
        number, group, time = (torch.from_numpy(file[name][()]) for name in ("number", "group", "time"))
        measured = tuple(json.loads(file.attrs["measured"]))
    inputs, targets = given["inputs"], given["targets"]
    return Samples(number, group, time, inputs, targets, later, len(number), measured=measured)
