"""`plexus sweep`: run the members of a deck's sweep on this machine, or one of them for a job array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plexus import launch
from plexus.deck.load import Deck, load
from plexus.deck.members import Member, check
from plexus.deck.sweep import best as figure_of
from plexus.errors import InputError
from plexus.runtime.summary import STOPPED
from plexus.sweep import folder as folders
from plexus.sweep.best import verdict
from plexus.sweep.folder import SweepFolder
from plexus.sweep.idle import idle
from plexus.sweep.runner import Runner, default_workers
from plexus.sweep.search import following, missing
from plexus.sweep.status import FINISHED, OPEN, Status, status
from plexus.sweep.table import line, table, totals
from plexus.tasks._offline import before, words


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    Attributes
    ----------
    deck, overrides : the sweep's deck and the ``-s`` texts.
    folder : sweep folder; default ``runs/<deck name>``.
    workers : members that run at once; default by the deck or the cores.
    ranks : ranks of each member where the sweep does not vary them.
    failed : run the members that failed, and only these.
    listing : only show the members and their states.
    member : run this one only.
    """

    deck: str
    overrides: Sequence[str] = ()
    folder: str | None = None
    workers: int | None = None
    ranks: int = 1
    failed: bool = False
    listing: bool = False
    member: int | None = None


def main(options: Options) -> int:
    """Run the command and return its exit code.

    0 when all members are done; 75 when it was stopped and can go on; else the exit code of the first member
    that failed.
    """
    if launch.inside():
        raise InputError(
            "plexus sweep starts the ranks of its members itself: call it without a launcher, with -n"
        )
    if options.member is not None:
        return one(options, options.member)
    if options.listing:
        return show(options)
    return run(options)


def one(options: Options, index: int) -> int:
    """Run one member unless it is done, and return its exit code; safe beside others of the same sweep."""
    sweep = folders.enter(options.deck, options.overrides, options.folder)
    member = sweep.member(index)
    before = status(sweep.place(member))
    if before.state in FINISHED:
        print(f"member {index} is done already: {sweep.place(member)}")
        return 0
    found = Runner(sweep, ranks=options.ranks, told=_tell(sweep)).run([member])
    # asked to stop before it had begun: submit again
    after = found.get(index, Status("stopped", STOPPED))
    if after.state == "running":
        raise InputError(f"{sweep.place(member)}: this member is being run by another process")
    return after.exit_code or 0


def show(options: Options) -> int:
    """Print the members and what became of them; makes no folder."""
    deck = load(options.deck, options.overrides)
    place = folders.locate(deck, options.folder)
    if (place / folders.SWEEP).exists():
        sweep = folders.prepare(deck, place)
        _show(sweep, deck, _states(sweep))
    else:
        for member in check(deck):
            print(f"{member.index:6}  {member.words()}")
        print(f"{len(check(deck))} members; nothing has been run in {place}")
    return 0


def pending(deck: Deck, folder: str | Path | None, failed: bool) -> tuple[SweepFolder, list[Member]]:
    """Return the sweep of a deck, made if there is none yet, and the members that are to be run.

    These are the ones that failed, or those that are neither done nor failed nor running. They get the deck
    as it is now; a line on the screen tells which finished ones had another.

    Raises
    ------
    PlexusError
        If the deck is wrong, or the folder holds another sweep or cannot be written.
    """
    sweep = folders.prepare(deck, folders.locate(deck, folder))
    states = _states(sweep)
    members = [m for m in sweep.members if states[m.index].state in (("failed",) if failed else OPEN)]
    _renew(sweep, deck, members, states)
    return sweep, members


