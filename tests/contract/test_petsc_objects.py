"""A march leaves as many PETSc objects after many steps as after few, whatever solves it."""

import gc
from pathlib import Path

import pytest
from hosts import accepted, composed, hosts, label, stepper_variants
from petsc_objects import alive
from test_preconditioners import SOLVED
from test_preconditioners import deck as preconditioned

from plexus import registry

MANY, FEW = 200, 15
SHORTER = 100
"""Many steps of hosts are shorter, so that they stay where their solvers work."""
SLOW = "burgers", "advection_diffusion", "manufactured"
"""Physics whose steps are dear: what leaks per step shows within a few."""
FIRST = 5
"""Steps after which everything that lives as long as the run has been made."""


def assert_keeps_its_objects(data, folder, many):
    """March, and compare the living objects early and late."""
    step = data["time"]["step"] / (SHORTER if many > FEW else 1)
    time = data["time"] | {"step": step, "end": (many + 1) * step}
    run = composed(data | {"time": time}, Path("nowhere"))
    run.observers = []
    march, counts = run.march(), []
    for wanted in (FIRST, many - FIRST):
        for _ in zip(range(wanted), march, strict=False):
            pass
        gc.collect()
        counts.append(alive(folder / "log.txt"))
    # an algebraic multigrid may let go of some when it meets its second matrix
    assert not {kind: n for kind, n in counts[1].items() if n > counts[0].get(kind, 0)}


@pytest.mark.parametrize("name", SOLVED)
def test_of_a_physics(name, tmp_path):
    assert_keeps_its_objects(hosts(name)[0], tmp_path, FEW if name in SLOW else MANY)


@pytest.mark.parametrize("given", stepper_variants(), ids=label)
def test_of_a_stepper(given, tmp_path):
    decks = (h | {"time": h["time"] | {"stepper": given}} for name in SOLVED for h in hosts(name))
    found = next((data for data in decks if not accepted(data)), None)
    if found is None:
        pytest.skip("no equation on elements takes it")
    assert_keeps_its_objects(found, tmp_path, FEW)


@pytest.mark.parametrize("name", registry.names("preconditioner"))
def test_of_a_preconditioner(name, tmp_path):
    assert_keeps_its_objects(preconditioned(name), tmp_path, FEW)
