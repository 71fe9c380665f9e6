"""What the first rank alone finds wrong is the same error on all ranks."""

from __future__ import annotations

import pytest
from mpi4py import MPI

from plexus.errors import DeckError, GuardError, InputError, PlexusError, Problem
from plexus.runtime.first import on_first

COMM = MPI.COMM_WORLD


@pytest.mark.mpi
@pytest.mark.parametrize(
    "error", [DeckError([Problem(None, "mesh", "no")]), InputError("gone"), GuardError("lost")]
)
def test_text_and_exit_code_reach_all_ranks(error):
    def work():
        raise error

    with pytest.raises(PlexusError) as caught:
        on_first(COMM, work)
    assert (str(caught.value), caught.value.exit_code) == (str(error), error.exit_code)


@pytest.mark.mpi
def test_a_result_reaches_all_ranks():
    assert on_first(COMM, lambda: COMM.rank + 1) == 1
