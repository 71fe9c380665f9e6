"""What every output promises: restarts without gaps or double rows, the same on all numbers of ranks."""

import shutil

import pytest
from hosts import STEPS, composed, deck_of, offered, shareable
from run_files import assert_same, written

from plexus import driver, registry

MEMBERS = registry.names("output")
PAIRS = offered("output")
pairs = pytest.mark.parametrize(("name", "discretisation"), PAIRS)


def deck(name, discretisation):
    return deck_of("output", name, discretisation)


def label(name, discretisation):
    return f"output.{name}.{discretisation}"


@pytest.mark.parametrize("name", MEMBERS)
def test_goes_with_some_discretisation(name):
    assert any(n == name for n, _ in PAIRS), f"no discretisation offers what output.{name} needs"


@pairs
def test_restart_leaves_no_gap_and_no_row_twice(name, discretisation, jobs, tmp_path):
    data = deck(name, discretisation)
    whole = jobs.folder(label(name, discretisation), 1)
    # what a run leaves that died some time after its checkpoint in the middle
    half = tmp_path / "half"
    half.mkdir()
    for path in written(whole).values():
        number = path.stem.rpartition("_")[2] if path.name.startswith("checkpoint_") else "0"
        if int(number) <= STEPS // 2:
            shutil.copy(path, half)
    source = whole.parent / f"{label(name, discretisation)}.yaml"
    assert data and driver.run(source, folder=half, restart="latest") == 0
    assert_same(whole, half, 1e-12)


@pairs
def test_two_ranks_write_what_one_writes(name, discretisation, jobs):
    if not shareable(deck(name, discretisation)):
        pytest.skip("its mesh is not shared between ranks")
    assert_same(*(jobs.folder(label(name, discretisation), ranks) for ranks in (1, 2)), 1e-6)


@pairs
def test_may_finish_without_having_seen_anything(name, discretisation, tmp_path):
    run = composed(deck(name, discretisation), tmp_path)
    cls = registry.component("output", name).cls
    observer = next(o for o in run.observers if type(o) is cls)
    observer.start(run)
    observer.finish(run)
    assert observer.schedule is not None
    assert not list(tmp_path.glob("checkpoint_*"))


@pairs
def test_what_it_remembers_is_plain(name, discretisation, tmp_path):
    """State and restore: JSON can hold it, and it comes back."""
    import json

    run = composed(deck(name, discretisation), tmp_path)
    run.execute()
    cls = registry.component("output", name).cls
    told = [o.state() for o in run.observers if type(o) is cls]
    again = composed(deck(name, discretisation), tmp_path)
    for observer, state in zip([o for o in again.observers if type(o) is cls], told, strict=True):
        observer.restore(json.loads(json.dumps(state)))
        assert observer.state() == state
