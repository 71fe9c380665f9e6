"""`plexus submit`: from a deck to a queued job."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plexus import tasks
from plexus.deck.load import load
from plexus.deck.schema import Deck
from plexus.errors import InputError, OutputError
from plexus.runtime.claim import JOB, JOB_LOG, JOB_LOGS, claim, of_deck
from plexus.runtime.files import write_text
from plexus.runtime.interpreter import python
from plexus.submit import places, slurm
from plexus.submit.profile import Profile, choose
from plexus.submit.render import TASK, Script, clock, render
from plexus.submit.size import Size, propose
from plexus.sweep import check
from plexus.sweep.main import pending
from plexus.tasks._offline import before, told


@dataclass(frozen=True)
class Request:
    """The command line of `plexus submit`."""

    deck: str
    overrides: Sequence[str] = ()
    folder: str | None = None
    profile: str | None = None
    restart: str | None = None
    show: bool = False
    failed: bool = False
    task: str = "run"


def submit(request: Request) -> int:
    """Render the job script of a deck, then show or submit it; return the exit code.

    Raises
    ------
    PlexusError
        If the deck or the profile is wrong, or the scheduler refuses.
    """
    _submitted(request)
    return 0


def _submitted(request: Request) -> str:
    """Show or submit a job script; return the job's id, empty where none is in a queue."""
    deck = load(request.deck, request.overrides)
    gpu = deck.runtime.device == "cuda" or bool(deck.job.gpus_per_node)
    name, profile = choose(request.profile, deck.job.profile, gpu)
    # the members of a sweep say themselves what they are
    task = request.task if deck.sweep is None or request.task != "run" else deck.sweep.run
    problem = tasks.named(task).problem(deck)
    if problem:
        raise InputError(f"{request.deck}: {problem}")
    if tasks.named(task).whole:
        # one job does all that the sweep says
        deck = deck.model_copy(update={"sweep": None})
    size = propose(deck, profile, task)
    folder = Path(request.folder or Path("runs") / deck.name)
    members = _members(deck, request, folder)
    if members == []:
        print(f"{folder}: no member is left to run")
        return ""
    text = script(deck, profile, size, request, folder, members)
    if request.show:
        print(text, end="")
        print(_sentence(deck, name, size), file=sys.stderr)
        for line in told(deck) if task != "reduce" else ():
            print(line, file=sys.stderr)
        return ""
    try:
        claim(folder, (JOB, JOB_LOG, JOB_LOGS, *(() if deck.sweep else of_deck(deck))))
    except OSError as error:
        raise OutputError(f"run folder {folder}: {error.strerror}") from error
    write_text(folder / JOB, text)
    print(_sentence(deck, name, size))
    if profile.scheduler != "slurm":
        print(_start(folder))
        return ""
    job = slurm.submit(folder / JOB, _after(request, task, deck))
    print(_queued(job, folder, deck))
    return job


def _after(request: Request, task: str, deck: Deck) -> list[str]:
    """Submit the reduction that makes a missing file first; return the options of a job that waits for it.

    Raises
    ------
    InputError
        If the jobs of its chain have numbers of their own, for which no other job can wait.
    """
    first = before(deck) if tasks.named(task).marches else None
    if first is None:
        return []
    offline = load(first.deck, first.overrides)
    if offline.job.chain == "submit":
        raise InputError(
            f"{first.deck}: job.chain: no job can wait for the last of a chain that is submitted link by "
            f"link: say requeue, or do it first: plexus submit --reduce {shlex.quote(str(first.deck))} "
            f"-o {shlex.quote(str(first.folder))}"
        )
    wanted = Request(
        str(first.deck), first.overrides, str(first.folder), request.profile, first.restart, task="reduce"
    )
    job = _submitted(wanted)
    print(f"{deck.name} waits for job {job}, which makes {deck.rom.file}")  # type: ignore[union-attr]
    return [f"--dependency=afterok:{job}", "--kill-on-invalid-dep=yes"]


