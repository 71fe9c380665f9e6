"""Reduced runs of unseen temperature fields: a local model as recommended, the best one, one model for all.

Part of the benchmark `dictionary`. All models have as many modes; p is that of a replay at the end of a run,
compared with the full model's in L2 over the body.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.bench import hotspots, recommendation
from plexus.bench.table import Row
from plexus.reduction.clusters.dissimilarity import sine
from plexus.reduction.clusters.medoids import medoids

if TYPE_CHECKING:
    from plexus.bench.hotspots import Data
    from plexus.run import Run

Array = np.ndarray
TRAINED, TESTED, MODES, TOLERANCE, CUBATURE, OVERLAP = 240, 20, 10, 1e-4, 1e-3, 0.15


def runs(data: Data) -> list[Row]:
    """Return errors of p by local models, relative to one model of all training loads."""
    from plexus.compose import compose
    from plexus.deck.reduce import Reduce
    from plexus.offline.training import decks
    from plexus.recommendation.classifiers.nearness import Nearness

    deck, ctx = hotspots.opened()
    block = Reduce(tolerance=TOLERANCE, cubature=CUBATURE, modes=MODES, stalls=True)
    every = [
        d.model_copy(update={"output": (), "quantities": {}, "reduce": block}) for d in decks(deck, ctx.comm)
    ]
    train, test = np.arange(TRAINED), np.arange(TRAINED, TRAINED + TESTED)
    d = sine(data.gram[np.ix_(train, train)])
    part = medoids(d, hotspots.LABELS, starts=hotspots.STARTS)
    y = np.concatenate([part.labels, np.zeros(len(data.gram) - TRAINED, dtype=np.int64)])
    x = recommendation.features(data, y, train)
    far = d[:, part.medoids] ** 2
    model = Nearness().fit(x[train], y[train], far)
    chosen = model.probabilities(x[test]).argmax(1)
    with tempfile.TemporaryDirectory() as folder:
        sizes = _models(compose(every[0], ctx), part, d, Path(folder))
        errors = np.array([[_error(every[i], ctx, data, i, file) for file, _, _ in sizes] for i in test])
    own, whole = errors[np.arange(TESTED), chosen], errors[:, -1]
    best = errors[:, :-1].min(1)
    ratio = float(np.median(own) / np.median(whole))
    points = " ".join(str(n) for _, _, n in sizes)
    told = (
        f"median {np.median(own):.3f} against {np.median(whole):.3f}; lower in {int((own < whole).sum())}, "
        f"at worst {(own / whole).max():.2f} times as large; points {points}"
    )
    name = f"A3.3 error of p by {MODES} local modes relative to {MODES} of all loads, {TESTED} unseen fields"
    return [
        Row(name, ratio, "", 0.9, ratio <= 0.9, told),
        Row("A3.3 the same by the best local model", float(np.median(best) / np.median(whole)), "",
            peer=f"median {np.median(best):.3f}; recommended is best in {int((own == best).sum())}"),
        Row("A5.4 median regret of reduced runs", float(np.median(own / best)), "", 1.05,
            bool(np.median(own / best) <= 1.05), f"95th percentile {np.percentile(own / best, 95):.2f}"),
    ]  # fmt: skip


def _models(run: Run, part: Any, d: Array, folder: Path) -> list[tuple[Path, int, int]]:
    """Write the local models and that of all loads; return file, modes and points of each."""
    from plexus.offline.dictionary import joined, trained
    from plexus.offline.main import reduced

    found, arrays = [], hotspots.stored()
    fields, stresses = arrays["fields"], arrays["stresses"]
    groups = [trained(d, part, k, OVERLAP) for k in range(len(part.medoids))]
    for k, group in enumerate([*groups, np.arange(TRAINED)]):
        members: Any = [
            SimpleNamespace(
                fields=fields[i], stresses=stresses[i].astype(float), memory={}, forces=0.0, imbalance=0.0
            )
            for i in group
        ]
        file = folder / f"model_{k}.h5"
        made = reduced(run, joined(run, members), file)
        found.append((file, made.basis.shape[2], made.points.n_global))
    return found


def _error(deck: Any, ctx: Any, data: Data, member: int, file: Path) -> float:
    """Return the error of p at the end of a reduced run of a member."""
    from plexus.compose import compose
    from plexus.roms.galerkin import GalerkinParams

    rom = GalerkinParams.model_construct(file=str(file), imbalance=np.inf, new_shapes="respond")
    rom._type = "galerkin"
    run = compose(deck.model_copy(update={"rom": rom}), ctx)
    run.observers = []
    for _ in run.march():
        pass
    found = run.system.remembered(run.state)["p"][:, 0]  # type: ignore[attr-defined]
    true, w = data.p[:, member], data.weights
    return float(np.sqrt((w * (found - true) ** 2).sum() / (w * true**2).sum()))
