"""`scancel` at any moment, in order or with KILL: nothing half under a final name, and a restart works.

``PLEXUS_KILLS=30 pytest -s tests/slurm/test_slurm_kills.py`` cancels 30 jobs.
"""

from __future__ import annotations

import random
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cluster import PROFILE, job_id, missing

sys.path.insert(0, str(Path(__file__).parents[1] / "restart"))
from kills import DECK, KILLS, SEED, WORKERS, Job, Moment, again, assert_done, await_silence, check, newest

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

WAYS = {
    "in order": [],
    "every process": ["--signal=KILL", "--full"],
    "the job script": ["--signal=KILL", "--batch"],
}
"""What `scancel` is told."""


def test_cancelled_at_a_random_moment(cluster, tmp_path_factory, tmp_path):
    whole = tmp_path_factory.mktemp("whole")
    with Job(whole) as job:
        job.finish()

    def submit(folder: Path, *arguments: str) -> str:
        words = ["submit", "deck.yaml", "--profile", "./here.yaml", "-o", "out", "-s", "job.ranks_per_node=2"]
        return job_id(cluster.plexus(folder, *words, *arguments))

    def end(number: str, folder: Path) -> str:
        cluster.wait(lambda: cluster.ended(number), f"the end of job {number}")
        await_silence(folder)
        return cluster.state(number)

    def one(k: int) -> tuple[str, str, bool]:
        folder, chance = tmp_path / str(k), random.Random(f"{SEED} {k}")
        folder.mkdir()
        (folder / "deck.yaml").write_text(DECK)
        (folder / "here.yaml").write_text(PROFILE)
        moment = Moment(folder / "out", chance)
        number = submit(folder)
        cluster.wait(lambda: cluster.state(number) != "PENDING", f"the start of job {number}")
        moment.wait(lambda: cluster.ended(number))
        way = list(WAYS)[k % len(WAYS)]
        if not cluster.ended(number):
            cluster.call("scancel", *WAYS[way], number)
        state = end(number, folder)
        log = "".join(p.read_text() for p in folder.glob("out/job-*.out"))
        assert state in ("CANCELLED", "FAILED", "COMPLETED") and "goes on in" not in log, (way, state, log)
        check(folder / "out", whole / "out")
        restarted = newest(folder / "out") is not None
        assert end(submit(folder, *again(folder / "out")), folder) == "COMPLETED"
        assert_done(folder / "out", whole / "out")
        shutil.rmtree(folder)
        return way, state, restarted

    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(one, range(KILLS)))
    for way in WAYS:
        mine = [(state, restarted) for w, state, restarted in results if w == way]
        cut = sum(state != "COMPLETED" for state, _ in mine)
        restarts = sum(restarted for _, restarted in mine)
        print(
            f"\n{way}: {len(mine)} jobs, {cut} of them cut short, {restarts} finished from a checkpoint"
            f" and {len(mine) - restarts} from the start (seed {SEED})"
        )
