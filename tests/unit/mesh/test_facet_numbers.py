"""Numbers of facets tell pairs (cell, facet) apart."""

import numpy as np

from plexus.mesh.facets import each_once, numbers


def test_each_pair_is_kept_once_in_order():
    rng = np.random.default_rng(3)
    pairs = np.stack([rng.integers(0, 40, 500), rng.integers(0, 6, 500)], axis=1).astype(np.int32)
    assert np.array_equal(each_once(pairs), np.unique(pairs, axis=0))
    assert each_once(pairs).dtype == pairs.dtype


def test_numbers_of_the_last_cells_that_32_bits_count_differ():
    last = np.iinfo(np.int32).max
    pairs = np.array([[last, facet] for facet in range(6)], dtype=np.int32)
    assert len(set(numbers(pairs).tolist())) == 6
    assert np.array_equal(each_once(pairs), pairs)
