"""The reduced rule on simplices of degree 2 keeps the orders, and is refused where it leaves motions free."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import study

from plexus.errors import InputError
from plexus.physics.elastoviscoplastic import manufactured

CASES = {case.name: case for case in manufactured()}
SIZES = {
    "plane_strain": ("triangle", 4, 8),
    "axisymmetric": ("triangle", 4, 8),
    "solid": ("tetrahedron", 2, 4),
}


@pytest.mark.parametrize("name", SIZES)
def test_order(name):
    cell, coarse, fine = SIZES[name]
    full = CASES[name]
    case = replace(full, physics={**full.physics, "quadrature": "reduced"})
    a, b = (study.solved(case, cell, 2, n) for n in (coarse, fine))
    whole = study.solved(full, cell, 2, fine)
    for norm, least in (("L2", 2.9), ("H1", 1.9)):
        label = f"displacement_{norm}"
        assert math.log(a[label] / b[label]) / math.log(fine / coarse) >= least
        assert b[label] <= 1.5 * whole[label] and b[label] != whole[label]


def test_with_the_cure_against_locking():
    """Means over straight cells are exact at both rules; what is left is that of the law, of higher order."""
    full = CASES["plane_strain"]
    cured = replace(full, physics={**full.physics, "locking": "b_bar"})
    less = replace(full, physics={**cured.physics, "quadrature": "reduced"})
    plain, a, b = (study.solved(case, "triangle", 2, 4)["displacement_H1"] for case in (full, cured, less))
    assert b == pytest.approx(a, rel=0.02) and b != a
    assert abs(a - plain) > 5 * abs(b - a)


@pytest.mark.parametrize(
    ("cell", "changes", "text"),
    [
        ("triangle", {"degree": 1}, "triangle cells of degree 1 it leaves motions without stiffness"),
        ("quadrilateral", {"degree": 2}, "quadrilateral cells of degree 2 it leaves motions"),
    ],
)
def test_it_is_refused_elsewhere(tmp_path, cell, changes, text):
    law = {"type": "j2", "young_modulus": 1, "poisson_ratio": 0.3, "yield_stress": 1}
    data = {
        "plexus": 1,
        "mesh": study.mesh(cell, 2),
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "law": law,
                    "quadrature": "reduced", **changes},
        "boundary": [{"on": "left", "displacement": [0, 0]}],
        "time": {"stepper": "quasistatic", "step": 1, "end": 1},
    }  # fmt: skip
    with pytest.raises((ValueError, InputError), match=text):
        study.solve(data, tmp_path)
