"""A cube of tetrahedra: energies of known fields, the same rows in any shares, couplings of both signs."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from plexus import registry
from plexus.errors import InputError

CELLS = [5, 5, 5]


def drawn(**given):
    """Return a problem, its layout on one rank, its system, and its matrix."""
    member = registry.component("problem", "tetrahedra")
    problem = member.cls(member.params.model_validate({"cells": CELLS, "seed": 4} | given))
    layout = problem.layout(MPI.COMM_SELF)
    system = problem.system(layout, 0.0)
    n = len(system.rhs)
    full = np.zeros((n, n))
    full[np.repeat(np.arange(n), np.diff(system.pointer)), system.columns] = system.values
    return problem, layout, system, full


def test_the_energy_of_a_linear_field_is_that_of_the_cube():
    _, layout, _, full = drawn(contrast=1.0)
    z = layout.points[:, 2]
    assert z @ full @ z == pytest.approx(1.0, rel=1e-12)


def test_stretching_a_cube_costs_the_modulus_of_a_held_side():
    """E (1 - ν)/((1 + ν)(1 - 2ν)) for a strain along z alone."""
    _, layout, _, full = drawn(contrast=1.0, equation="elasticity")
    u = np.zeros((len(layout.points), 3))
    u[:, 2] = layout.points[:, 2]
    assert u.ravel() @ full @ u.ravel() == pytest.approx(0.7 / (1.3 * 0.4), rel=1e-12)


def test_rigid_motions_cost_nothing_away_from_the_held_side():
    _, layout, system, full = drawn(equation="elasticity")
    free = np.repeat(layout.points[:, 2] > 0.5, 3)
    forces = (full @ system.near)[free]
    assert np.abs(forces).max() <= 1e-12 * np.abs(full).max()


@pytest.mark.parametrize("equation", ["diffusion", "elasticity"])
def test_matrices_are_symmetric_and_positive_definite(equation):
    problem, layout, system, full = drawn(equation=equation)
    assert np.array_equal(full, full.T)
    assert np.linalg.eigvalsh(full)[0] > 0
    off = full - np.diag(np.diag(full))
    assert off.min() < 0 < off.max()
    outline = problem.outline()
    assert len(system.rhs) == outline.blocks * outline.components
    assert len(system.values) <= outline.entries
    assert problem.layout(MPI.COMM_SELF).n_owned == layout.n_owned


@pytest.mark.parametrize("equation", ["diffusion", "elasticity"])
def test_shares_are_rows_of_the_whole(equation):
    problem, layout, whole, _ = drawn(equation=equation)
    cut, parts = 61, []
    for first, last in ((0, cut), (cut, layout.n_owned)):
        points = layout.points[first:last]
        parts.append(problem.system(replace(layout, offset=first, n_owned=last - first, points=points), 0.0))
    for name in ("columns", "values", "rhs"):
        both = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(both, getattr(whole, name))


def test_a_body_that_is_no_cube_is_refused():
    with pytest.raises((InputError, ValueError), match="three equal numbers"):
        drawn(cells=[4, 4, 5])
