"""Decks of others on a real SLURM: whatever they try, none of their programs runs, no file changes."""

import subprocess
import sys

import pytest
from cluster import missing
from hostile_ways import WAYS, harmed

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.mark.parametrize("name", WAYS)
def test_a_hostile_deck_as_a_job(name, cluster, tmp_path):
    way = WAYS[name]
    deck = way.lay(tmp_path)
    outside = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    profile = tmp_path / "site" / "here.yaml"
    profile.parent.mkdir()
    profile.write_text("launcher: mpirun\ncores_per_node: 4\nask_memory: false\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "plexus", "submit", deck.name, "--profile", str(profile)],
        cwd=tmp_path, env={**cluster.environment, **root}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if way.told:
        assert done.returncode == 2 and way.told in done.stderr, done.stderr
    else:
        assert done.returncode == 0, done.stderr
        job = done.stdout.partition("submitted as job ")[2].split()[0]
        cluster.wait(lambda: cluster.ended(job), f"the end of job {job}")
        (log,) = (tmp_path / "runs").glob("*/job-*.out")
        assert cluster.state(job) == "COMPLETED", log.read_text()
        assert "\x1b" not in log.read_text()
    assert harmed(tmp_path) is None
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()} == outside
