"""How large a job should be: ranks, threads and memory from the size of the problem.

The sizes are those of `plexus check --mesh`. A rank is worth its messages from some 25 000 unknowns on (a
profile may say otherwise); fewer ranks are taken than cores when the problem is small, more nodes when it
needs their cores or their memory. What the deck or the profile says is never changed.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from plexus import preview, tasks
from plexus.deck.job import Job, in_bytes
from plexus.deck.schema import Deck
from plexus.errors import InputError
from plexus.submit.profile import Profile

SPARE = 1.5
"""Memory asked for over memory estimated."""
GPU_UNKNOWNS = 1_000_000
"""Unknowns that make a GPU worth its transfers."""


@dataclass(frozen=True)
class Size:
    """What the job asks for: ``memory`` per node [B], None where it is not asked for, and why."""

    nodes: int
    ranks_per_node: int
    threads: int
    gpus_per_node: int
    memory: float | None
    time: float
    why: str

    @property
    def ranks(self) -> int:
        """All ranks of the job."""
        return self.nodes * self.ranks_per_node


@dataclass(frozen=True)
class Problem:
    """Unknowns of all fields, bytes per rank on a given number of ranks, and the most ranks, if any."""

    unknowns: int
    fixed: float
    shared: float
    ranks: int | None = None

    def bytes_per_rank(self, ranks: int) -> float:
        """Return the estimated peak memory of one rank."""
        return self.fixed + self.shared / ranks


def problem(deck: Deck, task: str = "run") -> Problem:
    """Return the estimated size of a task with a deck; reads a mesh file as `plexus check --mesh` does."""
    found = preview.outlook(deck)
    unknowns = sum(found.unknowns.values())
    each, all_ranks = tasks.named(task).room(deck, unknowns)
    most = None if found.estimate is None else found.estimate.ranks
    return Problem(unknowns, found.fixed + each, found.shared + all_ranks, most)


def propose(deck: Deck, profile: Profile, task: str = "run") -> Size:
    """Return the size of the job: the deck's wishes, completed.

    Raises
    ------
    InputError
        If the deck asks for more than a node of this machine has, or for more ranks than its mesh takes.
    """
    job, size = deck.job, problem(deck, task)
    cores = profile.cores_per_node or len(os.sched_getaffinity(0))
    gpus = _gpus(deck, profile)
    # a rank with a GPU gets its share of the cores, for what stays on the CPU
    threads = job.threads or (max(1, min(8, cores // gpus)) if gpus else 1)
    # on GPUs one rank each, on CPUs as many ranks as there are cores for
    room = gpus or max(1, cores // threads)
    wanted = max(1, round(size.unknowns / (GPU_UNKNOWNS if gpus else profile.unknowns_per_rank)))
    wanted = min(wanted, size.ranks or wanted)
    nodes = job.nodes or min(
        profile.max_nodes, max(math.ceil(wanted / room), _nodes_for_memory(size, profile, room))
    )
    per_node = job.ranks_per_node or min(room, math.ceil(wanted / nodes))
    if per_node * threads > cores:
        raise InputError(
            f"job: {per_node} ranks with {threads} cores each do not fit on a node with {cores} cores"
        )
    if size.ranks is not None and nodes * per_node > size.ranks:
        raise InputError(
            deck.placed(
                f"job.ranks_per_node: {nodes * per_node} ranks are too many, the mesh takes {size.ranks}"
            )
        )
    gpus = job.gpus_per_node if job.gpus_per_node is not None else min(gpus, per_node)
    memory = _memory(size, nodes * per_node, per_node, job, profile)
    each = size.bytes_per_rank(nodes * per_node)
    why = f"{size.unknowns:,} unknowns, about {each / 1e6:,.0f} MB per rank"
    return Size(nodes, per_node, threads, gpus, memory, job.time or profile.time, why)


def _gpus(deck: Deck, profile: Profile) -> int:
    """Return the GPUs of a node that the job may use; none for a deck that computes on the CPU."""
    if deck.job.gpus_per_node is not None:
        return deck.job.gpus_per_node
    if deck.runtime.device == "cuda" and not profile.gpus_per_node:
        raise InputError(
            "runtime.device is cuda, but this profile has no GPUs: choose another with --profile"
        )
    return 0 if deck.runtime.device == "cpu" else profile.gpus_per_node


def _nodes_for_memory(size: Problem, profile: Profile, room: int) -> int:
    """Return how many nodes hold the problem with ``room`` ranks on each."""
    if profile.memory_per_node is None:
        return 1
    free = in_bytes(profile.memory_per_node) - SPARE * room * size.fixed
    return max(1, math.ceil(SPARE * size.shared / free)) if free > 0 else 1


def _memory(size: Problem, ranks: int, per_node: int, job: Job, profile: Profile) -> float | None:
    """Return the memory to ask of each node, in whole gigabytes when it is estimated."""
    if job.memory is not None:
        return in_bytes(job.memory)
    if not profile.ask_memory:
        return None
    needed = math.ceil(SPARE * per_node * size.bytes_per_rank(ranks) / 1e9) * 1e9
    most = in_bytes(profile.memory_per_node) if profile.memory_per_node else needed
    return min(needed, most)
