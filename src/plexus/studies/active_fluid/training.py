"""Items about training itself: tensor basis, active learning, unrolled training, gradients, inference.

Each training is a `plexus train` of its own, that of AF24 and AF25 by the decks of this repository; what it
leaves is judged on other seeds. Trainings stay in ``runs/bench/training``, and are made anew each time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from plexus.bench.job import Job, plexus
from plexus.bench.table import Row
from plexus.studies.active_fluid import shipped
from plexus.studies.active_fluid.compare import SETS, compare
from plexus.studies.active_fluid.contenders import Case, Contender, usual
from plexus.studies.active_fluid.judge import judged, listed, mean
from plexus.studies.active_fluid.lineup import BINGHAM
from plexus.studies.active_fluid.score import priori
from plexus.studies.active_fluid.truths import truth

FOLDER = Path("runs/bench")
WORK = FOLDER / "training"
DECKS = Path("input_decks/training")
KNOWN = [{"alpha": -3.0, "zeta": 1.0, "seed": 1}]
# the strongest activity needs half the step of the others
EVERY = [{"alpha": a, "zeta": z, "seed": 1, "substeps": 2 if a < -4 else 1} for a, z in SETS]
TENSOR = {"type": "tensor_basis"}
FIT = {"type": "fit", "steps": 3000, "batch": 4096}
ROUND = {"type": "active", "steps": 1000, "batch": 4096, "rounds": 4, "acquire": 10}
REFERENCE = Contender(BINGHAM, 1, {"type": "bingham"})


def deck(
    closure: Mapping[str, Any], cases: Sequence[Any], stages: Sequence[Any], **train: Any
) -> dict[str, Any]:
    """Return a deck that trains a closure on 42 frames of each case."""
    frames = {"start": 4.5, "end": 25.0, "every": 0.5}
    data = {"type": "kinetic", "cases": list(cases), "frames": frames}
    return {
        "plexus": 1,
        "mesh": {"type": "periodic", "cells": [64, 64], "size": [10, 10]},
        "physics": {"type": "active_fluid", "order": closure.get("moment", 2) - 1, "alpha": -3, "zeta": 1},
        "closure": dict(closure),
        "time": {"stepper": "sbdf2", "end": 40, "step": 0.01},
        "train": {"data": data, "stages": list(stages), **train},
    }


def published(name: str, **changes: Any) -> dict[str, Any]:
    """Return a training deck of this repository, without its validation, with other entries of ``train``."""
    content: dict[str, Any] = yaml.safe_load((DECKS / f"active_fluid_{name}.yaml").read_text())
    kept = {k: v for k, v in content["train"].items() if k != "validation"}
    return {**content, "train": kept | changes}


def train(name: str, content: Mapping[str, Any]) -> Job:
    """Train in a folder of that name."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    job = plexus(content, 1, folder, "train")
    print(f"  trained {name}: {job.seconds:.0f} s", flush=True)
    return job


def made(name: str, job: Job) -> Contender:
    """Return the model that a training's bundle closes."""
    found = shipped.contender(Path(job.facts["bundle"]))
    return Contender(name, found.order, found.block)


def priors(model: Contender, seeds: Sequence[int], key: str) -> dict[Any, float]:
    """Return a-priori errors over Bingham's, by set of constants, mean over seeds."""
    ratios = {}
    for where in SETS:
        sums = {}
        for closure in (model, REFERENCE):
            cases = [Case(*where, seed) for seed in seeds]
            found = [priori(c, usual(c), closure, truth(c, usual(c), FOLDER / "truths")) for c in cases]
            sums[closure.name] = sum(getattr(p, key) for p in found)
        ratios[where] = sums[model.name] / sums[BINGHAM]
    return ratios


def tensor_basis(seeds: Sequence[int]) -> list[Row]:
    """AF14: the authors' network, trained on one run, and by active learning over the four sets."""
    one = train("tensor", deck(TENSOR, KNOWN, [FIT]))
    ratios = priors(made("tensor basis", one), seeds, "stress")
    note = f"others: {listed({w: ratios[w] for w in SETS[1:]})}; trained in {one.seconds:.0f} s"
    item = "AF14 tensor basis: error of S:T / Bingham's, known constants"
    rows = [judged(item, {SETS[0]: ratios[SETS[0]]}, 0.8, note=note)]
    active = train("tensor-active", deck(TENSOR, EVERY, [{**ROUND, "steps": 2000}]))
    after = priors(made("tensor basis", active), seeds, "stress")
    note = f"trained in {active.seconds:.0f} s"
    return [*rows, judged("AF14 the same after active learning, all sets", after, None, 1.0, note=note)]


