"""Jobs on a real SLURM: submitted, followed to their end, continued over time limits, cancelled, put back."""

import json
import os
import random
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file

sys.path.insert(0, str(Path(__file__).parents[1] / "restart"))
from cluster import Cluster, job_id, missing
from test_restart import last_fields, series

from plexus.fileformat import SEAL

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

PROFILE = """\
description: the machine of the tests
launcher: LAUNCHER
cores_per_node: 4
memory_per_node: 4 GB
time: 10 min
environment: {OMPI_ALLOW_RUN_AS_ROOT: 1, OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: 1, PYTHONPATH: PACKAGES}
"""
LAUNCHERS = {"mpirun": "mpirun", "srun": "srun --mpi=pmix"}
CHAINS = {"mpirun": "requeue", "srun": "submit"}
DECK = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [6, 6]}
physics:
  type: heat
  degree: 2
  material: {conductivity: "1 + 0.2*temperature", density: 1, specific_heat: 1}
  source: "10*x*sin(20*t)"
boundary: [{on: left, temperature: "sin(3*t)"}]
initial: {temperature: "x*y"}
solver: {temperature: {ksp: preonly, preconditioner: lu, snes_rtol: 1e-13}}
time: {stepper: bdf2, end: 0.36 s, step: 0.001 s}
quantities: {mean: {type: mean, of: temperature}, hottest: {type: maximum, of: temperature}}
runtime: {margin: 4 s}
job: {time: TIME, signal_margin: 50 s, ranks_per_node: 2, chain: CHAIN}
output:
  - {type: fields, every: 0.06 s}
  - {type: checkpoint, every: 20 steps}
  - {type: probe, points: [[0.3, 0.4]]}
  - {type: pace, seconds: PACE}
"""
TRAINING = """\
plexus: 1
mesh: {type: periodic, cells: [16, 16], size: [5, 5]}
physics: {type: active_fluid, order: 2, alpha: -3, zeta: 1}
closure: {type: spin_network, moment: 3, width: 8, precision: fp64}
time: {stepper: sbdf2, end: 40, step: 0.02}
job: {time: 5 min, chain: requeue, ranks_per_node: 1}
train:
  data:
    type: kinetic
    cases: [{alpha: -3, zeta: 1, seed: 1}]
    moments: 8
    frames: {start: 1, end: 2, every: 0.5}
  stages: [{type: fit, steps: 8000, batch: 64}]
"""
PACE = '''\
"""An output that writes nothing and takes its time: a run of known length on any machine."""
import time
from plexus.deck.params import Field, Params, ScheduleText
from plexus.registry import register
from plexus.stepping.schedules import make

class PaceParams(Params):
    """Parameters."""
    seconds: float = Field(ge=0, description="wall time of each step")
    every: ScheduleText = Field("1 steps", description="when")

@register("output", "pace", PaceParams)
class Pace:
    """Sleeps."""
    def __init__(self, params):
        self.params, self.schedule = params, make(params.every)
    def start(self, run): pass
    def observe(self, run): time.sleep(self.params.seconds)
    def finish(self, run): pass
    def state(self): return {}
    def restore(self, state): pass

EXAMPLE = {"type": "pace", "seconds": 0}
'''


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> Path:
    """Return a folder with a package that adds the output `pace`, as another project would."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "pace.py").write_text(PACE)
    facts = folder / "pace-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: pace\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[plexus.output]\npace = pace\n")
    return folder


