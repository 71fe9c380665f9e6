"""`plexus reduce` of a sweep: clusters of its runs, a reduced model of each, and what recommends one.

Every run of the sweep is marched by all ranks with the full model. Dissimilarities come from one Gram matrix,
so that no field travels; models are made as `plexus.offline.main` makes one, of normalised snapshots of the
members of a cluster and of some of their neighbours. Method: T. Daniel, F. Casenave, N. Akkari, D.
Ryckelynck, Adv. Model. Simul. Eng. Sci. 7 (2020) 16, doi:10.1186/s40323-020-00153-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.deck.dictionary import Dictionary
from plexus.deck.reduce import Reduce
from plexus.errors import InputError
from plexus.offline.main import reduced
from plexus.offline.snapshots import Snapshots
from plexus.offline.training import Member, marched, weighed
from plexus.reduction import index as indices
from plexus.reduction.clusters.dissimilarity import angles, euclidean, sine
from plexus.reduction.clusters.gain import choose, gains, partitions
from plexus.reduction.clusters.medoids import Partition
from plexus.reduction.enrichment import decomposed
from plexus.reduction.measures import mass, weights_of
from plexus.reduction.pod import gram, pod

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context

Array = np.ndarray
FILE, BUNDLE = "dictionary.json", "recommendation.safetensors"
REMEMBERED = 1e-2
"""Relative singular value below which modes of the memory are left out: each takes a point of the model."""
COARSER = 30.0
"""Relative singular value below which stresses of many runs are left out, in tolerances of the cubature."""


def make(deck: Deck, ctx: Context) -> tuple[Run, dict[str, Any]]:
    """March the sweep, write the dictionary into the run folder, return the last run and facts. Collective.

    Raises
    ------
    InputError
        If the physics cannot be reduced, or what shall be compared is not there or zero.
    SolveError
        If a run or a cubature fails.
    """
    block = deck.reduce
    assert isinstance(block, Dictionary)
    members: list[Member] = []
    for each, member in marched(deck, ctx, block.load, block.at):
        members.append(member)
        run = each
    with ctx.timers("reduction"):
        d = compared(run, members, block)
        part, about = clustered(d, block)
        groups = [trained(d, part, k, block.overlap) for k in range(len(part.medoids))]
        models = [f"dictionary_{k}.h5" for k in range(len(groups))]
        told = {"memory_tolerance": REMEMBERED}
        made = [
            reduced(run, joined(run, [members[i] for i in group]), ctx.folder / name, told)
            for group, name in zip(groups, models, strict=True)
        ]
        about |= {
            "modes": [m.basis.shape[2] for m in made], "points": [m.points.n_global for m in made]
        }  # fmt: skip
        bundle: tuple[str, str] = ("", "")
        if len(models) > 1:
            from plexus.offline.recommend import recommend

            bundle, more = recommend(run, deck, members, d, part, ctx.folder / BUNDLE)
            about |= more
        index = indices.Index(unknown_of(run), models, *bundle, about)
        if ctx.comm.rank == 0:
            indices.write(ctx.folder / FILE, index)
        ctx.comm.barrier()
    return run, {k: v for k, v in about.items() if k != "labels"}


def clustered(d: Array, block: Any) -> tuple[Partition, dict[str, Any]]:
    """Return the clusters of dissimilarities, as many as the deck says or the gain suggests, and facts.

    Raises
    ------
    InputError
        If there are too few members.
    """
    found = partitions(d, block.most, block.seed, block.starts)
    count = block.clusters or choose(found, block.least_gain, block.smallest)
    if count > len(found):
        raise InputError(f"reduce.clusters: {count} of {len(d)} members")
    part = found[count - 1]
    return part, {
        "clusters": count, "members": len(d), "medoids": part.medoids.tolist(),
        "sizes": part.sizes.tolist(), "gains": gains(found).tolist(), "labels": part.labels.tolist(),
    }  # fmt: skip


def unknown_of(run: Run) -> str:
    """Return the name of the unknown."""
    return str(run.system.equations[0].field.name)  # type: ignore[attr-defined]


def compared(run: Run, members: Sequence[Member], block: Any) -> Array:
    """Return the dissimilarities of the members. Collective.

    Raises
    ------
    InputError
        If there is no such field, or it is zero.
    """
    form = run.system.forms[unknown_of(run)]  # type: ignore[attr-defined]
    comm = form.space.comm
    if block.of == unknown_of(run):
        steps = members[0].fields.shape[1]
        whole = block.dissimilarity == "angles"
        rows = np.column_stack([m.fields if whole else m.fields[:, -1:] for m in members])
        g = gram(comm, rows, mass(form, rows))
        if whole:
            return angles(g, [slice(i * steps, (i + 1) * steps) for i in range(len(members))], block.rank)
    elif block.of in members[0].last:
        rows = np.column_stack([m.last[block.of].ravel() for m in members])
        columns = members[0].last[block.of].shape[1]
        g = weighed(comm, rows, np.repeat(weights_of(form), columns))
    else:
        known = ", ".join([unknown_of(run), *members[0].last])
        raise InputError(f"reduce.of: there is no {block.of!r}; there are {known}")
    return sine(g) if block.dissimilarity == "sine" else euclidean(g)


def trained(d: Array, part: Partition, k: int, overlap: float) -> Array:
    """Return the members of a cluster and the nearest of others to its medoid, a share of its size."""
    own, others = np.flatnonzero(part.labels == k), np.flatnonzero(part.labels != k)
    near = others[np.argsort(d[others, part.medoids[k]], kind="stable")]
    return np.concatenate([own, near[: round(overlap * len(own))]])


def joined(run: Run, members: Sequence[Member]) -> Any:
    """Return snapshots of several runs as those of one: normalised, at points compressed. Collective."""
    name = unknown_of(run)
    form, block = run.system.forms[name], run.deck.reduce  # type: ignore[attr-defined]
    assert isinstance(block, Reduce)
    space, comm, points = form.space, form.space.comm, run.system.quadrature  # type: ignore[attr-defined]
    fields = []
    for member in members:
        size = np.sqrt(np.diag(gram(comm, member.fields, mass(form, member.fields))).max())
        fields += [u.reshape(space.n_local, space.components) / size for u in member.fields.T]
    weights = np.repeat(weights_of(form), 9)[:, None]
    rows = np.column_stack([m.stresses.reshape(len(m.stresses), -1).T for m in members])
    # what is left out is integrated as well, only less exactly
    coarse = min(max(COARSER * block.cubature, 1e-6), 0.1)
    basis = pod(comm, rows, lambda a: weights * a, coarse)
    stresses = [s.reshape(-1, 9) for s in (basis.modes * np.sqrt(basis.values)).T]
    balance = SimpleNamespace(scale=max(m.forces for m in members), worst=max(m.imbalance for m in members))
    made = Snapshots(form, points, list(members[0].memory))
    made.fields.rows, made.stresses.rows, made.count = fields, stresses, len(fields)
    for dual in members[0].memory:
        sizes = [_sizes(comm, m.memory[dual]) for m in members]
        made.largest[dual] = max(size / count**0.5 for size, count in sizes)
        # all runs count alike, and states that join later are of their size
        most = max(size for size, _ in sizes)
        alike = [m.memory[dual] * (most / (size or 1.0)) for m, (size, _) in zip(members, sizes, strict=True)]
        modes = decomposed(points, [row for rows in alike for row in rows], None, REMEMBERED)
        made.memory[dual].rows = list(np.moveaxis(modes, 2, 0))
    return SimpleNamespace(name=name, snapshots=made, lifts=None, balance=balance)


def _sizes(comm: Comm, rows: Array) -> tuple[float, int]:
    """Return the largest norm of snapshots (steps, points, k), and how many values each has. Collective."""
    squares, count = comm.allreduce((rows**2).sum((1, 2))), comm.allreduce(rows[0].size)
    return float(squares.max() ** 0.5), count


def text(about: dict[str, Any]) -> str:
    """Return what the log says of a dictionary."""
    gain = ", ".join(f"{g:.3f}" for g in about["gains"])
    sizes = ", ".join(str(n) for n in about["sizes"])
    lines = [
        f"{about['members']} runs in {about['clusters']} clusters of {sizes}",
        f"a priori gain with 1, 2, … clusters: {gain}",
    ]
    if "accuracy" in about:
        lines.append(f"recommended as the clusters are, runs of other folds: {100 * about['accuracy']:.0f} %")
    return "\n".join(lines)
