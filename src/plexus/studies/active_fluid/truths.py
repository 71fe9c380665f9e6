"""Kinetic truths, computed once per process and, where a folder is given, once per folder."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from plexus.runtime import files
from plexus.studies.active_fluid.contenders import Case, Contender, Setup
from plexus.studies.active_fluid.traces import Trace, roll

_KNOWN: dict[tuple[Case, Setup], Trace] = {}
FRAME = "frame."


def truth(case: Case, setup: Setup, folder: Path | None = None) -> Trace:
    """Return the trace of the truth, with frames; from an earlier call or the folder if it is there."""
    key = (case, setup)
    if key not in _KNOWN:
        path = None if folder is None else folder / f"{name(case, setup)}.npz"
        if path is not None and path.is_file():
            _KNOWN[key] = _load(path)
        else:
            _KNOWN[key] = roll(case, setup, _resolved(setup), keep=True)
            if path is not None:
                _store(path, _KNOWN[key])
    return _KNOWN[key]


def forget() -> None:
    """Free the memory of all truths."""
    _KNOWN.clear()


def _resolved(setup: Setup) -> Contender:
    return Contender(f"{setup.order} moments", setup.order)


def name(case: Case, setup: Setup) -> str:
    """Return a file name that changes with what a truth depends on: constants, setup and initial moments."""
    start = _resolved(setup).model(case, setup).start(setup.order).numpy().tobytes()
    plain = repr((asdict(case), asdict(setup))).encode()
    return hashlib.sha256(plain + start).hexdigest()[:16]


def _store(path: Path, trace: Trace) -> None:
    arrays = {f.name: np.asarray(getattr(trace, f.name)) for f in fields(trace) if f.name != "frames"}
    arrays |= {FRAME + name: value.numpy() for name, value in trace.frames.items()}
    with files.storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.partial(path).open("wb") as out:
            np.savez(out, **arrays)
        files.publish(path, durable=False)


def _load(path: Path) -> Trace:
    with np.load(path, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    frames = {k.removeprefix(FRAME): torch.from_numpy(v) for k, v in arrays.items() if k.startswith(FRAME)}
    rest = {k: v for k, v in arrays.items() if not k.startswith(FRAME)}
    values: dict[str, Any] = {k: torch.from_numpy(v) if v.ndim else float(v) for k, v in rest.items()}
    return Trace(**values, frames=frames)
