"""Several learned parts over ranks: all ranks see the same trips, and the result is that of one rank."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "unit" / "coupling"))
import newcomers
from newcomers import CLOSURE, SOLVER, deck, summary

from plexus import driver

pytestmark = pytest.mark.mpi


@pytest.fixture(autouse=True)
def _members():
    newcomers.register()
    yield
    newcomers.forget()


# on one rank: with the network of equal weights, and with s = 1 - u, which stands in for it
LEARNED, CLASSICAL = 0.03510428, 0.03074336


@pytest.mark.parametrize(
    ("tripped", "goes_on", "mean"), [(SOLVER, CLOSURE, LEARNED), (CLOSURE, SOLVER, CLASSICAL)]
)
def test_one_trips_on_all_ranks_and_the_other_goes_on(shared_path, tripped, goes_on, mean):
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        deck(shared_path, weight=0.1, **({"low": 5.0, "high": 6.0} if tripped == CLOSURE else {}))
    comm.Barrier()
    reach = [f"{SOLVER}.reach=0.1"] if tripped == SOLVER else []
    assert driver.run(shared_path / "deck.yaml", reach, shared_path / "out") == 0
    comm.Barrier()
    found = summary(shared_path / "out")
    assert (found["status"], found["ranks"]) == ("degraded", comm.size)
    (text,) = found["guards"]["replaced"]
    assert text.startswith(f"the learned {tripped} gave way")
    assert (found["guards"][tripped]["steps"], found["guards"][tripped]["fallback"]) == (32, 1)
    assert (found["guards"][goes_on]["steps"], found["guards"][goes_on]["outside"]) == (80, 0)
    # a cell outside its range takes the classical value from the first step on
    assert found["quantities"]["mean"] == pytest.approx(mean, rel=1e-6)
