"""Few places of a field that tell its class: largest relevance, least redundancy, redundancy by distance.

    j* = argmax_j  I(X_j; Y) - mean_{s ∈ S} ρ(|x_j - x_s|)

I is the mutual information [nats] of the value at a node, in bins of equal count, and the label; ρ(h) that of
values at two nodes, as a function of their distance, estimated once from pairs of a few nodes instead of all
pairs. H. Peng, F. Long, C. Ding, IEEE Trans. Pattern Anal. Mach. Intell. 27 (2005) 1226,
doi:10.1109/TPAMI.2005.159; for fields on a mesh, with a redundancy by distance: T. Daniel, F. Casenave, N.
Akkari, D. Ryckelynck, Math. Comput. Appl. 26 (2021) 17, doi:10.3390/mca26010017. Every rank has the values of
its own nodes; each choice is one reduction, and names of nodes break ties, so that the ranks do not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import InputError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
BINS = 5
"""Bins of equal count of a value; with some hundred members, each has some ten per class."""
SAMPLED = 150
"""Nodes whose pairs tell the redundancy."""
STEADY = 1e-3
"""Share of the largest standard deviation below which a node tells nothing."""


def select(comm: Comm, values: Array, labels: Array, places: Array, names: Array, count: int) -> Array:
    """Return the places of the chosen nodes, (count, d), in the order of choice. Collective.

    Parameters
    ----------
    comm : Comm
        The ranks that share the nodes.
    values : array (nodes here, members)
        A field per member.
    labels : array (members,) of int
        The class of each member.
    places : array (nodes here, d)
        Coordinates [m].
    names : array (nodes here,) of int64
        Names that no partition changes.
    count : int
        How many nodes.

    Raises
    ------
    InputError
        If the field is the same for all members, or too few nodes differ.
    """
    spread = values.std(axis=1) if len(values) else np.empty(0)
    most = max(comm.allgather(float(spread.max(initial=0.0))))
    if not most > 0:
        raise InputError("the load is the same for all members: nothing can be told from it")
    free = spread > STEADY * most
    if comm.allreduce(int(free.sum())) < count:
        raise InputError(f"fewer than {count} nodes tell the members apart")
    binned = bins(values)
    relevance, rho = information(binned, labels), Redundancy(comm, binned, places, names)
    chosen = np.empty((0, places.shape[1]))
    shared = np.zeros(len(values))
    for _ in range(count):
        score = np.where(free, relevance - shared / max(len(chosen), 1), -np.inf)
        place, mine = _best(comm, score, places, names)
        if mine is not None:
            free[mine] = False
        chosen = np.vstack([chosen, place])
        shared += rho(np.linalg.norm(places - place, axis=1))
    return chosen


def _best(comm: Comm, score: Array, places: Array, names: Array) -> tuple[Array, int | None]:
    """Return the place of the best node of all ranks, and its row where it is this rank's. Collective."""
    mine = int(np.argmax(score)) if len(score) else -1
    if mine >= 0:
        ties = np.flatnonzero(score == score[mine])
        mine = int(ties[np.argmin(names[ties])])
    bid = (float(score[mine]), -int(names[mine])) if mine >= 0 else (-np.inf, 0)
    bids = comm.allgather(bid)
    owner = max(range(len(bids)), key=lambda rank: bids[rank])
    place = comm.bcast(places[mine].copy() if comm.rank == owner else None, owner)
    return place, mine if comm.rank == owner else None


def bins(values: Array) -> Array:
    """Return the bin of each value among those of its row, (nodes, members) of int."""
    ranks = np.argsort(np.argsort(values, axis=1, kind="stable"), axis=1)
    return np.asarray(ranks * BINS // max(values.shape[1], 1))


def information(binned: Array, labels: Array, bias: bool = True) -> Array:
    """Return I(X_j; Y) of every row with labels or with one other row, (nodes,), ≥ 0.

    Counting overestimates it by (bins - 1)(classes - 1)/2N (G. Miller, Information Theory in Psychology,
    1955), which is taken off.
    """
    n, classes = binned.shape[1], int(labels.max(initial=0)) + 1
    total = np.zeros(len(binned))
    rows = [binned == b for b in range(BINS)]
    for c in range(classes):
        mine = labels == c
        pc = mine.sum() / n
        for row in rows:
            p, pb = row[:, mine].sum(1) / n, row.sum(1) / n
            total += np.where(p > 0, p * np.log(np.maximum(p, 1e-300) / np.maximum(pb * pc, 1e-300)), 0.0)
    excess = (BINS - 1) * (classes - 1) / (2 * n) if bias else 0.0
    return np.maximum(total - excess, 0.0)


class Redundancy:
    """ρ(h): mean mutual information of nodes at a distance h, piecewise linear. Made collectively."""

    def __init__(self, comm: Comm, binned: Array, places: Array, names: Array):
        # a scattered choice by name is the same on any ranks
        mixed = (names.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)
        order = np.argsort(mixed)[:SAMPLED]
        found = comm.allgather((mixed[order], binned[order], places[order]))
        first = np.argsort(np.concatenate([m for m, _, _ in found]))[:SAMPLED]
        rows = np.concatenate([b for _, b, _ in found])[first]
        x = np.concatenate([p for _, _, p in found])[first]
        pairs = np.array([information(rows, row) for row in rows])
        apart = np.linalg.norm(x[:, None] - x, axis=2)
        upper = np.triu_indices(len(x), 1)
        self.distances, self.values = _averaged(apart[upper], pairs[upper])

    def __call__(self, h: Array) -> Array:
        """Return ρ at distances."""
        return np.interp(h, self.distances, self.values)


def _averaged(h: Array, values: Array, classes: int = 20) -> tuple[Array, Array]:
    """Return means over classes of distance, from what a value tells of itself at distance 0."""
    edges = np.quantile(h, np.linspace(0, 1, classes + 1)) if len(h) else np.zeros(2)
    which = np.clip(np.searchsorted(edges, h, side="right") - 1, 0, classes - 1)
    full = [k for k in range(classes) if (which == k).any()]
    return (
        np.array([0.0, *(h[which == k].mean() for k in full)]),
        np.array([np.log(BINS), *(values[which == k].mean() for k in full)]),
    )
