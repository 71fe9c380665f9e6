"""Which device this rank computes on, decided once at start.

Policies for several GPUs in a node: ``local_rank`` deals them out to the node's ranks in turn, ``default``
takes the first visible one (the launcher shows each rank its own), ``uuid`` takes the listed ones by local
rank, ``none`` stays on the CPU. Torch is imported only when a GPU is asked for and one may be there.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from plexus.errors import InputError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Policy = Literal["default", "local_rank", "uuid", "none"]
DEVICE_FILES = ("/dev/nvidia[0-9]*", "/dev/kfd", "/dev/dxg")
"""What the drivers of NVIDIA and AMD GPUs (and of both under WSL) show in the file system."""


def bind(
    device: Literal["cpu", "auto", "cuda"],
    comm: Comm,
    policy: Policy = "local_rank",
    uuids: Sequence[str] = (),
) -> str:
    """Return the torch name of this rank's device: ``cpu`` or ``cuda:k``. Collective.

    Parameters
    ----------
    device
        What the deck asks for; ``auto`` takes a GPU if there is one.
    comm
        All ranks of the run.
    policy, uuids
        See the module's description; ``uuids`` by rank within the node.

    Raises
    ------
    InputError
        If ``cuda`` is asked for and no GPU is usable, or a listed one is not there.
    """
    local = comm.Split_type(_shared()).rank
    if device == "cpu" or policy == "none" or (device == "auto" and not _may_have_gpu()):
        return "cpu"
    found = _uuids()
    if not found:
        if device == "auto":
            return "cpu"
        raise InputError("runtime.device: torch finds no usable GPU on this machine; take auto or cpu")
    return f"cuda:{_choose(policy, local, found, uuids)}"


def _choose(policy: Policy, local: int, found: Sequence[str], uuids: Sequence[str]) -> int:
    """Return the index of the device that rank ``local`` of a node with devices ``found`` takes."""
    if policy == "default":
        return 0
    if policy == "local_rank":
        return local % len(found)
    if not uuids:
        raise InputError("the policy uuid needs a list of device uuids")
    wanted = uuids[local % len(uuids)].removeprefix("GPU-")
    names = [u.removeprefix("GPU-") for u in found]
    if wanted not in names:
        raise InputError(f"no GPU with uuid {wanted}; visible are {', '.join(names)}")
    return names.index(wanted)


def _shared() -> int:
    from mpi4py import MPI

    return MPI.COMM_TYPE_SHARED


def _may_have_gpu() -> bool:
    return any(glob.glob(pattern) for pattern in DEVICE_FILES)


def _uuids() -> list[str]:
    """UUIDs of the GPUs that torch can use here, in torch's order."""
    import torch

    if not torch.cuda.is_available():
        return []
    count = torch.cuda.device_count()
    return [str(getattr(torch.cuda.get_device_properties(k), "uuid", k)) for k in range(count)]
