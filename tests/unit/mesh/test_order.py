"""Orders and matchings that the distribution is made of."""

import numpy as np
import pytest

from plexus.errors import InputError
from plexus.mesh.cells import CELLS
from plexus.mesh.exchange import ranges
from plexus.mesh.facets import find_facets, mates
from plexus.mesh.order import first_use, hilbert_keys


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_hilbert_curve_visits_neighbour_after_neighbour(dim):
    n = 8
    grid = np.indices((n,) * dim).reshape(dim, -1).T.astype(float)
    path = grid[np.argsort(hilbert_keys(grid))]
    assert np.array_equal(np.abs(np.diff(path, axis=0)).sum(axis=1), np.ones(n**dim - 1))


def test_first_use_numbers_in_order_of_appearance():
    ids, cells = first_use(np.array([[40, 10, 30], [10, 20, 40]]))
    assert ids.tolist() == [40, 10, 30, 20]
    assert cells.tolist() == [[0, 1, 2], [1, 3, 0]]


def test_mates_pair_equal_keys_and_refuse_three():
    keys = np.array([[1, 2], [3, 4], [1, 2], [5, 6]])
    assert mates(keys).tolist() == [2, -1, 0, -1]
    with pytest.raises(InputError, match="more than two"):
        mates(np.array([[1, 2], [1, 2], [1, 2]]))


def test_find_facets_gives_inner_facets_to_the_lower_cell():
    cells = np.array([[0, 1, 2], [2, 1, 3]])
    wanted = np.array([[2, 1], [3, 2], [0, 3]])
    assert find_facets(CELLS["triangle"], cells, wanted).tolist() == [[0, 1], [1, 2], [-1, -1]]


def test_ranges():
    assert ranges(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]
