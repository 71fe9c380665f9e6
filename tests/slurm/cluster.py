"""A real SLURM of one node on the loopback device: munged, slurmctld and slurmd in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
HANGS = 900.0
"""Seconds after which a wait counts as hanging, on a machine with much else to do."""
CPUS = 8
"""Cores that the node claims to have; the jobs of the tests mostly sleep."""
CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
# a job that is put back waits until its earlier credential has run out: seconds here, two minutes by default
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=1
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
PROFILE = """\
description: the machine of the tests
launcher: mpirun
cores_per_node: 4
memory_per_node: 4 GB
time: 5 min
environment: {OMPI_ALLOW_RUN_AS_ROOT: 1, OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: 1}
"""
"""A site's profile of the node."""


def missing() -> str | None:
    """Return why no SLURM can be started here; None if it can."""
    absent = [name for name in COMMANDS if shutil.which(name, path=_path()) is None]
    if absent:
        return f"SLURM is not installed here ({', '.join(absent)} not found; Debian: slurm-wlm and munge)"
    if os.geteuid():
        return "slurmd needs root"
    return None


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Cluster:
    """The daemons; ``with Cluster(folder) as cluster:`` starts and stops them."""

    def __init__(self, folder: Path):
        self.folder = folder
        inherited = {
            k: v for k, v in os.environ.items()
            if not k.startswith(("SLURM", "SBATCH", "OMPI_COMM", "PMIX_", "PMI_", "PLEXUS_"))
        }  # fmt: skip
        self.environment = {**inherited, "PATH": _path(), "SLURM_CONF": str(folder / "slurm.conf")}

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        folder = self.folder
        for name in ("state", "spool", "secret"):
            (folder / name).mkdir()
        secret, host = folder / "secret", socket.gethostname().partition(".")[0]
        secret.chmod(0o700)
        key = secret / "key"
        key.touch(0o600)
        key.write_bytes(os.urandom(1024))
        ports = {"controller": _free_port(), "node": _free_port()}
        (folder / "slurm.conf").write_text(CONF.format(folder=folder, host=host, cpus=CPUS, **ports))
        # --force: the folders above belong to others, which munged objects to
        self.call(
            "munged", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket",
            f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log",
            f"--seed-file={secret}/seed",
        )  # fmt: skip
        self.call("slurmctld")
        self.call("slurmd")
        self.wait(lambda: "idle" in self.call("sinfo", "--noheader", "--format", "%t"), "the node")

    def __exit__(self, *error: object) -> None:
        if (self.folder / "slurmctld.pid").exists():
            self._empty()
        for name in ("slurmd", "slurmctld", "munged"):
            file = self.folder / f"{name}.pid"
            if file.exists():
                stop(int(file.read_text()))

    def _empty(self) -> None:
        """Cancel what still runs: jobs outlive slurmd."""
        with suppress(AssertionError, subprocess.TimeoutExpired):
            for job in self.call("squeue", "--noheader", "--format", "%A").split():
                self.call("scancel", job)
            self.wait(lambda: not self.call("squeue", "--noheader"), "the end of all jobs", 40)

    def call(self, *command: str, folder: Path | None = None, **more: str) -> str:
        """Run a command against this SLURM and return what it prints."""
        done = subprocess.run(
            command, cwd=folder, env={**self.environment, **more}, capture_output=True, text=True,
            timeout=HANGS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def plexus(self, folder: Path, *arguments: str, **more: str) -> str:
        """Run plexus in a folder and return what it prints."""
        return self.call(sys.executable, "-m", "plexus", *arguments, folder=folder, **more)

    def state(self, job: str) -> str:
        """Return the state of a job, e.g. RUNNING or COMPLETED."""
        return self.facts(job)["JobState"]

    def facts(self, job: str) -> dict[str, str]:
        """Return what scontrol tells about a job."""
        words = self.call("scontrol", "--oneliner", "show", "job", job).split()
        return dict(word.partition("=")[::2] for word in words if "=" in word)

    def ended(self, job: str) -> bool:
        """Return whether a job has ended for good."""
        return self.state(job) not in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED")

    def wait(self, happened, what: str, seconds: float = HANGS) -> None:
        """Wait until something has happened."""
        end = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < end, f"{what} did not happen in {seconds} s\n{self.logs()}"
            time.sleep(0.2)

    def logs(self) -> str:
        """Return the ends of the daemons' logs and the queue."""
        texts = [self.call("squeue"), self.call("scontrol", "show", "jobs")]
        for name in ("slurmctld", "slurmd"):
            file = self.folder / f"{name}.log"
            texts.append(f"--- {name}\n" + "\n".join(file.read_text().splitlines()[-15:]))
        return "\n".join(texts)


def stop(process: int) -> None:
    """End a daemon by its process id; kill it when it does not end by itself."""
    for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        try:
            os.kill(process, number)
        except ProcessLookupError:
            return
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)


def job_id(said: str) -> str:
    """Return the id in what `plexus submit` prints."""
    return said.partition("submitted as job ")[2].split()[0]