def _members(deck: Deck, request: Request, folder: Path) -> list[int] | None:
    """Return which members of a sweep the jobs run, and make their folders; None if the deck is no sweep."""
    if deck.sweep is None:
        if request.failed:
            raise InputError(f"{request.deck}: --failed is for sweeps, and the deck has no block `sweep`")
        return None
    # what is only shown leaves no trace
    if request.show:
        return [member.index for member in check(deck)]
    sweep, members = pending(deck, folder, request.failed)
    more = range(len(sweep.members), 0 if request.failed else deck.sweep.size())
    return [*(member.index for member in members), *more]


def _ranges(indices: Sequence[int]) -> str:
    """Return sorted numbers as sbatch has them, e.g. ``0-3,7``."""
    starts = [i for i in indices if i - 1 not in indices]
    ends = [i for i in indices if i + 1 not in indices]
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def script(
    deck: Deck,
    profile: Profile,
    size: Size,
    request: Request,
    folder: Path,
    members: Sequence[int] | None = None,
) -> str:
    """Return the job script of a deck; for ``members`` of a sweep that of an array of jobs."""
    overrides = [word for text in request.overrides for word in ("-s", text)]
    words = [request.deck, *overrides, "-o", str(folder)]
    array = None
    # members of a search are chosen one after the other: one job runs them all
    if deck.sweep is None:
        words = [request.task, *words, *tasks.named(request.task).restarting(request.restart)]
    elif profile.scheduler == "slurm" and deck.sweep.search is None:
        words = ["sweep", *words, "--member", TASK]
        workers = f"%{deck.sweep.workers}" if deck.sweep.workers else ""
        array = _ranges(members or range(deck.sweep.size())) + workers
    else:
        words = ["sweep", *words, *(["--failed"] if request.failed else [])]
    job = Script(words, python("plexus"), deck.name, folder, array)
    template = places.find("templates", profile.template).read_text("utf-8")
    return render(template, deck, profile, size, job)


def _sentence(deck: Deck, profile: str, size: Size) -> str:
    """Return what is asked for and why."""
    nodes = f"{size.nodes} node{'s' * (size.nodes > 1)}"
    ranks = f"{size.ranks_per_node} rank{'s' * (size.ranks_per_node > 1)}"
    threads = f" x {size.threads} threads" if size.threads > 1 else ""
    gpus = f", {size.gpus_per_node} GPUs per node" if size.gpus_per_node else ""
    memory = f", {size.memory / 1e9:.3g} GB per node" if size.memory else ""
    array = f", sweep of {deck.sweep.size()} members" if deck.sweep else ""
    return (
        f"{deck.name}: {nodes} x {ranks}{threads}{gpus}{memory}, {clock(size.time)}{array}"
        f" (profile {profile}; {size.why})"
    )


def _queued(job: str, folder: Path, deck: Deck) -> str:
    """Return what the user wants to know of a job next."""
    place = shlex.quote(str(folder))
    array = deck.sweep is not None and deck.sweep.search is None
    log = f"{place}/job-{job}" + ("_*.out" if array else ".out")
    follow = (
        f"plexus sweep {shlex.quote(str(deck.path))} -o {place} --list"
        if deck.sweep
        else f"plexus-post info --follow {place}"
    )
    return "\n".join(
        [
            f"submitted as job {job}",
            f"  queue    squeue -j {job}",
            f"  follow   {follow}",
            f"  log      tail -F {log}",
            f"  cancel   scancel {job}      (writes a checkpoint; plexus submit --restart goes on)",
        ]
    )


def _start(folder: Path) -> str:
    """Start the script in the background of this machine and return what the user wants to know next."""
    with (folder / JOB_LOG).open("ab") as log:
        job = subprocess.Popen(
            ["bash", str(folder / JOB)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, env=dict(os.environ),
        )  # fmt: skip
    place = shlex.quote(str(folder))
    return "\n".join(
        [
            f"started as process {job.pid}",
            f"  follow   plexus-post info --follow {place}",
            f"  log      tail -F {place}/{JOB_LOG}",
            f"  cancel   kill {job.pid}      (writes a checkpoint; plexus submit --restart goes on)",
        ]
    )
