"""A real SLURM for each module."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # sockets have short names, pytest's folders have long ones
    with tempfile.TemporaryDirectory(prefix="slurm_") as folder, Cluster(Path(folder)) as running:
        yield running
