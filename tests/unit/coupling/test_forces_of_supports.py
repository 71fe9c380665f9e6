"""Forces of supports that meet at any angle: a homogeneous stress σ in a block with plane sides.

Each side bears σ n A, whatever its nodes share with others. u = (ε + ω) x with ε of σ by Hooke's law is
affine, so that elements of any degree hold it, and the values of all supports follow from it.
"""

from __future__ import annotations

import math
from itertools import combinations_with_replacement, pairwise

import numpy as np
import pytest

pytestmark = pytest.mark.mpi
SIDES = {"left": (0, -1), "right": (0, 1), "bottom": (1, -1), "top": (1, 1), "back": (2, -1), "front": (2, 1)}
"""Axis of the box and direction along it, before it is sheared."""
DECK = """
plexus: 1
mesh: {{type: box, cell: {cell}, cells: {cells}, map: [{map}]}}
physics:
  {{type: elasticity, degree: {degree}{section}, material: {{young_modulus: 1 kPa, poisson_ratio: 0.3}}}}
solver: {{displacement: {{preconditioner: lu}}}}
boundary:
{boundary}
quantities:
{quantities}
"""
SKEW = {
    2: np.array([[1.0, -0.7], [0.4, 1.1]]),
    3: np.array([[1.0, -0.5, 0.3], [0.2, 1.2, 0.4], [-0.3, 0.1, 0.9]]),
}
TURNED = {
    2: np.array([[math.cos(0.6), -math.sin(0.6)], [math.sin(0.6), math.cos(0.6)]]),
    3: np.linalg.qr(SKEW[3])[0],
}
COMPONENTS = ("displacement_x", "displacement_y", "displacement_z")


def linear(row) -> str:
    """Return a row times (x, y, z) as an expression."""
    return '"' + " + ".join(f"({q:.17g})*{a}" for q, a in zip(row, "xyz", strict=False)) + '"'


def a_stress(free: list[tuple[np.ndarray, np.ndarray]], dim: int) -> np.ndarray:
    """Return a stress [Pa] that pulls at no side n along the directions (r, d) that are free there."""
    pairs = list(combinations_with_replacement(range(dim), 2))
    basis = np.zeros((len(pairs), dim, dim))
    for b, (i, j) in zip(basis, pairs, strict=True):
        b[i, j] = b[j, i] = 1.0
    rows = [np.einsum("ri,bij,j->rb", directions, basis, n) for n, directions in free]
    _, size, modes = np.linalg.svd(np.concatenate(rows))
    rank = int((size > 1e-10).sum())
    assert rank < len(pairs), "no stress goes with these supports"
    chosen = modes[rank:]
    return np.einsum("b,bij->ij", np.arange(3.0, 3.0 + len(chosen)) @ chosen, basis)


def block(
    cell: str, degree: int, shape: np.ndarray, supports: dict[str, str]
) -> tuple[str, dict[str, float]]:
    """Return the deck of a block whose sides in ``supports`` hold n·u or a component, and their forces."""
    dim = len(shape)
    sides = {name: place for name, place in SIDES.items() if place[0] < dim}
    cofactors = abs(np.linalg.det(shape)) * np.linalg.inv(shape)
    areas = {name: sign * cofactors[axis] for name, (axis, sign) in sides.items()}
    normals = {name: area / np.linalg.norm(area) for name, area in areas.items()}
    held = {
        name: normals[name] if kind == "normal" else np.eye(dim)[COMPONENTS.index(kind)]
        for name, kind in supports.items()
    }
    stress = a_stress([(normals[k], np.eye(dim) - np.outer(d, d)) for k, d in held.items()], dim)
    trace = np.trace(stress) * (1.3 if dim == 2 else 1.0)  # plane strain: σ_z = ν (σ_x + σ_y)
    strain = (1.3 * stress - 0.3 * trace * np.eye(dim)) / 1000
    spin = np.triu(np.full((dim, dim), 2e-3), 1)
    move = strain + spin - spin.T
    boundary = [f"{{on: {name}, {kind}: {linear(held[name] @ move)}}}" for name, kind in supports.items()] + [
        f"{{on: {name}, traction: [{', '.join(f'{t:.17g}' for t in stress @ n)}]}}"
        for name, n in normals.items()
        if name not in supports
    ]
    quantities = [
        f"{name}_{c}: {{type: reaction, of: displacement, on: {name}, component: {c}}}"
        for name in supports
        for c in "xyz"[:dim]
    ]
    deck = DECK.format(
        cell=cell, degree=degree, map=", ".join(map(linear, shape)), cells=[3, 2, 2][:dim],
        section=", geometry: plane_strain" if dim == 2 else "",
        boundary="\n".join(f"  - {row}" for row in boundary),
        quantities="\n".join(f"  {row}" for row in quantities),
    )  # fmt: skip
    forces = {name: zip("xyz", stress @ areas[name], strict=False) for name in supports}
    return deck, {f"{name}_{c}": f for name, force in forces.items() for c, f in force}


