"""Where the ranks of a run are: host, cores, threads, device, and how PETSc's memory reaches torch.

Ranks that differ in nothing but their number make one row; rank 0 prints the table at the start and
``summary.json`` keeps it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from plexus.devices import threads
from plexus.devices.binding import Device
from plexus.devices.bridge import shares_memory

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

ROWS = 24
"""A longer table is told by kinds of rows."""


@dataclass(frozen=True)
class Place:
    """Where one rank is.

    Attributes
    ----------
    host : its name; cores : the cores it may run on, as ``0-3,8``; bound : their number.
    threads : what torch may use; device : torch's name; gpu, uuid : the GPU behind it, or empty.
    bridge : ``shared`` if tensors use PETSc's own memory, ``copied`` otherwise.
    host_cores : cores that all ranks of the host together may run on; crowded : more ranks than these.
    """

    host: str
    cores: str
    bound: int
    threads: int
    device: str
    gpu: str
    uuid: str
    bridge: str
    host_cores: int
    crowded: bool


def place(comm: Comm, device: Device, most: int | None = None) -> list[dict[str, Any]]:
    """Return the rows of the table, the same on every rank, and set the threads of torch. Collective.

    ``most`` threads are set at most, unless the user asks for more.
    """
    from mpi4py import MPI

    node = comm.Split_type(MPI.COMM_TYPE_SHARED)
    mine = threads.cores()
    host = node.allgather(mine)
    node.Free()
    available = len(set().union(*host))
    here = Place(
        host=socket.gethostname(),
        cores=spans(mine),
        bound=len(mine),
        threads=threads.plan(mine, host, os.environ, most),
        device=device.name.partition(":")[0],
        gpu=device.gpu.name if device.gpu else "",
        uuid=device.gpu.uuid if device.gpu else "",
        bridge="shared" if shares_memory(device.name) else "copied",
        host_cores=available,
        crowded=len(host) > available,
    )
    # the table is made once and sent: thousands of ranks need not sort the same rows
    return comm.bcast(rows(gathered) if (gathered := comm.gather(here)) else None)


def rows(places: Sequence[Place]) -> list[dict[str, Any]]:
    """Return one row per different place, with the ranks that are there as ``0-3,8`` and their count."""
    found: dict[Place, list[int]] = {}
    for rank, here in enumerate(places):
        found.setdefault(here, []).append(rank)
    return [{"ranks": spans(ranks), "count": len(ranks), **asdict(here)} for here, ranks in found.items()]


def table(placement: Sequence[dict[str, Any]]) -> str:
    """Return the rows as text; one line only for one kind of place on one host."""
    shown = [_cells(row) for row in (placement if len(placement) <= ROWS else _kinds(placement))]
    head = ("rank", "host", "cores", "threads", "device", "bridge")
    lines = [head, *shown]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines]
    crowded = {row["host"]: row["host_cores"] for row in placement if row["crowded"]}
    for host, cores in list(crowded.items())[:3]:
        ranks = sum(row["count"] for row in placement if row["host"] == host)
        text.append(f"note: {host} has {ranks} ranks on {cores} core{'s' * (cores > 1)}")
    return "\n".join(text)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the texts of one line."""
    gpu = f"{row['gpu']} {row['uuid']}".strip()
    cores = f"{row['cores']} ({row['bound']})" if row["bound"] > 1 else row["cores"]
    return row["ranks"], row["host"], cores, str(row["threads"]), gpu or row["device"], row["bridge"]


def _kinds(placement: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that leave out what differs from rank to rank: which host, which cores, which GPU."""
    kind = lambda r: (r["bound"], r["threads"], r["device"], r["gpu"], r["bridge"])  # noqa: E731
    made = []
    for (bound, *_), group in groupby(sorted(placement, key=kind), kind):
        members = list(group)
        hosts = {r["host"] for r in members}
        made.append(
            members[0]
            | {
                "ranks": f"{sum(r['count'] for r in members)} ranks",
                "host": next(iter(hosts)) if len(hosts) == 1 else f"{len(hosts)} hosts",
                "cores": f"{bound} each" if bound > 1 else "1 each",
                "bound": 1,
                "uuid": "",
            }
        )
    return made


def spans(numbers: Iterable[int]) -> str:
    """Return whole numbers as ranges, e.g. ``0-3,8``."""
    # numbers of one run of consecutive ones have the same difference to their position
    runs = groupby(enumerate(sorted(numbers)), lambda pair: pair[1] - pair[0])
    ends = [(run[0][1], run[-1][1]) for run in (list(group) for _, group in runs)]
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ends)
