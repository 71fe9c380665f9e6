"""Runs manufactured cases on boxes and measures errors; as a script, a set of cases on several ranks."""

from __future__ import annotations

import importlib
import json
import math
import sys
from pathlib import Path
from typing import Any

from plexus import registry
from plexus.formulation.manufactured import Manufactured
from plexus.mesh.cells import reference

CELLS = {1: ("line",), 2: ("triangle", "quadrilateral"), 3: ("tetrahedron", "hexahedron")}
SIZES = {1: (24, 48), 2: (8, 16), 3: (3, 6)}
ON_RANKS = [
    ("diffusion", "variable"),
    ("elasticity", "plane_strain"),
    ("elasticity", "solid"),
    ("elasticity", "bar"),
    ("cahn_hilliard", "splitting"),
]
"""Cases that are also run on three ranks."""
_SOLVED: dict[str, dict[str, float]] = {}
"""Decks -> their quantities."""


def all_cases() -> dict[tuple[str, str], Manufactured]:
    """Return every manufactured case in the registry by (model, case name)."""
    found = {}
    for name in registry.names("physics"):
        module = importlib.import_module(registry.component("physics", name).cls.__module__)
        for case in getattr(module, "manufactured", list)():
            found[name, case.name] = case
    return found


def deck(case: Manufactured, cell: str, degree: int, n: int) -> dict[str, Any]:
    """Return the deck of a case on a box of n cubes per axis, away from the origin."""
    dim = reference(cell).dim
    exact = case.solution(dim)
    return {
        "plexus": 1,
        "mesh": mesh(cell, n),
        "physics": {"type": "manufactured", "model": case.physics, "exact": exact, "degree": degree},
        "boundary": [{"on": "exterior", **exact}],
        "solver": {"default": {"ksp": "preonly", "preconditioner": "lu", "snes_rtol": 1e-12}},
        "quantities": quantities(exact, dim),
        **({"initial": exact} if "time" in case.deck else {}),
        **case.deck,
    }


def mesh(cell: str, n: int) -> dict[str, Any]:
    """Return the mesh block of n cubes per axis, away from the origin."""
    dim = reference(cell).dim
    if dim == 1:
        return {"type": "interval", "cells": n, "origin": 0.5}
    return {"type": "box", "cell": cell, "cells": [n] * dim, "origin": [0.5] * dim}


def quantities(exact: dict[str, Any], dim: int) -> dict[str, Any]:
    """Return errors in L2 and H1 and the norm of every field."""
    found: dict[str, Any] = {}
    for name, value in exact.items():
        parts = [f"{name}_{axis}" for axis in "xyz"[:dim]] if isinstance(value, list) else [name]
        for norm in ("L2", "H1"):
            found[f"{name}_{norm}"] = {"type": "error", "of": name, "exact": value, "norm": norm}
        found[f"{name}_norm"] = {"type": "norm", "of": "sqrt(" + " + ".join(f"{p}^2" for p in parts) + ")"}
    return found


def solve(data: dict[str, Any], folder: Path) -> dict[str, float]:
    """Run a deck given as plain data and return its quantities. Collective."""
    from mpi4py import MPI

    from plexus.compose import compose
    from plexus.deck.schema import Deck
    from plexus.runtime import context

    deck = Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})
    run = compose(deck, context.create(MPI.COMM_WORLD, folder))
    run.observers = []
    run.execute()
    return {name: float(quantity.evaluate(run)) for name, quantity in run.quantities.items()}


def solved(case: Manufactured, cell: str, degree: int, n: int) -> dict[str, float]:
    """Return the quantities of a case, which several tests look at. Collective."""
    data = deck(case, cell, degree, n)
    text = json.dumps(data)
    if text not in _SOLVED:
        # nothing is written: the folder of the deck is only a name
        _SOLVED[text] = solve(data, Path("nowhere"))
    return _SOLVED[text]


def orders(case: Manufactured, cell: str, degree: int) -> dict[str, float]:
    """Return the observed order of every error between the two sizes."""
    coarse, fine = SIZES[reference(cell).dim]
    a, b = (solved(case, cell, degree, n) for n in (coarse, fine))
    return {k: math.log(a[k] / b[k]) / math.log(fine / coarse) for k in a if not k.endswith("_norm")}


def table() -> dict[str, dict[str, float]]:
    """Return the quantities of the cases of `ON_RANKS` for all elements on the coarse mesh. Collective."""
    cases, found = all_cases(), {}
    for key in ON_RANKS:
        for dim in cases[key].dimensions:
            for cell in CELLS[dim]:
                for degree in (1, 2):
                    label = "/".join([*key, cell, str(degree)])
                    found[label] = solved(cases[key], cell, degree, SIZES[dim][0])
    return found


if __name__ == "__main__":
    result = table()
    from mpi4py import MPI

    if MPI.COMM_WORLD.rank == 0:
        Path(sys.argv[1], "table.json").write_text(json.dumps(result))
