"""``kill -9`` at any moment: nothing half under a final name, no process left, and a restart works.

``PLEXUS_KILLS=30 pytest -s tests/restart/test_kills.py`` repeats each kind 30 times.
"""

from __future__ import annotations

import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kills import KILLS, SEED, STEPS, WORKERS, Job, Moment, again, assert_done, check, newest


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Return the run folder of an undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    with Job(folder) as job:
        job.finish()
    return folder / "out"


def strike(folder: Path, kind: str, chance: random.Random) -> bool:
    """Start a run, or go on with it, and kill it at a random moment; return whether it was still there."""
    moment = Moment(folder / "out", chance)
    with Job(folder, *again(folder / "out")) as job:
        moment.wait(lambda: job.process.poll() is not None)
        killed = job.kill(kind, chance)
        code = job.end()
    # a run may end well between the decision to kill it and the deed
    assert code != 0 or (folder / "out/summary.json").exists()
    return killed


@pytest.mark.parametrize("kinds", [["rank"], ["launcher", "plexus"]], ids=["rank", "launcher"])
def test_killed_at_a_random_moment(kinds, whole, tmp_path):
    """A launcher is mpirun, or `plexus run -n` that started it, in turn."""

    def one(k: int) -> tuple[int, int]:
        folder, chance = tmp_path / str(k), random.Random(f"{SEED} {kinds} {k}")
        folder.mkdir()
        kills = 0
        # every third run is killed once more, in its restart
        for _ in range(2 if k % 3 == 1 else 1):
            kills += strike(folder, kinds[k % len(kinds)], chance)
            check(folder / "out", whole)
        restarted = newest(folder / "out") is not None
        with Job(folder, *again(folder / "out")) as job:
            job.finish()
        assert_done(folder / "out", whole)
        shutil.rmtree(folder)
        return kills, restarted

    with ThreadPoolExecutor(WORKERS) as pool:
        kills, restarts = map(sum, zip(*pool.map(one, range(KILLS)), strict=True))
    print(
        f"\n{' or '.join(kinds)}: {KILLS} runs, {kills} kills (seed {SEED}); "
        f"{restarts} finished from a checkpoint, {KILLS - restarts} from the start"
    )


def test_killed_before_the_first_checkpoint(whole, tmp_path):
    """The user is told what to do, and nothing is in the way of doing it."""
    with Job(tmp_path) as job:
        job.until((tmp_path / "out/deck.yaml").exists)
        assert job.kill("rank", random.Random(SEED)) and job.end() == 137
    assert (tmp_path / "err.txt").read_text().strip().endswith("SIGKILL, from outside or for lack of memory")
    check(tmp_path / "out", whole)
    assert newest(tmp_path / "out") is None
    with Job(tmp_path, "--restart", "latest") as job:
        assert job.end() == 2
    said = (tmp_path / "err.txt").read_text().strip()
    assert said == "out: no checkpoint to restart from; leave --restart out to begin anew"
    with Job(tmp_path) as job:
        job.finish()
    assert_done(tmp_path / "out", whole)


def test_killed_in_the_last_output(whole, tmp_path):
    with Job(tmp_path) as job:
        job.until(lambda: list((tmp_path / "out").glob(f"checkpoint_{STEPS:08d}*")))
        job.kill("rank", random.Random(SEED))
        job.end()
    check(tmp_path / "out", whole)
    with Job(tmp_path, *again(tmp_path / "out")) as job:
        job.finish()
    assert_done(tmp_path / "out", whole)
