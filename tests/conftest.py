"""Shared by all tests: one thread per process, and hygiene for tests that run on several ranks."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
LAUNCHED = any(name in os.environ for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"))
"""Whether a launcher started this process as one of several ranks."""


def pytest_collection_finish() -> None:
    """Let the collector of cycles leave modules and tests alone: they live as long as the process.

    Each full collection would look at half a million of these objects, a third of a second; there is one
    behind every test on several ranks.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _together(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let all ranks leave a test together, after collecting garbage: PETSc's destructors are collective."""
    yield
    if LAUNCHED and request.node.get_closest_marker("mpi"):
        from mpi4py import MPI

        gc.collect()
        MPI.COMM_WORLD.Barrier()


@pytest.fixture(scope="module", autouse=True)
def _imported() -> Iterator[None]:
    """Let the collector leave alone what a module of tests has imported, once its fixtures are gone."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture
def shared_path(tmp_path: Path) -> Path:
    """Return a temporary folder of rank 0 that all ranks use."""
    if not LAUNCHED:
        return tmp_path
    from mpi4py import MPI

    return Path(MPI.COMM_WORLD.bcast(str(tmp_path)))


@pytest.fixture(scope="session")
def parallel_factorisation() -> None:
    """Skip a test whose deck factorises matrices of several ranks where this PETSc has no package for it."""
    from plexus.solvers.packages import available
    from plexus.solvers.preconditioners.lu import PARALLEL

    if not available() & set(PARALLEL):
        pytest.skip(f"this PETSc has none of {', '.join(PARALLEL)}")
