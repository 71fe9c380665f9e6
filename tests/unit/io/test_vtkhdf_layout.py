"""Shapes of field values in the file."""

import numpy as np
import pytest

from plexus.io.vtkhdf_layout import column, padded


@pytest.mark.parametrize("rows", [0, 3])
@pytest.mark.parametrize(
    ("shape", "inner", "outer"),
    [("scalar", (), ()), ("scalar", (1,), ()), ("vector", (2,), (3,)), ("tensor", (2, 2), (9,))],
)
def test_padded_shapes_on_ranks_with_and_without_nodes(rows, shape, inner, outer):
    values = np.ones((rows, *inner))
    assert padded(values, column("f", "1", shape, "node")).shape == (rows, *outer)