CORNERS = {
    "skew sides": ("skew", {"left": "normal", "bottom": "normal"}),
    "all sides of a skew block": ("skew", dict.fromkeys(SIDES, "normal")),
    "a turned block": ("turned", {"left": "normal", "bottom": "normal", "top": "normal", "back": "normal"}),
    "a normal and a component": ("skew", {"left": "displacement_x", "bottom": "normal"}),
    "components of skew sides": ("skew", {"left": "displacement_x", "bottom": "displacement_y"}),
}
SOLID = {
    "edges and corner of a skew block": ("skew", {"left": "normal", "bottom": "normal", "back": "normal"}),
    "a turned corner": (
        "turned",
        {"left": "normal", "bottom": "normal", "back": "normal", "front": "normal"},
    ),
    "a normal and a component": ("skew", {"left": "normal", "bottom": "displacement_y"}),
}


@pytest.mark.parametrize(("cell", "degree"), [("quadrilateral", 1), ("triangle", 2)])
@pytest.mark.parametrize("case", CORNERS)
def test_each_side_of_a_plate_bears_its_own_force(make_run, cell, degree, case):
    shape, supports = CORNERS[case]
    here = {name: kind for name, kind in supports.items() if SIDES[name][0] < 2}
    bears(make_run, *block(cell, degree, {"skew": SKEW, "turned": TURNED}[shape][2], here))


@pytest.mark.parametrize(("cell", "degree"), [("hexahedron", 1), ("tetrahedron", 1), ("tetrahedron", 2)])
@pytest.mark.parametrize("case", SOLID)
def test_each_side_of_a_block_bears_its_own_force(make_run, cell, degree, case):
    shape, supports = SOLID[case]
    bears(make_run, *block(cell, degree, {"skew": SKEW, "turned": TURNED}[shape][3], supports))


def reactions(run) -> dict[str, float]:
    """Solve and return the quantities."""
    run.execute()
    return {name: quantity.evaluate(run) for name, quantity in run.quantities.items()}


def bears(make_run, deck: str, wanted: dict[str, float]) -> None:
    """Assert that the supports of a deck bear these forces."""
    assert reactions(make_run(deck)) == pytest.approx(wanted, abs=1e-8 * max(map(abs, wanted.values())))


KINK = """
plexus: 1
mesh: {{type: box, cell: quadrilateral, cells: [8, 8],
  map: [x, "y + where(x > 0.5, {slope}*(x - 0.5), 0)*(1 - y)"],
  boundaries: {{one: "x < 0.5 and y < 1e-4", two: "x > 0.5 and y < {slope}*(x - 0.5) + 1e-4"}}}}
physics: {{type: elasticity, geometry: plane_strain, material: {{young_modulus: 1 kPa, poisson_ratio: 0.3}}}}
boundary:
  - {{on: one, normal: 0}}
  - {{on: two, normal: 0}}
  - {{on: left, displacement_x: 0}}
  - {{on: top, traction: ["3*x", "-1 + 3*x"]}}
quantities:
  one: {{type: reaction, of: displacement, on: one, component: y}}
  two: {{type: reaction, of: displacement, on: two, component: y}}
"""


@pytest.mark.parametrize("slope", [0.1, 0.01, 1e-3])
def test_planes_that_are_nearly_parallel_bear_what_one_plane_bears(make_run, slope):
    """The load is 1/2 upwards; two planes 0.06 degrees apart would multiply the force of the pin by 1000."""
    flat, kinked = (reactions(make_run(KINK.format(slope=s))) for s in (1e-9, slope))
    assert kinked["one"] + kinked["two"] == pytest.approx(-0.5, rel=1e-9)
    assert kinked == pytest.approx(flat, abs=0.1)


PATCHES = """
plexus: 1
mesh: {{type: box, cell: {cell}, cells: [4, 16], degree: 2, size: [1, 1.2],
  map: [(1 + x)*cos(0.1 + y), (1 + x)*sin(0.1 + y)],
  boundaries: {{one: "x^2 + y^2 < 1.01 and y < x*tan(0.7)", two: "x^2 + y^2 < 1.01 and y > x*tan(0.7)"}}}}
physics: {{type: elasticity, degree: 2, geometry: plane_strain,
  material: {{young_modulus: 1 kPa, poisson_ratio: 0.3}}}}
boundary:
  - {{on: [bottom, top], normal: 0}}
  - {{on: [one, two], normal: 0}}
  - {{on: right, pressure: -1}}
quantities:
  x1: {{type: reaction, of: displacement, on: one, component: x}}
  y1: {{type: reaction, of: displacement, on: one, component: y}}
  x2: {{type: reaction, of: displacement, on: two, component: x}}
  y2: {{type: reaction, of: displacement, on: two, component: y}}
"""


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
def test_patches_of_a_curved_support_bear_their_parts_of_lames_pressure(make_run, cell):
    """u = c (r - 1/r) holds the rim r = 1, σ_r = c (2λ + 2μ (1 + 1/r²)), and σ_r(2) = 1 tells c."""
    lame, shear = 1000 * 0.3 / (1.3 * 0.4), 1000 / 2.6
    pull = (2 * lame + 4 * shear) / (2 * lame + 2.5 * shear)
    edges = 0.1, 0.7, 1.3
    wanted = {
        f"{c}{i}": pull * (f(a) - f(b))
        for c, f in (("x", math.sin), ("y", lambda t: -math.cos(t)))
        for i, (a, b) in enumerate(pairwise(edges), 1)
    }
    assert reactions(make_run(PATCHES.format(cell=cell))) == pytest.approx(wanted, abs=2e-3)
