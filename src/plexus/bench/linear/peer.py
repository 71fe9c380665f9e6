"""A solve by PyAMG, whose interpreter needs none of PETSc or plexus: the system goes there as a file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from plexus.bench.assembly import peer_environment
from plexus.bench.job import timed
from plexus.bench.linear.methods import PYAMG
from plexus.bench.linear.systems import System
from plexus.solvers.multigrid.context import near_null_space


def elsewhere(system: System, python: str, rtol: float, limit: int) -> dict[str, Any]:
    """Return what the script says: iterations, seconds, complexity, residuals.

    Raises
    ------
    ArithmeticError
        If it gives up.
    """
    ptr, col, val = system.mat.getValuesCSR()
    block, near = system.mat.getBlockSize(), near_null_space(system.mat)
    near = np.tile(np.eye(block), (system.mat.getSize()[0] // block, 1)) if near is None else near
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "system.npz")
        np.savez(file, ptr=ptr, col=col, val=val, b=system.rhs.getArray(), near=near, block=block)
        try:
            _, said = timed([python, str(PYAMG), file, str(rtol), str(limit)], peer_environment())
        except RuntimeError as error:
            raise ArithmeticError(str(error)) from None
    found: dict[str, Any] = json.loads(said)
    return found
