"""A small box problem, built through the driver's own path."""

from pathlib import Path

import pytest
from mpi4py import MPI

from plexus.compose import compose
from plexus.driver import share
from plexus.runtime import context
from plexus.runtime.log import Log


@pytest.fixture
def make_run(tmp_path: Path):
    """Return a function (deck text, *overrides) -> a run that writes nothing."""

    def make(text: str, *overrides: str, comm: MPI.Comm = MPI.COMM_WORLD):
        path = tmp_path / "deck.yaml"
        path.write_text(text)
        ctx = context.create(comm, tmp_path)
        ctx.log = Log(comm)
        run = compose(share(comm, path, overrides), ctx)
        run.observers = []
        return run

    return make
