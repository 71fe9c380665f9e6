"""How good answers are: errors by sample, and by case beside those of the classical rivals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from plexus.fileformat import MOST_ANSWERED
from plexus.learning.samples import Samples
from plexus.learning.squares import by_row, squares

if TYPE_CHECKING:
    from plexus.learning.session import Session

Tensor = torch.Tensor
Row = dict[str, Any]
TOGETHER = 65536
"""Loose points that are judged at once."""


def by_sample(session: Session, part: Any, chosen: Tensor) -> Tensor:
    """Return the relative mean square error on each chosen sample, on all ranks. Collective."""
    samples = session.samples
    found = torch.zeros(samples.total, dtype=torch.float64)
    for at in pieces(samples, samples.places(chosen)):
        inputs, targets, _ = samples.at(at)
        with torch.no_grad():
            given = part.evaluate(inputs)
        wrong = squares({k: given[k] - v for k, v in targets.items()})
        found[samples.number[at]] = by_row(wrong) / by_row(squares(targets))
    return session.team.sum(found)[chosen]


def pieces(samples: Samples, places: Tensor) -> Iterator[Tensor]:
    """Yield places in pieces that are judged at once: fields one by one, loose points many together."""
    fields = any(value.dim() > 1 for value in samples.inputs.values())
    yield from places.split(1 if fields else TOGETHER) if len(places) else ()


def judged(session: Session) -> list[Row]:
    """Return the errors of part and classical rivals on the validation, by case and metric. Collective."""
    data = session.validation
    if data is None:
        return []
    if session.part.judged_by != "targets":
        counted: list[Row] = session.part.judged(session)
        return counted
    samples = data.samples(session, ())
    table, rivals = [], session.part.rivals()
    for group in _groups(session, samples):
        found, share = _errors(session, samples, group, session.part)
        base = {name: _errors(session, samples, group, rival)[0] for name, rival in rivals.items()}
        for metric, value in found.items():
            baselines = {name: errors[metric] for name, errors in base.items()}
            row = {"case": data.case(group), "metric": metric, "value": value, "baselines": baselines}
            table.append(row | {"fallback": share})
    return table


def _groups(session: Session, samples: Samples) -> list[int]:
    """Return the groups of the samples of all ranks, in order. Collective."""
    mine = samples.group.unique().tolist()
    comm = session.team.comm
    every = [mine] if comm is None else comm.allgather(mine)
    return sorted({group for groups in every for group in groups})


def _errors(session: Session, samples: Samples, group: int, part: Any) -> tuple[dict[str, float], float]:
    """Return metric -> relative mean square error of a part on one group, and a share of cells. Collective.

    It is that of the part's fallback, which answers where the guard says so.
    """
    sums, answered = dict[str, Tensor](), torch.zeros(2, dtype=torch.float64)
    for at in pieces(samples, (samples.group == group).nonzero().flatten()):
        inputs, targets, _ = samples.at(at)
        with torch.no_grad():
            given = part.evaluate(inputs)
        replaced = getattr(getattr(part, "guard", None), "replaced", None)
        if replaced is not None:
            answered += torch.tensor([float(replaced.sum()), replaced.numel()])
        for metric, pairs in session.part.compared(inputs, given, targets).items():
            wrong = [float((found - true).abs().square().sum()) for found, true in pairs]
            size = [float(true.abs().square().sum()) for _, true in pairs]
            both = torch.tensor([wrong, size], dtype=torch.float64)
            sums[metric] = sums.get(metric, torch.zeros_like(both)) + both
    comm = session.team.comm
    every = [sums] if comm is None else comm.allgather(sums)
    metrics = next((list(one) for one in every if one), [])
    found = {}
    for metric in metrics:
        wrong, size = torch.stack([one[metric] for one in every if metric in one]).sum(0)
        found[metric] = float((wrong / size).mean())
    count, cells = session.team.sum(answered).tolist()
    return found, count / cells if cells else 0.0


def worse(table: list[Row]) -> list[Row]:
    """Return the rows of a table in which some classical rival is at least as good as the part itself."""
    own = [row for row in table if row["fallback"] <= MOST_ANSWERED]
    return [row for row in own if any(row["value"] >= base for base in row["baselines"].values())]