def active_learning(seeds: Sequence[int], draws: Sequence[int] = (0, 1, 2)) -> list[Row]:
    """AF24: the worst frame of f_3 after choosing frames by their error, over that after drawing them.

    The worst frames are those of weak order: errors are relative, and there is little to close.
    """
    ratios, notes = {}, []
    for draw in draws:
        rounds = {choose: _rounds(choose, draw) for choose in ("worst", "random")}
        ratios[f"draw {draw}"] = rounds["worst"][-1] / rounds["random"][-1]
        notes += [f"{c} {draw}: {' '.join(f'{v:.3g}' for v in found)}" for c, found in rounds.items()]
    item = "AF24 worst frame of f3, active / random, mean of draws"
    notes.append("all frames of the deck's runs are judged")
    return [judged(item, ratios, 0.8, 0.5, pick=mean, note="; ".join(notes))]


def _rounds(choose: str, draw: int) -> list[float]:
    """Return the error of the worst frame after each round of a training."""
    content = published("active_f3", seed=draw)
    content["train"]["stages"][0]["choose"] = choose
    found = train(f"{choose}-{draw}", content).facts["quantities"]
    return [v for k, v in sorted(found.items()) if k.startswith("worst.")]


def unrolled(seeds: Sequence[int]) -> list[Row]:
    """AF25: horizon and error of f_2 after unrolled training of the shipped network, over those before.

    It sees frames of the same kinetic runs as before, so that what it gains is not that of more data.
    """
    before = shipped.spin(1)
    if before is None or before.block is None:
        return [Row("AF25 unrolled training", None, "", 1.0, peer="no bundle is there")]
    job = train("unrolled", {**published("unrolled"), "closure": before.block})
    models = {"before": Contender("before", 1, before.block), "after": made("after", job)}
    cases = [Case(*where, seed) for where in SETS for seed in seeds]
    scores = compare([*models.values(), REFERENCE], cases, FOLDER / "truths", off=0.4, say=_say)
    reach = {n: {w: scores.horizon(w, n) / scores.horizon(w, BINGHAM) for w in SETS} for n in models}
    gain = {w: reach["after"][w] / reach["before"][w] for w in SETS}
    error = {w: scores.prior(w, "after", "moment") / scores.prior(w, "before", "moment") for w in SETS[:1]}
    note = f"{listed(gain)}; " + "; ".join(f"{n} / Bingham's {listed(r)}" for n, r in reach.items())
    average = {"mean of the sets": mean(list(gain.values()))}
    return [
        judged("AF25 horizon after unrolled training / before", average, 1.0, pick=min, note=note),
        judged("AF25 error of f2 after / before, (-3, 1)", error, 1.2),
        judged("AF25 duration of the unrolled training", {"with kinetic runs": job.seconds}, 180, unit="s"),
    ]


def gradients(seeds: Sequence[int]) -> list[Row]:
    """AF26: derivatives through 20 steps beside central differences."""
    from plexus.studies.active_fluid.gradients import mismatch

    found = {f"{name}, seed {seed}": v for seed in seeds for name, v in mismatch(seed).items()}
    return [judged("AF26 gradient through 20 steps against differences", found, 1e-5, unit="")]


def inference(seeds: Sequence[int]) -> list[Row]:
    """AF27: α and ζ from 10 frames by the learned two-moment model, from 30 % off."""
    model = shipped.spin(2, wide=False)
    if model is None or model.block is None:
        return [Row("AF27 inferred constants", None, "", 0.05, peer="no bundle is there")]
    errors = {}
    for seed in seeds:
        stage = {"type": "infer", "steps": 6, "guess": {"alpha": -3.9, "zeta": 1.3}}
        content = deck({**model.block, "moment": 3}, [{**KNOWN[0], "seed": seed}], [stage])
        content["train"]["data"]["frames"] = {"start": 5.0, "end": 14.0, "every": 1.0}
        found = train(f"infer-{seed}", content).facts["quantities"]
        errors[f"alpha, seed {seed}"] = abs(found["alpha"] / -3.0 - 1)
        errors[f"zeta, seed {seed}"] = abs(found["zeta"] - 1)
    return [judged("AF27 relative error of inferred constants", errors, 0.05, 0.02, unit="")]


ITEMS: dict[str, Callable[[Sequence[int]], list[Row]]] = {
    "AF14": tensor_basis,
    "AF24": active_learning,
    "AF25": unrolled,
    "AF26": gradients,
    "AF27": inference,
}


def _say(text: str) -> None:
    print(f"  {text}", flush=True)
