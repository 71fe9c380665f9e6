"""Starting the ranks of a run: finds the launcher, sets what it and the ranks need, passes signals on.

`plexus run -n 4 deck.yaml` on a terminal becomes `mpirun -n 4 python -P -m plexus run deck.yaml`; inside
mpirun or srun the same command joins the ranks that are there. The launcher is the value of the environment
variable ``PLEXUS_LAUNCHER`` (with arguments), or the first of mpirun, mpiexec and srun that is found.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from plexus.devices.threads import FREE
from plexus.errors import InputError
from plexus.runtime import parent, scheduler
from plexus.runtime.interpreter import python
from plexus.runtime.provenance import COMMAND
from plexus.runtime.stop import NOTE

LAUNCHERS = ("mpirun", "mpiexec", "srun")
OPEN_MPI = ("orterun", "prterun", "mpirun.openmpi")
"""Programs that Open MPI's ``mpirun`` is a link to."""
INSIDE = {
    "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK", "PMI_SIZE": "PMI_RANK", "PMIX_RANK": "PMIX_NAMESPACE",
    "MPI_LOCALNRANKS": "MPI_LOCALRANKID",
}  # fmt: skip
"""Variables that launchers of the common MPI libraries set in the ranks, each with one that goes with it."""
SINGLE = "OMPI_MCA_ess"
"""Open MPI sets it to ``singleton`` where a program without launcher started MPI; children inherit that."""
LEFT = ("PMIX_", "PMI_", "OMPI_COMM_WORLD_", "OMPI_MCA_ess", "OMPI_MCA_pmix", "MPI_LOCAL")
"""Beginnings of the variables that tell a rank who it is; those of another job would mislead a launcher."""
STARTED = "PLEXUS_RANKS"
"""Variable that tells the ranks how many of them were started; MPI must agree."""
NEAR = {"OMPI_MCA_pml": "ob1"}
"""What Open MPI needs on one machine: memory, and none of the networks that it was built for."""
ALONE = NEAR | {"OMPI_MCA_ess_singleton_isolated": "1"}
"""The same for one process, beside which no daemon is needed: it serves those that a process starts."""
MOST, PER_CORE = 64, 16
"""Ranks that a machine of any size bears, and ranks per core; far more would bring it down."""
ASKED = 4
"""Ranks per core from which on the user is asked."""
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
SETTLE = 2.0
"""Seconds that launcher and ranks have to start; a request to stop would end them in that time, and waits."""
FATAL = (signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)
"""Signals that end a rank before it can say why."""


def inside() -> bool:
    """Return whether this process already is a rank that a launcher started."""
    alone = os.environ.get(SINGLE) == "singleton"
    return not alone and any(one in os.environ and other in os.environ for one, other in INSIDE.items())


def first() -> bool:
    """Return whether this process is rank 0, as its launcher says, or the only one."""
    return os.environ.get("OMPI_COMM_WORLD_RANK", os.environ.get("PMI_RANK", "0")) == "0"


def alone() -> None:
    """Let MPI start in this process alone, unless a launcher has started it; what the user has set stays.

    Daemon and networks take a third of the time to the first solve.
    """
    if not inside():
        for name, value in ALONE.items():
            os.environ.setdefault(name, value)


def _elsewhere() -> bool:
    """Return whether other machines may take ranks: in a batch job, or by options of the user's launcher."""
    return scheduler.JOB in os.environ or len(shlex.split(os.environ.get("PLEXUS_LAUNCHER", ""))) > 1


def agreed(asked: int | None, size: int) -> None:
    """Compare the number of ranks that was asked for with what MPI has made.

    Raises
    ------
    InputError
        If they differ: a launcher of another MPI, or variables of one that is not there.
    """
    started = os.environ.get(STARTED, "")
    if started.isdecimal() and int(started) != size:
        raise InputError(
            f"-n: {started} ranks were started, and MPI sees {size}: the launcher and mpi4py are of two MPIs "
            "(PLEXUS_LAUNCHER chooses the launcher)"
        )
    if asked is not None and asked != size:
        found = ", ".join(name for name in INSIDE if name in os.environ)
        raise InputError(
            f"-n: {asked} ranks are asked for, and MPI has {size}: {found} in the environment says that a "
            "launcher runs this; unset it, or leave -n out under a launcher"
        )


def bearable(ranks: int) -> None:
    """Refuse more ranks than this machine bears, and ask on a terminal from `ASKED` per core on.

    Where other machines may take them, it is not this one that counts.

    Raises
    ------
    InputError
        If there are far too many, or the user says no.
    """
    if _elsewhere():
        return
    cores = len(os.sched_getaffinity(0))
    if ranks > max(MOST, PER_CORE * cores):
        raise InputError(
            f"-n: {ranks} ranks are too many for the {cores} cores of this machine; PLEXUS_LAUNCHER with a "
            "file of hosts, or `plexus submit`, takes more machines"
        )
    if ranks > ASKED * cores and sys.stdin.isatty() and sys.stderr.isatty():
        print(
            f"{ranks} ranks on {cores} cores will be slow. Go on? [y/N] ", end="", file=sys.stderr, flush=True
        )
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise InputError("-n: not started")


