"""Cells whose det J is not positive everywhere are refused, with their number and place."""

from __future__ import annotations

from pathlib import Path

import case_runs
import numpy as np
import pytest

from plexus.mesh.cells import reference
from plexus.mesh.element import element
from plexus.mesh.folded import folded

CASE = "08_negative_jacobian"
WORDS = ("mesh.msh:35: element 2 is degenerate or folded", "(0.3333, 0.4083) m")
SHAPES = [("line", 2), ("triangle", 1), ("triangle", 2), ("quadrilateral", 1), ("quadrilateral", 2),
          ("tetrahedron", 2), ("hexahedron", 1), ("hexahedron", 2)]  # fmt: skip


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_a_bulging_triangle_is_refused(ranks: int, tmp_path: Path) -> None:
    case_runs.run(CASE, tmp_path, ranks=ranks).refused(*WORDS)


def test_check_refuses_it_too(tmp_path: Path) -> None:
    outcome = case_runs.check(CASE, tmp_path)
    outcome.refused(*WORDS)
    assert "good" not in outcome.said


def test_a_mesh_is_not_converted_with_it(tmp_path: Path) -> None:
    here = case_runs.copied(CASE, tmp_path)
    code, said = case_runs.command(here, "mesh", "convert", "mesh.msh", "mesh.h5")
    assert code == 2 and WORDS[0] in said and not (here / "mesh.h5").exists()


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_a_map_that_folds_cells_between_their_corners(ranks: int, tmp_path: Path) -> None:
    bulge = "mesh={type: box, cell: CELL, cells: [1, 1], degree: 2, map: [x, 'y + 4.5*(1 - y)*x*(1 - x)']}"
    for cell in ("quadrilateral", "triangle"):
        given = ("-s", bulge.replace("CELL", cell), "-s", "boundary.0.on=left")
        case_runs.run(CASE, tmp_path, *given, ranks=ranks).refused("mesh.map", "inside out", ") m")


def test_check_maps_the_box_as_well(tmp_path: Path) -> None:
    """Quarter-point cells: a square in the map makes det J vanish on one side, where stresses are taken."""
    square = "mesh={type: box, cell: quadrilateral, cells: [4, 2], degree: 2, map: [x^2, y]}"
    outcome = case_runs.check(CASE, tmp_path, "-s", square, "-s", "boundary.0.on=left")
    outcome.refused("mesh.map", "inside out", ") m")
    assert "good" not in outcome.said


@pytest.mark.parametrize(("shape", "degree"), SHAPES)
def test_the_verdict_is_that_of_many_points(shape: str, degree: int) -> None:
    cell, rng = reference(shape), np.random.default_rng(3)
    n = 200
    x = cell.nodes(degree) + rng.uniform(-1, 1, (n, 1, 1)) * 0.6 * rng.uniform(
        -1, 1, (n, cell.n_nodes(degree), cell.dim)
    )
    steps = np.linspace(0, 1, {1: 200, 2: 40, 3: 17}[cell.dim])
    at = np.stack(np.meshgrid(*[steps] * cell.dim), axis=-1).reshape(-1, cell.dim)
    at = at[at.sum(axis=1) <= 1 + 1e-12] if cell.simplex else at
    _, dphi = element(shape, degree).tabulate(at)
    least = np.array([np.linalg.det(np.einsum("ai,kaj->kij", cell_x, dphi)).min() for cell_x in x])
    bad = folded(cell, degree, x)
    assert 0 < bad.mean() < 1
    # what falls between two lattices is a hair below zero
    assert bad[least < 0].all() and not bad[least > 0.03].any()
