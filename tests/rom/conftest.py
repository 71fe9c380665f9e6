"""The reduced model that several modules look at."""

import pytest
from rom.runs import COMM, together
from rom.test_reduced_runs import deck

from plexus.offline.main import reduce
from plexus.runtime import context


@pytest.fixture(scope="session")
def plate(tmp_path_factory):
    """Make the reduced model of a plate; return its folder, facts, and quantities of the full run."""
    folder = together(tmp_path_factory.mktemp("plate"))
    run, facts = reduce(deck(folder, reduce={}), context.create(COMM, folder))
    return folder, facts, dict(run.values())
