"""The one place where a PETSc Vec or a NumPy array becomes a tensor, and back.

Where both live in host memory they share it; otherwise one staging copy is made, timed and counted in
`plexus.devices.transfers`. The NumPy bridge serves the native and reference kernels and never imports
torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.devices import threads
from plexus.devices.transfers import transfers
from plexus_kernels import backend

if TYPE_CHECKING:
    from petsc4py import PETSc

Array = Any


class Bridge:
    """NumPy arrays in host memory: every conversion is the identity."""

    def __init__(self, name: str = "auto"):
        self.kernels = backend(name)
        self.device = "cpu"

    def array(self, host: np.ndarray) -> Array:
        """Return the kernels' array of a host array; shares memory where it can."""
        return host

    def host(self, array: Array) -> np.ndarray:
        """Return the host array of a kernels' array; shares memory where it can."""
        return np.asarray(array)

    def vec(self, vec: PETSc.Vec) -> Array:
        """Return the local part of ``vec`` (n,) as the kernels' array; shares memory on the CPU.

        Release it before MPI ends: it refers to memory that PETSc owns.
        """
        return self.array(vec.getArray())


class TorchBridge(Bridge):
    """Torch tensors on one device, ``cpu`` or e.g. ``cuda:0``."""

    def __init__(self, device: str = "cpu"):
        super().__init__("torch")
        threads.settle()
        self.device = device

    def array(self, host: np.ndarray) -> Array:
        """Return a tensor: the same memory on the CPU, one timed copy to another device."""
        import torch

        # torch refuses to share read-only memory silently; such arrays are constants and small
        tensor = torch.from_numpy(host if host.flags.writeable else host.copy())
        if shares_memory(self.device):
            return tensor
        with transfers.timed("to_device", host.nbytes):
            return tensor.to(self.device)

    def host(self, array: Array) -> np.ndarray:
        """Return a NumPy array: the same memory on the CPU, one timed copy from another device."""
        if shares_memory(self.device):
            return array.detach().numpy()
        import torch

        # the copy would wait for the kernels that fill the array, and their time is not the copy's
        torch.cuda.synchronize(self.device)
        with transfers.timed("to_host", array.element_size() * array.nelement()):
            return array.detach().cpu().numpy()


def shares_memory(device: str) -> bool:
    """Return whether a tensor on ``device`` uses the memory of a PETSc Vec: both then are in host memory."""
    return device == "cpu"


def bridge(name: str = "auto", device: str = "cpu") -> Bridge:
    """Return the bridge to the kernels ``auto``, ``native``, ``reference`` or (on a device) ``torch``.

    Raises
    ------
    ValueError
        If a device other than the CPU is asked of NumPy kernels, or the name is unknown.
    """
    if name == "torch":
        return TorchBridge(device)
    if device != "cpu":
        raise ValueError(f"the {name!r} kernels run on the CPU, not on {device!r}")
    return Bridge(name)
