"""Which device this rank computes on, decided once at start.

Policies for several GPUs in a node: ``local_rank`` deals them out to the node's ranks in turn, ``default``
takes the first visible one (the launcher shows each rank its own), ``uuid`` takes the listed ones by local
rank, ``none`` stays on the CPU. Two ranks on one GPU are refused unless sharing is allowed. Torch is imported
only when a GPU is asked for and one may be there.
"""

from __future__ import annotations

import glob
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from plexus.errors import InputError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Policy = Literal["default", "local_rank", "uuid", "none"]
DEVICE_FILES = ("/dev/nvidia[0-9]*", "/dev/kfd", "/dev/dxg")
"""What the drivers of NVIDIA and AMD GPUs (and of both under WSL) show in the file system."""


@dataclass(frozen=True)
class Gpu:
    """One GPU as torch shows it: its model and the identifier that is the same for every process."""

    name: str
    uuid: str


@dataclass(frozen=True)
class Device:
    """The device of a rank: torch's name of it, ``cpu`` or ``cuda:k``, and the GPU behind that name."""

    name: str = "cpu"
    gpu: Gpu | None = None


def bind(
    device: Literal["cpu", "auto", "cuda"],
    comm: Comm,
    policy: Policy = "local_rank",
    uuids: Sequence[str] = (),
    share: bool = False,
    find: Callable[[], Sequence[Gpu]] | None = None,
) -> Device:
    """Return the device of this rank. Collective.

    Parameters
    ----------
    device
        What the deck asks for; ``auto`` takes a GPU if there is one.
    comm
        All ranks of the run.
    policy, uuids
        See the module's description; ``uuids`` by rank within the node.
    share
        Whether several ranks may compute on one GPU.
    find
        Lists the GPUs that this process sees; torch's by default.

    Raises
    ------
    InputError
        On all ranks, if ``cuda`` is asked for and a rank finds no usable GPU, if a listed one is not
        there, or if ranks would share a GPU and may not.
    """
    if device == "cpu" or policy == "none":
        return Device()
    local = comm.Split_type(_shared()).rank
    chosen, problem = Device(), ""
    try:
        chosen = _mine(device, policy, local, uuids, find or gpus)
    except InputError as error:
        problem = str(error)
    # hosts may differ in what they have: all ranks learn of every choice, so that all of them agree
    every = comm.allgather((problem, socket.gethostname(), chosen.gpu))
    problem = next((p for p, _, _ in every if p), "") or _collision(every, share)
    if problem:
        raise InputError(problem)
    return chosen


def _mine(
    device: str, policy: Policy, local: int, uuids: Sequence[str], find: Callable[[], Sequence[Gpu]]
) -> Device:
    """Return the device that rank ``local`` of a node takes of those that it sees."""
    found = find() if device == "cuda" or _may_have_gpu() else ()
    if found:
        index = _choose(policy, local, [g.uuid for g in found], uuids)
        return Device(f"cuda:{index}", found[index])
    if device == "cuda":
        host = socket.gethostname()
        raise InputError(f"runtime.device: torch finds no usable GPU on {host}; take auto or cpu")
    return Device()


def _choose(policy: Policy, local: int, found: Sequence[str], uuids: Sequence[str]) -> int:
    """Return the index of the device that rank ``local`` of a node with devices ``found`` takes."""
    if policy == "default":
        return 0
    if policy == "local_rank":
        return local % len(found)
    if not uuids:
        raise InputError("runtime.devices.uuids: the policy uuid needs a list of GPU uuids")
    wanted = uuids[local % len(uuids)].removeprefix("GPU-")
    names = [u.removeprefix("GPU-") for u in found]
    if wanted not in names:
        raise InputError(
            f"runtime.devices.uuids: no GPU with uuid {wanted} on {socket.gethostname()}; "
            f"visible are {', '.join(names)}"
        )
    return names.index(wanted)


def _collision(every: Sequence[tuple[str, str, Gpu | None]], share: bool) -> str:
    """Return what is wrong if two ranks have the same GPU and may not share it, else an empty text."""
    if share:
        return ""
    owner: dict[tuple[str, str], int] = {}
    for rank, (_, host, gpu) in enumerate(every):
        if gpu is None:
            continue
        first = owner.setdefault((host, gpu.uuid), rank)
        if first != rank:
            return (
                f"runtime.devices: ranks {first} and {rank} would both compute on GPU {gpu.uuid} "
                f"({gpu.name}) of {host}; start one rank per GPU, or allow it: runtime.devices.share: true"
            )
    return ""


def _shared() -> int:
    from mpi4py import MPI

    return MPI.COMM_TYPE_SHARED


def _may_have_gpu() -> bool:
    return any(glob.glob(pattern) for pattern in DEVICE_FILES)


def gpus() -> list[Gpu]:
    """Return the GPUs that torch can use here, in torch's order."""
    import torch

    if not torch.cuda.is_available():
        return []
    found = [torch.cuda.get_device_properties(k) for k in range(torch.cuda.device_count())]
    # torch before 2.4 tells no uuid; the place on the bus is as good within a host
    return [Gpu(p.name, str(getattr(p, "uuid", None) or _bus(p) or k)) for k, p in enumerate(found)]


def _bus(properties: object) -> str:
    """Return where a GPU sits, empty if torch does not tell."""
    place = [getattr(properties, f"pci_{part}_id", None) for part in ("domain", "bus", "device")]
    return "" if None in place else "pci-" + ":".join(f"{n:02x}" for n in place)
