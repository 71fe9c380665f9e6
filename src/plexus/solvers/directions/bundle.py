"""The network of directions in one file: its weights, and the plan that it was made by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from plexus.bundles import store
from plexus.bundles.golden import TOLERANCE, Pair, replay
from plexus.errors import InputError, at_path
from plexus.nets.directions import FORMS, LEVELS, PROFILES, Directions, Plan

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

KIND, TYPE = "preconditioner", "directions"
CELLS = (8, 9, 10)
"""Grid of the golden pair."""


def load(path: str | Path, sha256: str | None = None, comm: Comm | None = None) -> Directions:
    """Return the network of a bundle. Collective.

    Raises
    ------
    InputError
        On all ranks, if the file is no sound bundle, is altered, of another kind or of other sizes.
    """
    read = store.load(path, sha256, comm)
    with at_path(str(path)):
        told = read.metadata
        if (told["kind"], told["type"]) != (KIND, TYPE):
            raise InputError(
                f"kind: this is a bundle of a {told['kind']} {told['type']}, not of a {KIND} {TYPE}"
            )
        network = Directions(_plan(told["architecture"]["hyper"]))
        wanted = {name: value.shape for name, value in network.state_dict().items()}
        for name, shape in wanted.items():
            have = read.weights.get(name)
            if have is None or have.shape != shape or have.dtype != torch.float32:
                raise InputError(f"weights: {name} must be float32 {tuple(shape)}")
        network.load_state_dict({name: read.weights[name] for name in wanted})
        if read.golden is not None:
            replay(TYPE, read.golden, lambda given: answers(network, given), comm)
    return network


def _plan(hyper: Mapping[str, Any]) -> Plan:
    """Return the plan of a network."""
    given: dict[str, Any] = {name: hyper.get(name) for name in Plan._fields}
    found = Plan(**given)
    whole = all(isinstance(n, int) for n in (found.channels, found.levels))
    known = found.profile in PROFILES and found.form in FORMS
    if not (known and whole and 1 <= found.channels <= 256 and 2 <= found.levels <= LEVELS):
        raise InputError(f"architecture.hyper: no such network: {dict(hyper)}")
    return found


def answers(network: Directions, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a network answers, by port."""
    like = next(network.parameters())
    with torch.no_grad():
        return {"direction": network(given["residual"].to(like)).cpu()}


def golden(network: Directions) -> Pair:
    """Return a residual, and what is answered to it."""
    draw = torch.randn((1, *CELLS), generator=torch.Generator().manual_seed(0))
    given = {"residual": draw / draw.norm()}
    return Pair(given, answers(network, given), TOLERANCE)


def described(plan: Plan) -> dict[str, Any]:
    """Return the fields of the bundle that say what the network is."""

    def port(name: str) -> dict[str, Any]:
        return {"name": name, "unit": "1", "shape": "scalar", "location": "cell", "scale": 1.0}

    return {
        "kind": KIND, "type": TYPE,
        "ports": {"inputs": [port("residual")], "outputs": [port("direction")]},
        "architecture": {"name": "convolutions", "hyper": plan._asdict(), "parameters": plan.parameters},
        "units": "residuals of norm one", "normalisation": {}, "box": {},
    }  # fmt: skip
