"""Profilers that follow the phases of a run: PETSc's log with a stage per phase, and NVTX ranges.

Both are asked for on the command line (``--log-view``, ``--nvtx``) and are told of phases by
`plexus.runtime.timers.Timers`, so that the three of them speak of the same phases.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.fileformat import LOG_VIEW
from plexus.runtime.files import partial, publish, storage_errors

if TYPE_CHECKING:
    from plexus.runtime.context import Context

PHASES = (
    "mesh", "spaces", "restart", "matrix", "solve", "residual", "jacobian", "preconditioner", "krylov",
    "agreement", "quantities", "output",
)  # fmt: skip
"""Phases with a stage of their own; any other is part of the phase around it."""


class Stages:
    """A stage of PETSc's log per phase."""

    def __init__(self) -> None:
        from petsc4py import PETSc

        PETSc.Log.begin()
        # PETSc matches stages of ranks by number: all are made here, in one order on every rank
        self._stages = {name: PETSc.Log.Stage(f"plexus {name}") for name in PHASES}

    def enter(self, name: str) -> None:
        """Begin the stage of a phase; stages nest as phases do."""
        if name in self._stages:
            self._stages[name].push()

    def leave(self, name: str) -> None:
        """End it."""
        if name in self._stages:
            self._stages[name].pop()

    @staticmethod
    def write(ctx: Context) -> Path:
        """Write the log into the run folder and return its path. Collective.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        from petsc4py import PETSc

        path = ctx.folder / LOG_VIEW
        with storage_errors(path):
            # PETSc writes this file on its rank 0 only
            viewer = PETSc.Viewer().createASCII(str(partial(path)), comm=ctx.comm)
            PETSc.Log.view(viewer)
            viewer.destroy()
        if ctx.root:
            publish(path)
        return path


class Ranges:
    """An NVTX range per phase, seen by Nsight Systems."""

    def __init__(self, device: str):
        import torch

        self._nvtx: Any = torch.cuda.nvtx
        self.device = device

    def enter(self, name: str) -> None:
        """Begin a range."""
        self._nvtx.range_push(f"plexus {name}")

    def leave(self, name: str) -> None:
        """End it."""
        self._nvtx.range_pop()


def nvtx(device: str) -> Ranges | str:
    """Return the profiler for a device, or why there is none."""
    if not device.startswith("cuda"):
        return f"--nvtx: no ranges are recorded, this run computes on {device} and not on an NVIDIA GPU"
    torch = sys.modules.get("torch")
    if torch is None or getattr(torch.version, "cuda", None) is None:
        return "--nvtx: no ranges are recorded, this torch is not built for CUDA"
    return Ranges(device)