def assert_same(one: Path, two: Path) -> None:
    """Compare the last fields, and the histories at the times of the run that was not interrupted."""
    for a, b in zip(last_fields(one)[1:], last_fields(two)[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    for table in ("quantities", "probes/probe"):
        old, new = series(one, table), series(two, table)
        # a run that stops early writes its last step whether or not it is due
        kept = np.isin(new["step"], old["step"])
        for name in old:
            np.testing.assert_allclose(old[name], new[name][kept], rtol=1e-12, atol=1e-12, err_msg=name)


class Bench:
    """A folder with a deck and a profile, from which jobs are submitted."""

    def __init__(self, cluster: Cluster, packages: Path, folder: Path):
        self.cluster, self.packages, self.folder = cluster, packages, folder

    def submit(self, launcher: str, *arguments: str, deck: str = "deck.yaml") -> tuple[str, str]:
        """Submit a deck; return the job's id and what was printed."""
        profile = PROFILE.replace("LAUNCHER", LAUNCHERS[launcher]).replace("PACKAGES", str(self.packages))
        (self.folder / "here.yaml").write_text(profile)
        words = ["submit", deck, "--profile", "./here.yaml", *arguments]
        said = self.cluster.plexus(self.folder, *words, PYTHONPATH=str(self.packages))
        return job_id(said), said

    def write(self, chain: str = "requeue", pace: float = 0.1, time: str = "5 min") -> None:
        text = DECK.replace("CHAIN", chain).replace("PACE", str(pace)).replace("TIME", time)
        (self.folder / "deck.yaml").write_text(text)

    def summary(self, name: str) -> dict:
        return json.loads((self.folder / name / "summary.json").read_text())

    def log(self, name: str) -> str:
        return "".join(f.read_text() for f in sorted((self.folder / name).glob("job-*.out")))

    def await_end(self, job: str) -> str:
        self.cluster.wait(lambda: self.cluster.ended(job), f"the end of job {job}")
        return self.cluster.state(job)

    def await_checkpoint(self, name: str) -> None:
        folder = self.folder / name
        self.cluster.wait(lambda: list(folder.glob("checkpoint_*.h5")), f"a checkpoint in {name}")


@pytest.fixture(scope="module")
def whole(cluster, packages, tmp_path_factory) -> Path:
    """Return the folder of the same run without any interruption and without pauses."""
    alone = Bench(cluster, packages, tmp_path_factory.mktemp("alone"))
    alone.write(pace=0)
    cluster.plexus(alone.folder, "run", "deck.yaml", "-o", "whole", "-n", "2", PYTHONPATH=str(packages))
    return alone.folder / "whole"


@pytest.fixture(scope="module", autouse=True)
def chains(cluster, packages, tmp_path_factory) -> Bench:
    """Submit the runs that are longer than their jobs; they go on while the other tests use the machine."""
    bench = Bench(cluster, packages, tmp_path_factory.mktemp("chains"))
    for launcher, chain in CHAINS.items():
        bench.write(chain, time="1 min")
        bench.submit(launcher, "-o", launcher, "-s", f"runtime.name={launcher}")
    return bench


@pytest.fixture
def bench(cluster, packages, tmp_path) -> Bench:
    return Bench(cluster, packages, tmp_path)


def test_the_quickstart_as_a_job(bench):
    job, said = bench.submit("mpirun", deck=str(ROOT / "input_decks" / "quickstart.yaml"))
    for hint in (f"squeue -j {job}", f"scancel {job}", "plexus-post info --follow runs/quickstart"):
        assert hint in said
    assert bench.await_end(job) == "COMPLETED", bench.log("runs/quickstart")
    found = bench.summary("runs/quickstart")
    assert (found["status"], found["exit_code"], found["ranks"]) == ("done", 0, 2)
    assert found["quantities"]["hottest"] > 1000
    names = {p.name for p in (bench.folder / "runs/quickstart").iterdir()}
    wanted = {
        "deck.yaml",
        "fields.vtkhdf",
        "fields.xdmf",
        "series.h5",
        "summary.json",
        "progress.json",
        "log.txt",
    }
    assert wanted <= names and f"job-{job}.out" in names


def test_the_template_by_hand(bench):
    bench.write(pace=0)
    options = ["--parsable", "--ntasks-per-node=3", "--export=ALL"]
    words = [str(ROOT / "slurm/templates/cpu.sbatch"), "deck.yaml", "-s", "time.end=0.01 s", "-o", "out dir"]
    program = str(Path(sys.executable).parent)
    more = {
        "PYTHONPATH": str(bench.packages), "PATH": f"{program}:{bench.cluster.environment['PATH']}",
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    }  # fmt: skip
    job = bench.cluster.call("sbatch", *options, *words, folder=bench.folder, **more).strip()
    assert bench.await_end(job) == "COMPLETED", (bench.folder / f"plexus-{job}.out").read_text()
    assert (bench.summary("out dir")["status"], bench.summary("out dir")["ranks"]) == ("done", 3)


def test_cancelled_jobs_leave_a_checkpoint(bench, whole):
    """`scancel` at a random moment of start or march, then a restart; PLEXUS_REPEATS=30 repeats it."""
    bench.write(pace=0.03)
    repeats, seed = int(os.environ.get("PLEXUS_REPEATS", "2")), random.randrange(10**6)
    chance = random.Random(seed)
    print(f"seed {seed}")
    started = {}
    for first in range(0, repeats, 4):
        names = {f"out{i}": list(LAUNCHERS)[i % 2] for i in range(first, min(first + 4, repeats))}
        jobs = {n: bench.submit(launcher, "-o", n)[0] for n, launcher in names.items()}
        for name in chance.sample(list(jobs), len(jobs)):
            time.sleep(chance.uniform(0, 3))
            # what has been stepping must have a checkpoint afterwards
            started[name] = (bench.folder / name / "progress.json").exists()
            bench.cluster.call("scancel", jobs[name])
        for name, job in jobs.items():
            assert bench.await_end(job) in ("CANCELLED", "COMPLETED"), bench.log(name)
            check_after_cancel(bench, name, started[name])
        again = {
            n: bench.submit(launcher, "-o", n, *restart(bench.folder / n))[0] for n, launcher in names.items()
        }
        for name, job in again.items():
            assert bench.await_end(job) == "COMPLETED", bench.log(name)
            assert_same(whole, bench.folder / name)
    print(f"{sum(started.values())} of {repeats} runs were cancelled while they marched")


def check_after_cancel(bench: Bench, name: str, started: bool) -> None:
    """Check that every file with a final name is whole, and that a run that has begun has its checkpoint."""
    folder, log = bench.folder / name, bench.log(name)
    assert "goes on" not in log, "a cancelled job must not come back"
    for path in (*folder.glob("*.h5"), *folder.glob("*.vtkhdf")):
        with h5py.File(path) as file:
            file.visititems(lambda _, item: item[()] if isinstance(item, h5py.Dataset) else None)
    if started and bench.summary(name)["status"] != "done":
        assert bench.summary(name)["status"] == "stopped", log
        assert list(folder.glob("checkpoint_*.h5")), log


def restart(folder: Path) -> list[str]:
    """Return the options with which a person goes on: without waiting, from a checkpoint if there is one."""
    found = ["--restart"] if list(folder.glob("checkpoint_*.h5")) else []
    return [*found, "-s", "output[3].seconds=0"]


def test_a_job_that_is_put_back_goes_on(bench, whole):
    """What happens when a node fails or another job goes before: SLURM kills the job and starts it again."""
    bench.write(pace=0.02)
    (bench.folder / "out").mkdir()
    # a checkpoint of an earlier run, which the job must not take for its own
    (bench.folder / "out/checkpoint_99999999.h5").write_bytes(SEAL + b"old")
    job = bench.submit("mpirun", "-o", "out")[0]
    bench.await_checkpoint("out/previous/1")
    bench.cluster.wait(lambda: list((bench.folder / "out").glob("checkpoint_*.h5")), "a checkpoint")
    bench.cluster.call("scontrol", "requeue", job)
    bench.cluster.wait(lambda: bench.cluster.facts(job)["Restarts"] == "1", "the second start")
    assert bench.await_end(job) == "COMPLETED", bench.log("out")
    assert "from checkpoint_" in bench.log("out")
    assert_same(whole, bench.folder / "out")


def test_a_failure_ends_the_chain(bench):
    bench.write()
    wrong = ["-s", "solver.temperature={ksp: cg, preconditioner: none, max_iterations: 1}"]
    job = bench.submit("mpirun", "-o", "out", *wrong)[0]
    assert bench.await_end(job) == "FAILED"
    assert bench.cluster.facts(job)["ExitCode"] == "3:0" and "link" not in bench.log("out")


def test_the_chain_has_an_end(bench):
    """A run that stops itself after every step is put back until the links are used up."""
    bench.write(chain="submit", pace=0)
    job = bench.submit("mpirun", "-o", "out", "-s", "runtime.time_limit=1e-3 s", "-s", "job.max_links=2")[0]
    done = "this was link 2, the last of at most 2"
    bench.cluster.wait(lambda: done in bench.log("out"), "the end of the chain")
    assert bench.cluster.state(job) == "FAILED" and "goes on in job" in bench.log("out")
    assert bench.summary("out")["status"] == "stopped"


def test_a_training_that_is_put_back_goes_on(bench):
    """The weights are those of a training that nothing interrupts."""
    (bench.folder / "deck.yaml").write_text(TRAINING)
    job = bench.submit("mpirun", "--train", "-o", "out")[0]
    progress = bench.folder / "out" / "progress.json"
    bench.cluster.wait(lambda: progress.exists() and json.loads(progress.read_text())["step"], "a step")
    bench.cluster.call("scontrol", "requeue", job)
    bench.cluster.plexus(bench.folder, "train", "deck.yaml", "-o", "whole")
    assert bench.await_end(job) == "COMPLETED", bench.log("out")
    assert "from training.safetensors" in bench.log("out")
    one, two = (load_file(bench.folder / name / "bundle.safetensors") for name in ("whole", "out"))
    for name, weights in one.items():
        np.testing.assert_allclose(two[name], weights, rtol=1e-12, atol=1e-12, err_msg=name)


def test_runs_longer_than_their_jobs(chains, whole):
    """USR1 comes 20 to 50 s before the end of the minute; 36 s of steps need a second link at least."""
    cluster = chains.cluster

    def over() -> bool:
        return all(not cluster.call("squeue", "--noheader", "--name", name) for name in CHAINS)

    cluster.wait(over, "the end of both chains")
    for name in CHAINS:
        log = chains.log(name)
        assert chains.summary(name)["status"] == "done", log
        assert (
            "(signal USR1): go on with --restart" in log and "link 2 of at most 50: from checkpoint_" in log
        )
        assert_same(whole, chains.folder / name)
    # a busy scheduler may refuse to put a job back; then the chain says so and goes on in a new one
    refused = chains.log("mpirun").count("submitting a new job instead")
    assert len(list((chains.folder / "mpirun").glob("job-*.out"))) == 1 + refused
    assert len(list((chains.folder / "srun").glob("job-*.out"))) >= 2
