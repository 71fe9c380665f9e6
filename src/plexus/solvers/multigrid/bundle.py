"""The networks of a learned multigrid in one file: weights, range of the features, what they are for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.bundles import container, plain
from plexus.bundles.golden import Pair, replay
from plexus.errors import InputError, at_path
from plexus.solvers.multigrid.network import (
    EDGE,
    ENDS,
    FEATURES,
    FLOW,
    HIDDEN,
    MIXED,
    NARROW,
    SHAPES,
    Network,
)

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.solvers.multigrid.hierarchy import Settings

KIND, TYPE = "preconditioner", "learned_multigrid"
AGREE = 1e-9


@lru_cache
def trained_for(path: str) -> dict[str, Any]:
    """Return cycle, degree and the like of the multigrid that a bundle was trained with; one process reads.

    Raises
    ------
    InputError
        If the file is no sound bundle of this kind.
    """
    metadata = container.read(path).metadata
    with at_path(path):
        _this_kind(metadata)
    return dict(metadata["multigrid"])


def _this_kind(metadata: Mapping[str, Any]) -> None:
    if (metadata["kind"], metadata["type"]) != (KIND, TYPE):
        told = f"{metadata['kind']} {metadata['type']}"
        raise InputError(f"kind: this is a bundle of a {told}, not of a {KIND} {TYPE}")


def load(path: str | Path, sha256: str | None = None, comm: Comm | None = None) -> Network:
    """Return the networks of a bundle. Collective.

    Raises
    ------
    InputError
        On all ranks, if the file is no sound bundle, is altered, of another kind or other sizes.
    """
    read = plain.load(path, sha256, comm)
    with at_path(str(path)):
        _this_kind(read.metadata)
        _completed(read.weights)
        for name, shape in {**SHAPES, "low": (len(FEATURES),), "high": (len(FEATURES),)}.items():
            have = read.weights.get(name)
            if have is None or have.shape != shape or have.dtype != np.float64:
                raise InputError(f"weights: {name} must be float64 {shape}")
        weights = {name: read.weights[name] for name in SHAPES}
        network = Network(weights, read.weights["low"], read.weights["high"])
        if read.golden is not None:
            replay(TYPE, read.golden, lambda given: _answers(network, given), comm)
    return network


def _completed(weights: dict[str, np.ndarray]) -> None:
    """Let networks that tell ends of intervals alone mix nothing, and those without flows look at none."""
    first = weights.get("edge.0.weight")
    if first is not None and first.shape == (HIDDEN, FLOW):
        weights["edge.0.weight"] = np.insert(first, FLOW, 0.0, axis=1)
        for name, bound in (("low", -np.inf), ("high", np.inf)):
            weights[name] = np.insert(weights[name], FLOW, bound)
    for name in ("level.2.weight", "level.2.bias"):
        told = weights.get(name)
        if told is not None and len(told) == ENDS:
            weights[name] = np.concatenate([told, np.zeros((MIXED, *told.shape[1:]))])


def golden(network: Network) -> Pair:
    """Return features inside the range, and what is answered to them."""
    import torch

    share = np.random.default_rng(0).uniform(size=(16, len(FEATURES)))
    low, high = np.nan_to_num(network.low, neginf=-1.0), np.nan_to_num(network.high, posinf=1.0)
    x = low + share * (high - low)
    given = {"features": x[:, :EDGE].copy(), "texture": x[:, EDGE:].copy()}
    inputs, outputs = (
        {k: torch.from_numpy(v) for k, v in side.items()} for side in (given, _answers(network, given))
    )
    return Pair(inputs, outputs, AGREE)


def _answers(network: Network, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
    x, y = np.asarray(given["features"]), np.asarray(given["texture"])
    x = np.pad(x, ((0, 0), (0, EDGE - x.shape[1])))
    told = np.stack([network.level(row) for row in y])
    return {"factor": network.factors(x), "ends": told[:, :ENDS], "mixed": told[:, ENDS:]}


def described(network: Network, settings: Settings, box: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Return the fields of the bundle that say what the networks are."""
    count = sum(value.size for value in network.weights.values())

    def port(name: str) -> dict[str, Any]:
        return {"name": name, "unit": "1", "shape": "scalar", "location": "entry", "scale": 1.0}

    return {
        "kind": KIND, "type": TYPE,
        "ports": {"inputs": [port("features"), port("texture")],
                  "outputs": [port("factor"), port("ends"), port("mixed")]},
        "architecture": {"name": "mlp", "hyper": {"hidden": HIDDEN, "narrow": NARROW}, "parameters": count},
        "units": "all numbers are without dimension", "normalisation": {},
        "box": {n: {"low": low, "high": high, "unit": "1"} for n, (low, high) in box.items()},
        "multigrid": {"cycle": settings.cycle, "degree": settings.degree, "theta": settings.theta,
                      "over_correction": settings.over_correction, "block": settings.block},
    }  # fmt: skip
