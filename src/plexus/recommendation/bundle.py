"""A recommendation in one file: the places that are read, their scales, and the weights of a classifier.

Places are coordinates, so that a field on any mesh can be asked. The file is a bundle (`plexus.bundles`):
safetensors, with hashes of every field and a golden pair that is answered again when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus import __version__
from plexus.errors import InputError
from plexus.recommendation.classifiers.nearness import Nearness

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
KIND, TYPE, PAIRS, AGREE = "recommendation", "nearness", 8, 1e-9


@dataclass(frozen=True, eq=False)
class Recommendation:
    """Which class a field belongs to.

    Attributes
    ----------
    load, unit : str
        The field that is read, and its unit.
    at : float
        When, after the start of a run [s].
    places : array (f, d)
        Where [m].
    mean, deviation : array (f,)
        Of the training, in the unit.
    low, high : array (f,)
        The range of the training.
    model : Nearness
        The classifier of (values - mean)/deviation.
    """

    load: str
    unit: str
    at: float
    places: Array
    mean: Array
    deviation: Array
    low: Array
    high: Array
    model: Nearness

    def probabilities(self, values: Array) -> Array:
        """Return the probability of each class for values at the places, (classes,)."""
        z = (np.asarray(values, dtype=float).reshape(1, -1) - self.mean) / self.deviation
        return np.asarray(self.model.probabilities(z)[0])

    def outside(self, values: Array) -> int:
        """Return how many values lie outside the range of the training."""
        return int(((values < self.low) | (values > self.high)).sum())


def fit(
    load: str, unit: str, at: float, places: Array, x: Array, y: Array, far: Array, model: Nearness
) -> Recommendation:
    """Return the recommendation that values x (members, f) at places teach.

    ``y`` (members,) are the classes, ``far`` (members, classes) squared dissimilarities to their medoids.
    """
    mean, deviation = x.mean(0), x.std(0)
    model.fit((x - mean) / deviation, y, far)
    return Recommendation(load, unit, at, places, mean, deviation, x.min(0), x.max(0), model)


def save(path: Path, found: Recommendation, x: Array, about: dict[str, Any]) -> str:
    """Write the bundle and return its hash (one rank); ``about`` has the fields training and validation."""
    import torch

    from plexus.bundles import store
    from plexus.bundles.golden import Pair

    kernel = found.model.kernel
    arrays = {"places": found.places, "mean": found.mean, "deviation": found.deviation,
              "low": found.low, "high": found.high, "top": found.model.top.weights,
              "turn": kernel.turn, "members": kernel.z, "weights": kernel.weights}  # fmt: skip
    weights = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}
    x = x[:PAIRS]
    answers = np.array([found.probabilities(row) for row in x])
    pair = Pair({"values": torch.from_numpy(x)}, {"probabilities": torch.from_numpy(answers)}, AGREE)
    classes = answers.shape[1]
    metadata = {
        "kind": KIND, "type": TYPE,
        "ports": {
            "inputs": [{"name": found.load, "unit": found.unit, "shape": "scalar", "location": "places",
                        "scale": 1.0}],
            "outputs": [{"name": "probability", "unit": "1", "shape": "scalar", "location": "class",
                         "scale": 1.0}],
        },
        "architecture": {
            "name": TYPE, "hyper": {"length": kernel.length, "classes": classes, "at": found.at},
            "parameters": int(sum(a.size for a in arrays.values())),
        },
        "units": "SI", "normalisation": {}, "licence": "as the data of the training",
        "domain": {"cells": [], "size": [], "unit": "m", "end_points": []},
        **about,
    }  # fmt: skip
    return store.save(path, metadata, weights, pair)


def load(path: Path, sha256: str, comm: Comm) -> Recommendation:
    """Read the bundle. Collective.

    Raises
    ------
    InputError
        On all ranks, if it is missing, altered, of another kind, or answers its golden pair otherwise.
    """
    from plexus.bundles import store
    from plexus.bundles.golden import replay

    bundle = store.load(path, sha256, comm)
    told = bundle.metadata
    if (told["kind"], told["type"]) != (KIND, TYPE):
        raise InputError(f"{path}: this is a {told['kind']} {told['type']}, no {KIND} by {TYPE}")
    arrays = {name: a.numpy() for name, a in bundle.weights.items()}
    hyper, port = told["architecture"]["hyper"], told["ports"]["inputs"][0]
    model = Nearness()
    model.top.weights, model.kernel.length = arrays["top"], float(hyper["length"])
    model.kernel.turn, model.kernel.z = arrays["turn"], arrays["members"]
    model.kernel.weights = arrays["weights"]
    scales = {name: arrays[name] for name in ("places", "mean", "deviation", "low", "high")}
    found = Recommendation(port["name"], port["unit"], float(hyper["at"]), model=model, **scales)

    def answered(given: Mapping[str, Any]) -> Mapping[str, Any]:
        import torch

        rows = [found.probabilities(row) for row in given["values"].numpy()]
        return {"probabilities": torch.from_numpy(np.array(rows))}

    if bundle.golden is not None:
        replay(str(path), bundle.golden, answered, comm)
    return found


def training(deck: str, seed: int, members: int) -> dict[str, Any]:
    """Return the field ``training`` of a bundle."""
    return {
        "generator": "plexus reduce", "version": __version__, "parameters": {}, "seeds": [], "seed": seed,
        "deck": {"name": deck, "members": members},
    }  # fmt: skip