def run(options: Options) -> int:
    """Run what is left of the sweep, or what failed, print the table, return the exit code."""
    deck = load(options.deck, options.overrides)
    problem = missing(deck)
    if problem:
        raise InputError(problem)
    if first := before(deck):
        raise InputError(f"rom.file is missing, and the members share it: make it first by {words(first)}")
    sweep, members = pending(deck, options.folder, options.failed)
    for text in idle(deck):
        print(f"warning: {text}", flush=True)
    states = _states(sweep)
    runner = _runner(options, sweep, deck, members)
    print(f"{sweep.folder}: {totals(states)}; {len(members)} to run, {runner.workers} at a time", flush=True)
    began = runner.run(members)
    if not options.failed:
        began |= _search(sweep, deck, runner)
    # what could not even be started has told nobody but us
    after = {**_states(sweep), **{i: s for i, s in began.items() if s.state in ("failed", "running")}}
    _show(sweep, deck, after)
    left = len(sweep.members) < (deck.sweep.size() if deck.sweep else 0)
    unfinished = (left and runner.stopped) or any(s.state in OPEN for s in after.values())
    _advise(options, after, unfinished, runner.stopped)
    return _code(after, unfinished and runner.stopped)


def _search(sweep: SweepFolder, deck: Deck, runner: Runner) -> dict[int, Status]:
    """Choose and run members of a search until it has all; return the status of those that were begun."""
    began: dict[int, Status] = {}
    trials = deck.sweep.search.trials if deck.sweep and deck.sweep.search else 0
    while len(sweep.members) < trials and not runner.stopped:
        states = _states(sweep)

        def chosen(members: Sequence[Member], states: Mapping[int, Status] = states) -> list[Member]:
            return following(deck, members, states, min(runner.workers, trials - len(members)))

        began |= runner.run(sweep.grow(deck, chosen))
    return began


def _show(sweep: SweepFolder, deck: Deck, states: Mapping[int, Status]) -> None:
    """Print the table, and which member is best."""
    name = figure_of(deck)
    print(table(sweep, states, name), flush=True)
    for text in verdict(sweep, states, name) if name else ():
        print(text)


def _runner(options: Options, sweep: SweepFolder, deck: Deck, members: Sequence[Member]) -> Runner:
    most = max((m.ranks or options.ranks for m in members), default=options.ranks)
    workers = options.workers or default_workers(deck.sweep, most)
    more = deck.sweep.size() - len(sweep.members) if deck.sweep else 0
    workers = max(1, min(workers, max(len(members), more)))
    launch.bearable(workers * most)
    return Runner(sweep, workers, options.ranks, _tell(sweep))


def _tell(sweep: SweepFolder):  # type: ignore[no-untyped-def]
    return lambda member, found: print(line(member, found, len(sweep.members)), flush=True)


def _renew(sweep: SweepFolder, deck: Deck, members: Sequence[Member], states: Mapping[int, Status]) -> None:
    """Give members that are about to run the deck as it is now; tell which finished ones had another."""
    if not any([sweep.refresh(deck, m) for m in members]):
        return
    done = [m for m in sweep.members if states[m.index].state in FINISHED]
    old = sweep.outdated(deck, done)
    if old:
        print(f"warning: the deck has changed since these members were run: {_numbers(old)}", flush=True)


def _numbers(members: Sequence[Member]) -> str:
    text = [str(m.index) for m in members]
    return ", ".join(text if len(text) <= 12 else [*text[:12], f"and {len(text) - 12} more"])


def _states(sweep: SweepFolder) -> dict[int, Status]:
    return {m.index: status(sweep.place(m)) for m in sweep.members}


def _advise(options: Options, after: Mapping[int, Status], unfinished: bool, stopped: bool) -> None:
    """Say how to go on."""
    command = f"plexus sweep {options.deck}" + (f" -o {options.folder}" if options.folder else "")
    if unfinished:
        print(f"go on with: {command}")
    if any(s.state == "failed" for s in after.values()):
        print(f"run the failed members again with: {command} --failed")
    if not stopped:
        print("gather and draw the results with: plexus-post info, plexus-post plot, plexus-post export")


def _code(after: Mapping[int, Status], stopped: bool) -> int:
    if stopped:
        return STOPPED
    return next((s.exit_code or 1 for s in after.values() if s.state == "failed"), 0)
