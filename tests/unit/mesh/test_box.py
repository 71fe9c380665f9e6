"""Boxes and intervals on one rank: sizes, names, grading, maps, and how blocks are cut."""

import numpy as np
import pytest
from mesh_cases import CELLS, DIM, area, assert_valid, box, content, euler, volume
from mpi4py import MPI

from plexus.deck.context import Context
from plexus.errors import InputError
from plexus.mesh.lattice import split
from plexus.mesh.sources.box import Box, BoxParams, bisect, graded_ticks
from plexus.mesh.sources.interval import Interval, IntervalParams
from plexus.spaces.lagrange import Space

SELF = MPI.COMM_SELF


def source(cell, cells, periodic=(), **params):
    if cell == "line":
        return Interval(IntervalParams(cells=cells[0], periodic="x" in periodic, **params))
    return Box(BoxParams(cell=cell, cells=cells[: DIM[cell]], periodic=periodic, **params))


def build(**params):
    return Box(BoxParams(**params)).build(SELF)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_box_is_valid(cell, degree, periodic):
    mesh = box(SELF, cell, degree, periodic)
    whole = assert_valid(mesh)
    assert euler(mesh.reference, whole) == (0 if periodic else 1)
    assert np.isclose(volume(mesh.reference, whole), (1, 2, 6)[mesh.dim - 1])


def test_sides_are_where_their_names_say():
    mesh = build(cell="hexahedron", cells=[2, 3, 4], size=[1, 2, 3], origin=[5, 6, 7])
    places = {
        "left": (0, 5),
        "right": (0, 6),
        "bottom": (1, 6),
        "top": (1, 8),
        "back": (2, 7),
        "front": (2, 10),
    }
    for name, (axis, value) in places.items():
        pairs = mesh.boundaries[name]
        nodes = np.take_along_axis(mesh.cells[pairs[:, 0]], mesh.reference.facets[pairs[:, 1]], 1)
        assert np.allclose(mesh.points[nodes][..., axis], value), name
    assert np.isclose(area(mesh.reference, content(mesh), "right"), 6)
    assert np.isclose(area(mesh.reference, content(mesh), "exterior"), 22)


@pytest.mark.parametrize("cell", CELLS)
def test_estimate_is_exact(cell):
    made = source(cell, [3, 4, 5], degree=2, refine=1)
    guess, mesh = made.estimate(), made.build(SELF)
    assert (guess.n_cells, guess.n_points) == (mesh.n_global_cells, len(mesh.points))
    assert set(guess.boundaries) == set(mesh.boundaries)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("periodic", [[], ["x"]])
def test_nodes_of_thin_boxes_are_counted(cell, periodic):
    made = source(cell, [20, 1, 1], periodic)
    mesh = made.build(SELF)
    for degree in (1, 2):
        assert made.estimate().nodes[degree - 1] == Space(mesh, degree).n_global


def test_interval_is_graded_mapped_and_named():
    params = {"cells": 8, "size": 2, "origin": 1, "grading": 4, "refine": 1, "map": "x^2",
              "regions": {"near": "x < 4"}, "boundaries": {"far": "x > 8"}}  # fmt: skip
    mesh = Interval(IntervalParams.model_validate(params, context=Context())).build(SELF)
    whole = assert_valid(mesh)
    x = np.sort(np.unique(mesh.points[:, 0]))
    assert np.allclose(x, (1 + 2 * bisect(graded_ticks(8, 4), 1)) ** 2)
    assert np.isclose(volume(mesh.reference, whole, "near"), x[x < 4.5].max() - 1, atol=0.4)
    assert np.array_equal(whole["boundary far"], whole["boundary right"])
    assert area(mesh.reference, whole, "left") == area(mesh.reference, whole, "far") == 1


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"cells": 2, "periodic": True}, "at least 3 cells"),
        ({"cells": 4, "regions": {"hot": "y < 1"}}, "unknown name 'y'"),
        ({"cells": 4, "boundaries": {"right": "x > 0"}}, "boundary right already"),
    ],
)
def test_wrong_intervals_are_refused(params, words):
    with pytest.raises(ValueError, match=words):
        IntervalParams.model_validate(params, context=Context())


def test_grading_is_the_ratio_of_the_last_gap_to_the_first():
    gaps = np.diff(graded_ticks(7, 5.0))
    assert np.isclose(gaps[-1] / gaps[0], 5)
    assert np.allclose(gaps[1:] / gaps[:-1], gaps[1] / gaps[0])
    assert np.allclose(bisect(graded_ticks(7, 5.0), 2)[::4], graded_ticks(7, 5.0))


def test_map_bends_the_box():
    mesh = build(cell="quadrilateral", cells=[6, 24], degree=2,
                 map=["(1 + x) * cos(pi/2 * y)", "(1 + x) * sin(pi/2 * y)"])  # fmt: skip
    right = mesh.boundaries["right"]
    nodes = np.take_along_axis(mesh.cells[right[:, 0]], mesh.reference.facet_nodes(2)[right[:, 1]], 1)
    assert np.allclose(np.linalg.norm(mesh.points[nodes], axis=-1), 2)
    assert np.isclose(volume(mesh.reference, content(mesh)), 0.75 * np.pi, rtol=1e-3)


def test_conditions_name_regions_and_boundaries():
    mesh = build(cell="tetrahedron", cells=[4, 4, 4], regions={"inner": "x < 0.5 and z < 0.5"},
                 boundaries={"patch": "z == 1 and y > 0.5"})  # fmt: skip
    whole = assert_valid(mesh)
    assert np.isclose(volume(mesh.reference, whole, "inner"), 0.25)
    assert np.isclose(area(mesh.reference, whole, "patch"), 0.5)


def test_map_that_turns_cells_inside_out_is_refused():
    with pytest.raises(InputError, match=r"mesh\.map"):
        build(cell="triangle", cells=[2, 2], map=["-x", "y"])


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"cell": "triangle", "cells": [2, 2, 2]}, "needs 2 entries in cells"),
        ({"cell": "triangle", "cells": [2, 2], "size": [1]}, "size needs 2 entries"),
        ({"cell": "triangle", "cells": [2, 4], "periodic": ["x"]}, "at least 3 cells"),
        ({"cell": "triangle", "cells": [4, 4], "periodic": ["z"]}, "axis z"),
        ({"cell": "triangle", "cells": [4, 4], "regions": {"hot": "t < 1"}}, "unknown name 't'"),
        ({"cell": "triangle", "cells": [4, 4], "boundaries": {"left": "x < 1"}}, "boundary left already"),
    ],
)
def test_wrong_parameters_are_refused(params, words):
    with pytest.raises(ValueError, match=words):
        BoxParams.model_validate(params, context=Context())


def test_blocks_are_cut_where_the_surface_is_smallest():
    assert split(8, (40, 40, 40), (False,) * 3) == (2, 2, 2)
    assert split(4, (100, 10, 10), (False,) * 3) == (4, 1, 1)
    assert split(4, (40, 40), (False,) * 2) == (2, 2)
    assert split(2, (40, 40), (True, False)) == (1, 2)
    assert split(3, (2, 2, 9), (False,) * 3) == (1, 1, 3)


@pytest.mark.parametrize("cells", [(10**8, 10**8), (2**20, 2**20)])
def test_a_box_beyond_the_memory_is_refused(cells):
    with pytest.raises(InputError, match=r"mesh\.cells: .* GB on each of 1 rank, and this machine has"):
        Box(BoxParams(cell="quadrilateral", cells=cells)).build(MPI.COMM_SELF)
