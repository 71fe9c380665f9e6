"""Training of the recommendation of a dictionary: loads of the members and their clusters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.deck.dictionary import Dictionary
from plexus.recommendation import bundle
from plexus.recommendation.classifiers.nearness import Nearness
from plexus.recommendation.selection import select

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.offline.training import Member
    from plexus.reduction.clusters.medoids import Partition
    from plexus.run import Run

Array = np.ndarray


def recommend(
    run: Run, deck: Deck, members: Sequence[Member], d: Array, part: Partition, path: Path
) -> tuple[tuple[str, str], dict[str, Any]]:
    """Write the bundle; return its name and hash, and what is told of it. Collective.

    ``d`` (members, members) are the dissimilarities by which they were put into clusters.

    Raises
    ------
    InputError
        If the loads do not differ.
    """
    block = deck.reduce
    assert isinstance(block, Dictionary)
    space = run.system.spaces[run.system.equations[0].field.name]  # type: ignore[attr-defined]
    comm, n = space.comm, space.n_owned
    loads = np.column_stack([m.load[:n] for m in members])
    places = select(comm, loads, part.labels, space.points[:n], space.names()[:n], block.features)
    x = read(run, places, [m.load for m in members])
    unit, sha256, accuracy = run.fields.unit(block.load), "", 0.0
    if comm.rank == 0:
        model = Nearness(seed=block.seed)
        found = bundle.fit(block.load, unit, block.at, places, x, part.labels, d[:, part.medoids] ** 2, model)
        accuracy = model.accuracy
        rows = [{"case": "folds", "metric": "accuracy", "value": accuracy,
                 "baselines": {"largest cluster": float(part.sizes.max() / len(members))}}]  # fmt: skip
        about = {"training": bundle.training(deck.name, block.seed, len(members)), "validation": rows}
        sha256 = bundle.save(path, found, x, about)
    sha256, accuracy = comm.bcast((sha256, accuracy))
    return (path.name, sha256), {"accuracy": accuracy, "places": places.tolist()}


def read(run: Run, places: Array, loads: Sequence[Array]) -> Array:
    """Return nodal fields at places, (fields, places). Collective."""
    space = run.system.spaces[run.system.equations[0].field.name]  # type: ignore[attr-defined]
    found = run.fields.locate(places)
    return np.array([found.evaluate(space.with_components(1), load[:, None])[:, 0] for load in loads])
