"""What a training leaves: a bundle with weights, range, origin of the data, and a table of validation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from plexus import __version__, registry
from plexus.deck.effective import to_data
from plexus.learning.judging import Row, judged
from plexus.learning.samples import everywhere
from plexus.learning.session import Session

Tensor = torch.Tensor
LICENCE = "data computed by Plexus itself; weights under the licence of Plexus"
WHAT = "bundle"
"""What it is called."""
NO_SOLVER = {"stepping": {"dt": None, "integrator": ""}}
"""What a bundle says where no solver took part in the training."""


def metadata(session: Session, box: Mapping[str, Any], table: list[Row]) -> dict[str, Any]:
    """Return what the bundle says."""
    plan, told = session.plan, session.data.tell(session)
    solver = NO_SOLVER
    for stage in plan.stages:
        solver = solver | registry.build("stage", stage).tell(session)
    training = told["training"] | {
        "version": __version__,
        "stages": to_data(plan.stages),
        "seed": plan.seed,
        "deck": {"name": session.deck.name, "sha256": _hash(session)},
    }
    every = {"training": training, "domain": told["domain"], "validation": table, "licence": LICENCE}
    return {**session.part.describe(box), **solver, **every}


def _hash(session: Session) -> str:
    """Return the hash of the effective deck, which the run folder keeps."""
    return hashlib.sha256(session.ctx.texts["deck"].encode()).hexdigest()


def written(session: Session) -> tuple[Path, str, list[Row]]:
    """Give the guard its range, judge the part, write the bundle. Collective.

    Returns file, hash and validation table.
    """
    from plexus.bundles import store

    part = session.part
    inputs = everywhere(session.team, session.samples)
    box = part.range_of(inputs, session.plan.widen)
    part.use_range(box)
    table = judged(session)
    path, sha256 = session.ctx.folder / session.plan.output, ""
    if session.ctx.root:
        path.parent.mkdir(parents=True, exist_ok=True)
        told, weights = metadata(session, box, table), part.network.state_dict()
        sha256 = store.save(path, told, weights, part.golden(inputs))
    return path, session.ctx.comm.bcast(sha256), table
