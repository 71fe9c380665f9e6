"""Orders of convergence beside a contact, where the solution jumps: every element, resistances that vary.

With g = 1, cos(1.5 y) or cos(1.5 y) exp(0.5 z), whose Laplacian is -λ g, and the contact at x = c,

    u_1 = sin(2 x) g,  u_2 = (sin 2c + B sin(x - c)) g + J,  B = 2 cos(2c) k_1/k_2,  J = 2 k_1 R_0 cos(2c)

have one flux q = -2 k_1 cos(2c) g there, and u_1 - u_2 = R q with R = R_0/g.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import study

C, R0, K1, K2 = 0.5, 0.4, 1.0, 3.0
SHAPES = {1: ("1", 0.0), 2: ("cos(1.5*y)", 2.25), 3: ("cos(1.5*y)*exp(0.5*z)", 2.0)}
RESISTANCES = {
    "varying": "{R0}/({g})",
    # as much at the solution, where the mean of both sides is sin(2c) g + J/2
    "of the mean": "{R0}/({g})*(2 + u)/(2 + {mean})",
}


def deck(cell: str, degree: int, n: int, resistance: str) -> dict[str, Any]:
    """Return the deck on n cubes per axis, the contact in the middle."""
    dim = study.reference(cell).dim
    g, laplace = SHAPES[dim]
    s, b, jump = math.sin(2 * C), 2 * math.cos(2 * C) * K1 / K2, 2 * K1 * R0 * math.cos(2 * C)
    one, wave = f"sin(2*x)*({g})", f"{b!r}*sin(x - {C})"
    two = f"({s!r} + {wave})*({g}) + {jump!r}"
    first = f"{K1 * (4 + laplace)!r}*{one}"
    second = f"{K2}*({wave}*{1 + laplace!r} + {s * laplace!r})*({g})"
    either = f"where(x < {C}, {one}, {two})"
    mesh = {"type": "interval", "cells": n} if dim == 1 else {"type": "box", "cell": cell, "cells": [n] * dim}
    names = {"one": f"x < {C}", "two": f"x > {C}"}
    return {
        "plexus": 1,
        "mesh": {**mesh, "regions": names, "boundaries": {f"outer_{k}": v for k, v in names.items()}},
        "physics": {
            "type": "diffusion", "degree": degree, "coefficient": {"regions": {"one": K1, "two": K2}},
            "source": {"regions": {"one": first, "two": second}},
        },
        "boundary": [
            {"on": "outer_one", "u": one},
            {"on": "outer_two", "u": two},
            {"on": "one|two", "contact": {"resistance": resistance.format(
                R0=R0, g=g, mean=f"{s!r}*({g}) + {jump / 2!r}")}},
        ],
        "solver": {"default": {"ksp": "preonly", "preconditioner": "lu", "snes_rtol": 1e-12}},
        "quantities": {n: {"type": "error", "of": "u", "exact": either, "norm": n} for n in ("L2", "H1")},
    }  # fmt: skip


@pytest.mark.parametrize("resistance", RESISTANCES)
@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("cell", [cell for cells in study.CELLS.values() for cell in cells])
def test_order(cell: str, degree: int, resistance: str, tmp_path: Path) -> None:
    coarse, fine = {1: (12, 24), 2: (8, 16), 3: (4, 8)}[study.reference(cell).dim]
    a, b = (study.solve(deck(cell, degree, n, RESISTANCES[resistance]), tmp_path) for n in (coarse, fine))
    for norm in ("L2", "H1"):
        order = math.log(a[norm] / b[norm]) / math.log(fine / coarse)
        assert order >= degree + (norm == "L2") - 0.1, f"{norm}: {a[norm]:.3g} to {b[norm]:.3g}"