def launch(ranks: int, arguments: Sequence[str]) -> int:
    """Run ``plexus <arguments>`` on ``ranks`` ranks and return the job's exit code.

    Interrupt and termination reach the ranks as USR1, on which a run writes a checkpoint and ends with
    code 75; Open MPI would kill its ranks one second after the originals. A note beside tells the ranks
    which signal it was.

    Raises
    ------
    InputError
        If no launcher is found, or this machine does not bear so many ranks.
    """
    bearable(ranks)
    command = [*prefix(ranks), *python("plexus", *arguments)]
    # the command line as the user gave it is known here only
    told = {COMMAND: shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]), STARTED: str(ranks)}
    heard: list[int] = []
    settled = False
    job: subprocess.Popen[bytes] | None = None

    def forward(number: int, frame: FrameType | None) -> None:
        Path(told[NOTE]).write_text(str(number))
        heard.append(number)
        if settled and job is not None:
            job.send_signal(signal.SIGUSR1)

    with tempfile.TemporaryDirectory(prefix="plexus_") as folder:
        told[NOTE] = str(Path(folder) / "signal")
        with _handled(forward):
            with without_term():
                # A session of its own keeps the terminal's Ctrl-C from reaching the launcher directly.
                job = subprocess.Popen(
                    command, env=environment() | told, start_new_session=True, preexec_fn=parent.bound()
                )
            with suppress(subprocess.TimeoutExpired):
                job.wait(SETTLE)
            settled = True
            # once only: at its end a launcher no longer handles the signal
            if heard:
                job.send_signal(signal.SIGUSR1)
            code = job.wait()
    who = "a rank" if code >= 0 else "the launcher"
    # a job killed by signal n ends like one of a shell, with 128 + n
    code = code if code >= 0 else 128 - code
    if code - 128 in FATAL:
        cause = ", from outside or for lack of memory" if code - 128 == signal.SIGKILL else ""
        print(f"{who} was ended by {signal.Signals(code - 128).name}{cause}", file=sys.stderr)
    return code


@contextmanager
def without_term() -> Iterator[None]:
    """Start a launcher that TERM does not reach, in a batch job.

    A cancelled job gets TERM in every process, the launcher included, which would kill its ranks before they
    have written their checkpoint. Blocked signals stay blocked in the launcher; Open MPI unblocks them in its
    ranks, and ranks of other launchers hear of it by USR1.
    """
    if scheduler.JOB not in os.environ:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle the signals that are passed on, and put the earlier handlers back."""
    before = {number: signal.signal(number, handler) for number in FORWARDED}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def prefix(ranks: int) -> list[str]:
    """Return the launcher's command line up to the program that it starts on ``ranks`` ranks.

    Raises
    ------
    InputError
        If no launcher is found.
    """
    launcher = find()
    return [*launcher, *_flags(launcher[0], ranks), "-n", str(ranks)]


def find() -> list[str]:
    """Return the launcher's command.

    Raises
    ------
    InputError
        If none of them is on the path.
    """
    chosen = shlex.split(os.environ.get("PLEXUS_LAUNCHER", ""))
    candidates = [chosen] if chosen else [[name] for name in LAUNCHERS]
    for command in candidates:
        if shutil.which(command[0]):
            return command
    looked = ", ".join(c[0] for c in candidates)
    raise InputError(
        f"-n: no MPI launcher found (looked for {looked}); load an MPI module or set PLEXUS_LAUNCHER"
    )


def _flags(launcher: str, ranks: int) -> list[str]:
    """Return what Open MPI needs beyond its environment: leave to run more ranks than cores."""
    if os.path.basename(launcher) == "srun" or not _is_open_mpi(launcher):
        return []
    # in a job the ranks may be on other nodes; the batch system has counted their cores
    few = scheduler.JOB not in os.environ and ranks > len(os.sched_getaffinity(0))
    return ["--quiet", *(["--oversubscribe"] if few else [])]


def _is_open_mpi(launcher: str) -> bool:
    """Return whether the launcher is Open MPI's, by the name of its file or else by what it says."""
    # starting it to ask costs a twentieth of a second
    program = Path(shutil.which(launcher) or launcher).resolve().name
    if program in OPEN_MPI:
        return True
    try:
        said = subprocess.run(
            [launcher, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "Open MPI" in said.stdout or "OpenRTE" in said.stdout


def environment() -> dict[str, str]:
    """Return the environment of the ranks; what the user has set stays.

    One thread per rank, except for torch, which gets those of the rank's cores (`plexus.devices.threads`):
    ranks, not threads, share the cores. No binding to cores: two jobs on one machine
    would both be bound to its first cores. A waiting rank offers its core to others; on a machine with more
    to do than this job, spinning ranks would wait for each other many times longer. Ranks of one machine talk
    through its memory. As root, Open MPI asks for consent.
    """
    wanted = {
        "OMP_NUM_THREADS": "1",
        "H5PY_ALWAYS_USE_MPI": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "OMPI_MCA_hwloc_base_binding_policy": "none",
        "PRTE_MCA_hwloc_default_binding_policy": "none",
    }
    if not _elsewhere():
        wanted |= NEAR
    if "OMP_NUM_THREADS" not in os.environ:
        wanted[FREE] = "auto"
    if os.geteuid() == 0:
        wanted |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        wanted |= {"PRTE_ALLOW_RUN_AS_ROOT": "1", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    mine = {k: v for k, v in os.environ.items() if not k.startswith(LEFT) or k.startswith("PMIX_MCA_")}
    return {**wanted, **mine}
