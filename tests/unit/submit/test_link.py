"""A link of a chain of jobs: where it starts, and when the next one follows. SLURM is not asked."""

import os
import signal
from pathlib import Path

import pytest

from plexus.errors import InputError
from plexus.fileformat import TRAINING
from plexus.submit import link
from plexus.submit.link import Link

STOPPED = 75


class Job:
    """A job whose run writes checkpoints and ends with a code; what SLURM is asked for is written down."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        self.folder, self.asked, self.started = folder, [], []
        self.code, self.heard, self.steps, self.refuses = STOPPED, [], [5], False
        for name in (
            "SLURM_ARRAY_TASK_ID",
            "SLURM_RESTART_COUNT",
            "SLURM_NTASKS",
            "PLEXUS_LINK",
            "PLEXUS_CHAIN",
        ):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("SLURM_JOB_ID", "77")
        monkeypatch.setattr(link, "_supervise", self._supervise)
        monkeypatch.setattr(link.slurm, "requeue", self._requeue)
        monkeypatch.setattr(link.slurm, "submit", self._submit)

    def _supervise(self, arguments):
        self.started.append(arguments)
        for step in self.steps:
            (self.folder / f"checkpoint_{step:08}.h5").write_bytes(b"")
        return self.code, self.heard

    def _requeue(self, job):
        if self.refuses:
            raise InputError("scontrol refuses: Requeue is disabled")
        self.asked.append(("requeue", job))

    def _submit(self, script, options, arguments, **more):
        self.asked.append(("submit", script, *options, *arguments, more))
        return "78"

    def run(self, **more) -> int:
        chosen = {"chain": "requeue", "script": "job.sh", **more}
        return Link(["run", "deck.yaml"], self.folder, **chosen).run()


@pytest.fixture
def job(tmp_path, monkeypatch) -> Job:
    return Job(tmp_path, monkeypatch)


def test_the_job_is_put_back(job):
    assert job.run() == STOPPED and job.asked == [("requeue", "77")]


def test_the_next_job_waits_for_this_one_and_knows_its_number(job, monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    job.run(chain="submit")
    known = {"PLEXUS_LINK": "2", "PLEXUS_CHAIN": "77"}
    assert job.asked == [("submit", "job.sh", "--dependency=afterany:77", "--array=3", "deck.yaml", known)]


def test_where_putting_back_is_refused_a_job_follows(job, capsys):
    job.refuses = True
    job.run()
    assert job.asked[0][:2] == ("submit", "job.sh") and "Requeue is disabled" in capsys.readouterr().out


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 137])
def test_every_other_code_ends_the_chain(code, job):
    job.code = code
    assert job.run() == code and job.asked == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_job_has_no_next_link(number, job, capsys):
    job.heard = [number]
    assert job.run() == STOPPED and job.asked == []
    assert "cancelled; checkpoint_00000005.h5 is the newest" in capsys.readouterr().out


def test_the_announced_end_has_a_next_link(job):
    job.heard = [signal.SIGUSR1]
    job.run()
    assert job.asked == [("requeue", "77")]


def test_a_link_without_a_checkpoint_is_the_last(job, capsys):
    job.steps = []
    job.run()
    assert job.asked == [] and "without a new checkpoint" in capsys.readouterr().out


def test_a_link_that_gets_no_further_is_the_last(job, monkeypatch):
    job.run()
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    job.asked.clear()
    job.run()
    assert job.asked == [] and job.started[1][-1] == "--restart"


def test_the_number_of_links_is_limited(job, monkeypatch, capsys):
    monkeypatch.setenv("PLEXUS_LINK", "3")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    job.run(max_links=4)
    assert job.asked == [] and "link 4, the last of at most 4" in capsys.readouterr().out


def test_outside_of_a_job_and_without_a_chain_nothing_follows(job, monkeypatch):
    job.run(chain="none")
    monkeypatch.delenv("SLURM_JOB_ID")
    job.run()
    assert job.asked == []


def test_checkpoints_of_an_earlier_run_are_not_taken(job, monkeypatch):
    old = job.folder / "checkpoint_00000009.h5"
    old.write_bytes(b"")
    os.utime(old, (1, 1))
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    job.steps = []
    job.run()
    assert "--restart" not in job.started[0]


def test_a_job_that_is_put_back_before_its_first_checkpoint_starts_again(job, monkeypatch):
    job.steps, job.code = [], 137
    job.run()
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    job.run()
    assert "--restart" not in job.started[1]


def test_ranks_are_those_of_the_job(job, monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "6")
    job.run()
    job.run(ranks=4)
    assert [words[words.index("-n") + 1] for words in job.started] == ["6", "4"]


def test_a_training_goes_on_from_the_one_checkpoint_that_it_keeps(job, monkeypatch):
    memory, job.steps = job.folder / TRAINING, []

    def train(arguments):
        job.started.append(arguments)
        memory.write_bytes(b"")
        os.utime(memory, ns=(job.now, job.now))
        return STOPPED, []

    monkeypatch.setattr(link, "_supervise", train)
    words = ["train", "deck.yaml"]
    # written later than the folder was marked, then later still, then not again
    for n, job.now in enumerate((2**61, 2**61 + 1000, 2**61 + 1000)):
        monkeypatch.setenv("SLURM_RESTART_COUNT", str(n))
        Link(words, job.folder, TRAINING, chain="requeue", script="job.sh").run()
    assert [a[-1] for a in job.started] == ["deck.yaml", "--restart", "--restart"]
    assert len(job.asked) == 2
