"""Meshes as files have them: partitions."""

import pytest
from case_runs import RANKS, check, run


@pytest.mark.parametrize("ranks", RANKS)
def test_groups_of_a_partitioned_mesh(ranks, tmp_path):
    assert run("22_partitioned_mesh", tmp_path, ranks=ranks).quantities() == pytest.approx({"T": 350.0})


def test_a_partitioned_mesh_is_good(tmp_path):
    assert check("22_partitioned_mesh", tmp_path).code == 0
