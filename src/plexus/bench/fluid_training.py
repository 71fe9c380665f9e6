"""Items about training itself: tensor basis, active learning, unrolled training, gradients, inference.

Each training is a `plexus train` of its own, on runs with seed 1; what it leaves is judged on other seeds.
Trainings stay in ``runs/bench/training``, and are made anew each time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from plexus.bench.fluid_judge import judged, listed
from plexus.bench.fluid_models import BINGHAM
from plexus.bench.job import Job, plexus
from plexus.bench.table import Row
from plexus.learning import shipped
from plexus.learning.compare import SETS, compare
from plexus.learning.rollout import Case, Contender, usual
from plexus.learning.score import priori
from plexus.learning.truths import truth

FOLDER = Path("runs/bench")
WORK = FOLDER / "training"
KNOWN = [{"alpha": -3.0, "zeta": 1.0, "seed": 1}]
# the strongest activity needs half the step of the others
EVERY = [{"alpha": a, "zeta": z, "seed": 1, "substeps": 2 if a < -4 else 1} for a, z in SETS]
SPIN = {"type": "spin_network", "moment": 2, "width": 32, "depth": 2}
TENSOR = {"type": "tensor_basis"}
FIT = {"mode": "offline", "steps": 3000, "batch": 4096}
ROUND = {"mode": "active", "steps": 1000, "batch": 4096, "rounds": 4, "acquire": 10}
UNROLLED = {"mode": "unrolled", "steps": 300, "batch": 4, "unroll": [4, 16], "rate": 1e-3, "anchor": 1.0}
REFERENCE = Contender(BINGHAM, 1, {"type": "bingham"})


def deck(
    closure: Mapping[str, Any], cases: Sequence[Any], stages: Sequence[Any], **train: Any
) -> dict[str, Any]:
    """Return a deck that trains a closure on 42 frames of each case."""
    frames = {"start": 4.5, "end": 25.0, "every": 0.5}
    return {
        "plexus": 1,
        "mesh": {"type": "periodic", "cells": [64, 64], "size": [10, 10]},
        "physics": {"type": "active_fluid", "order": closure.get("moment", 2) - 1, "alpha": -3, "zeta": 1},
        "closure": dict(closure),
        "time": {"stepper": "sbdf2", "end": 40, "step": 0.01},
        "train": {"cases": list(cases), "frames": frames, "stages": list(stages), **train},
    }


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
    ratios = priors(made("tensor basis", one), seeds[:1], "stress")
    note = f"others: {listed({w: ratios[w] for w in SETS[1:]})}; trained in {one.seconds:.0f} s"
    item = "AF14 tensor basis: error of S:T / Bingham's, known constants"
    rows = [judged(item, {SETS[0]: ratios[SETS[0]]}, 0.8, note=note)]
    active = train("tensor-active", deck(TENSOR, EVERY, [{**ROUND, "steps": 2000}]))
    after = priors(made("tensor basis", active), seeds[:1], "stress")
    note = f"trained in {active.seconds:.0f} s"
    return [*rows, judged("AF14 the same after active learning, all sets", after, None, 1.0, note=note)]


def active_learning(seeds: Sequence[int], draws: Sequence[int] = (0, 1)) -> list[Row]:
    """AF24: the worst frame after choosing frames by their error, over that after drawing them."""
    ratios, notes = {}, []
    for draw in draws:
        worst = {}
        for choose in ("worst", "random"):
            stage = {**ROUND, "choose": choose}
            job = train(f"{choose}-{draw}", deck(SPIN, EVERY, [stage], seed=draw))
            rounds = [v for k, v in sorted(job.facts["quantities"].items()) if k.startswith("worst.")]
            worst[choose] = rounds[-1]
            notes.append(f"{choose} {draw}: {' '.join(f'{v:.3g}' for v in rounds)}")
        ratios[f"draw {draw}"] = worst["worst"] / worst["random"]
    item = "AF24 worst frame, active / random, mean of draws"
    mean = {"mean": sum(ratios.values()) / len(ratios)}
    return [judged(item, mean, 0.8, 0.5, note="; ".join([listed(ratios), *notes]))]


def unrolled(seeds: Sequence[int]) -> list[Row]:
    """AF25: horizon and error of f_2 after unrolled training, over those before."""
    first = train("offline", deck(SPIN, KNOWN, [FIT]))
    before = made("before", first)
    assert before.block is not None
    second = train("unrolled", deck({**before.block, "moment": 2}, KNOWN, [UNROLLED]))
    after = made("after", second)
    cases = [Case(*where, seed) for where in SETS for seed in seeds]
    scores = compare([before, after, REFERENCE], cases, FOLDER / "truths", level=0.4, say=_say)
    reach = {
        n: {w: scores.horizon(w, n) / scores.horizon(w, BINGHAM) for w in SETS} for n in ("before", "after")
    }
    gain = {w: reach["after"][w] / reach["before"][w] for w in SETS}
    mean = {"mean of the sets": sum(gain.values()) / len(gain)}
    error = {w: scores.prior(w, "after", "moment") / scores.prior(w, "before", "moment") for w in SETS[:1]}
    note = f"{listed(gain)}; over Bingham's, before {listed(reach['before'])}, after {listed(reach['after'])}"
    note += f"; tuned in {second.seconds:.0f} s"
    return [
        judged("AF25 horizon after unrolled training / before", mean, 1.0, pick=min, note=note),
        judged("AF25 error of f2 after / before, known constants", error, 1.2),
    ]


def gradients(seeds: Sequence[int]) -> list[Row]:
    """AF26: derivatives through 20 steps beside central differences."""
    from plexus.bench.fluid_gradients import mismatch

    return [judged("AF26 gradient through 20 steps against differences", mismatch(seeds[0]), 1e-5, unit="")]


def inference(seeds: Sequence[int]) -> list[Row]:
    """AF27: α and ζ from 10 frames by the learned two-moment model, from 30 % off."""
    model = shipped.spin(2, wide=False)
    if model is None or model.block is None:
        return [Row("AF27 inferred constants", None, "", 0.05, peer="no bundle is there")]
    errors = {}
    for seed in seeds:
        stage = {"mode": "infer", "steps": 6, "guess": {"alpha": -3.9, "zeta": 1.3}}
        content = deck({**model.block, "moment": 3}, [{**KNOWN[0], "seed": seed}], [stage])
        content["train"]["frames"] = {"start": 5.0, "end": 14.0, "every": 1.0}
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
