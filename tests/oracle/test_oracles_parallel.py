"""The same oracles on three ranks: what is right does not depend on how the mesh is dealt out."""

import os

import pytest
from oracles.campaign import PAIRS, campaign

COUNT = int(os.environ.get("PLEXUS_ORACLES_RANKS", "1"))
"""Decks of each family."""
FIRST = int(os.environ.get("PLEXUS_ORACLES_FIRST", "0"))
ALIKE = [pair for pair in PAIRS if pair[0] in ("exact", "budget")]


@pytest.mark.mpi
@pytest.mark.usefixtures("parallel_factorisation")
@pytest.mark.parametrize(("oracle", "family"), ALIKE)
def test_random_decks_on_ranks(oracle, family, shared_path):
    from mpi4py import MPI

    tally = campaign(oracle, family, COUNT, shared_path, FIRST)
    wrong = [text for here in MPI.COMM_WORLD.allgather(tally.wrong) for text in here]
    if MPI.COMM_WORLD.rank == 0:
        print(f"{oracle} {family}: {tally.judged} judged, {len(tally.refused)} refused", *tally.refused)
    assert not wrong, "\n".join(wrong)


@pytest.mark.mpi
@pytest.mark.usefixtures("parallel_factorisation")
@pytest.mark.parametrize(
    ("oracle", "family", "seed"), [("exact", "solid", 60), ("budget", "work", 60), ("exact", "contacts", 21)]
)
def test_ranks_without_nodes_or_cells(oracle, family, seed, shared_path):
    """A body of a few cells: rigid modes, rows per material, nodes on a contact of a rank that has none."""
    tally = campaign(oracle, family, 1, shared_path, seed)
    assert tally.judged == 1 and not tally.wrong, tally.wrong
