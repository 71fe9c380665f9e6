"""What a training leaves: a bundle with weights, range, origin of the data, and a table of validation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from plexus import __version__
from plexus.learning import metrics
from plexus.learning.frames import Frames
from plexus.learning.session import Session

Tensor = torch.Tensor
LICENCE = "data computed by Plexus itself; weights under the licence of Plexus"


def judged(session: Session) -> list[dict[str, Any]]:
    """Return the errors of network and classical closures on the validation runs. Collective."""
    plan = session.plan
    if not plan.validation:
        return []
    frames = session.gather(plan.validation, plan.validation_frames or plan.frames)
    table, rivals = [], session.closure.rivals()
    for n, case in enumerate(plan.validation):
        name = {"alpha": case.alpha, "zeta": case.zeta, "seed": case.seed}
        found = _errors(session, frames, n, session.closure)
        base = {rival: _errors(session, frames, n, closure) for rival, closure in rivals.items()}
        for metric, value in found.items():
            baselines = {rival: errors[metric] for rival, errors in base.items()}
            table.append({"case": name, "metric": metric, "value": value, "baselines": baselines})
    return table


def _errors(session: Session, frames: Frames, case: int, closure: Any) -> dict[str, float]:
    """Return the relative mean square errors of a closure on one case. Collective."""
    closes = session.closure.closes
    parts = {name: torch.zeros(2, dtype=torch.float64) for name in _metrics(closes)}
    for place in (frames.case == case).nonzero().flatten().tolist():
        at = slice(place, place + 1)
        fields = {k: v[at] for k, v in frames.fields.items()}
        target = {k: v[at] for k, v in frames.target.items()}
        with torch.no_grad():
            given = closure.evaluate(fields)
        for name, (found, true) in _compared(closes, fields, given, target).items():
            parts[name][0] += float((found - true).abs().square().sum())
            parts[name][1] += float(true.abs().square().sum())
    # the authors' metric of S:T is the mean over components
    ratios: dict[str, list[float]] = {}
    for name, part in parts.items():
        wrong, size = session.team.sum(part).tolist()
        ratios.setdefault(LABELS[name.partition(":")[0]], []).append(wrong / size)
    return {label: sum(values) / len(values) for label, values in ratios.items()}


LABELS = {"f2": "f2 relative MSE", "f3": "f3 relative MSE", "st": "S:T relative MSE"}


def _metrics(closes: int | str) -> list[str]:
    """Return the names of what `_compared` returns."""
    if closes == 3:
        return ["f3"]
    return [*(["f2"] if closes == 2 else []), "st:11", "st:12", "st:22"]


def _compared(
    closes: int | str, fields: Mapping[str, Tensor], given: Mapping[str, Tensor], target: Mapping[str, Tensor]
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return metric -> (found, true) of one frame."""
    if closes == 3:
        return {"f3": (given["f3"], target["f3"])}
    zeta = fields["zeta"]
    if closes == 2:
        pairs = [metrics.closed_stress(fields, f["f2"], zeta) for f in (given, target)]  # type: ignore[arg-type]
        one = {"f2": (given["f2"], target["f2"])}
    else:
        pairs, one = [(f["st"], f["trace"]) for f in (given, target)], {}
    parts = [metrics.components(*pair) for pair in pairs]
    return one | {f"st:{n}": (a, b) for n, a, b in zip(("11", "12", "22"), *parts, strict=True)}


def metadata(session: Session, box: Mapping[str, Any], table: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the bundle says."""
    plan, physics, closure = session.plan, session.deck.physics, session.closure
    unrolled = any(stage.mode == "unrolled" for stage in plan.stages)
    count = len(session.chosen())
    return {
        **closure.describe(box),
        "domain": {
            "cells": list(session.space.cells),
            "size": list(session.space.lengths),
            "unit": "m",
            "end_points": [False]
            * len(session.space.cells),  # a periodic grid does not repeat its first point
        },
        "training": {
            "generator": f"{physics.type}, {plan.moments} moments, step {session.dt:g} / substeps",
            "version": __version__,
            "parameters": _ranges(session),
            "filter": "none",
            "frames": count,
            "points": count * session.space.cells[0] * session.space.cells[1],
            "seeds": [c.seed for c in plan.cases],
            "cases": [c.model_dump() for c in plan.cases],
            "times": plan.frames.model_dump(),
            "stages": [stage.model_dump(exclude_unset=True) for stage in plan.stages],
            "seed": plan.seed,
            "deck": {"name": session.deck.name, "sha256": _hash(session)},
        },
        "stepping": {
            "dt": [session.dt, session.dt] if unrolled else None,
            "integrator": "sbdf2" if unrolled else "",
        },
        "validation": table,
        "licence": LICENCE,
    }


CONSTANTS = {"alpha": "1/s", "beta": "1", "zeta": "1/s", "d_T": "m^2/s", "d_R": "1/s"}
"""Constants of the model and their units, for a concentration that is 1 in the mean."""


def _ranges(session: Session) -> dict[str, Any]:
    """Return the range of each constant over the kinetic runs; those that cases do not name stay put."""
    cases, physics = session.plan.cases, session.deck.physics
    found = {}
    for name, unit in CONSTANTS.items():
        values = [float(getattr(case, name, getattr(physics, name))) for case in cases]
        found[name] = {"low": min(values), "high": max(values), "unit": unit}
    return found


def _hash(session: Session) -> str:
    """Return the hash of the effective deck, which the run folder keeps."""
    return hashlib.sha256(session.ctx.texts["deck"].encode()).hexdigest()


def written(session: Session) -> tuple[Path, str, list[dict[str, Any]]]:
    """Give the guard its range, judge the closure, write the bundle. Collective.

    Returns file, hash and validation table.
    """
    from plexus.bundles import store

    closure = session.closure
    fields = session.everywhere()
    box = closure.range_of(fields, session.plan.widen)
    closure.use_range(box)
    table = judged(session)
    path, sha256 = session.ctx.folder / session.plan.output, ""
    if session.ctx.root:
        path.parent.mkdir(parents=True, exist_ok=True)
        told, weights = metadata(session, box, table), closure.network.state_dict()
        sha256 = store.save(path, told, weights, closure.golden(fields))
    return path, session.ctx.comm.bcast(sha256), table
