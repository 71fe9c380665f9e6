"""The `plexus` command.

Every command imports what it needs when it runs: `check` starts neither MPI nor a GPU, `--help` imports
almost nothing. Errors of the user are one or several lines on stderr and an exit code (`plexus.errors`),
never a traceback.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from plexus import __version__, tasks
from plexus.errors import InputError, OutputError, PlexusError
from plexus.fileformat import shown
from plexus.runtime import collector

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

Commands = argparse._SubParsersAction
Command = Callable[[argparse.Namespace, list[str]], int]
_EPILOG = """\
exit codes: 0 done, 2 the deck or another input is wrong, 3 a solve failed, 4 output failed,
5 a guard stopped the run, 75 stopped early with a checkpoint (submit again)"""
_PARALLEL = ("mpi4py", "petsc4py", "h5py")
"""Packages of a machine that runs decks; one that only writes and checks decks needs none."""
_OVERRIDE = "replace or add one value, e.g. -s mesh.cells[0]=40 -s time.end='3 s'; may be repeated"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # looking for plug-ins of pydantic would read a file of every installed package on every rank
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if arguments is None:
        collector.pause()
    options = parser(*given[:1]).parse_args(given)
    # a task collects once its parts are there
    if options.command is not _task:
        collector.resume()
    try:
        code = int(options.command(options, given))
        sys.stdout.flush()
        return code
    except PlexusError as error:
        print(shown(str(error)), file=sys.stderr)
        return error.exit_code
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _PARALLEL:
            raise
        print(
            f"running needs MPI, PETSc and HDF5 of one source (docs/environments.md): {error}",
            file=sys.stderr,
        )
        return InputError.exit_code
    except BrokenPipeError:  # the reader of our output, e.g. `head`, is gone
        # Python would complain once more when it flushes the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # where standard output goes, no more can be written; anything else is a defect
        if error.filename is not None or error.errno not in (
            errno.ENOSPC,
            errno.EDQUOT,
            errno.EFBIG,
            errno.EIO,
        ):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"cannot write to standard output: {error.strerror}", file=sys.stderr)
        return OutputError.exit_code
    except KeyboardInterrupt:
        return 130


def parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of the whole command line; where ``command`` is a task, of this one only.

    Every rank of a run makes one, and that of the whole would take a hundredth of the time to its first step.
    """
    top = argparse.ArgumentParser(
        prog="plexus",
        description="Parallel PETSc solvers driven by one YAML deck.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"plexus {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    if command in tasks.names():
        _add_task(commands, command)
        return top
    for name in tasks.names():
        _add_task(commands, name)
    _add_check(commands)
    _add_sweep(commands)
    _add_submit(commands)
    _add_catalogue(commands)
    _add_tools(commands)
    return top


def _command(
    commands: Commands, name: str, function: Command, text: str, more: str = ""
) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.\n{more}".strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    sub.set_defaults(command=function)
    return sub


def _deck_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("deck", metavar="DECK", help="the YAML deck")
    sub.add_argument(
        "-s", "--set", dest="overrides", metavar="PATH=VALUE", action="append", default=[], help=_OVERRIDE
    )


def _ranks(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10**7:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of ranks")
    return int(text)


def _member(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a member")
    return int(text)


def _add_task(commands: Commands, name: str) -> None:
    task = tasks.named(name)
    sub = _command(commands, name, _task, task.tip, task.more)
    _deck_arguments(sub)
    sub.add_argument("-n", dest="ranks", metavar="RANKS", type=_ranks, help="start this many ranks")
    sub.add_argument("-o", dest="folder", metavar="DIR", help="run folder (default: runs/<deck name>)")
    task.options(sub)
    sub.set_defaults(task=task)


def _add_check(commands: Commands) -> None:
    sub = _command(
        commands, "check", _check, "check a deck without running it",
        "All problems are reported at once as file:line:column.\n"
        "Looks at the mesh too; of a large file at names and sizes only.\n"
        "Starts neither MPI nor a GPU, except with --dry-run and --taylor.",
    )  # fmt: skip
    _deck_arguments(sub)
    sub.add_argument(
        "--mesh",
        action="store_true",
        help="tell unknowns, memory and output files too; reads a mesh file of any size",
    )
    sub.add_argument(
        "--taylor",
        action="store_true",
        help="compare derivatives in the deck's controls with differences: a table of remainders",
    )
    sub.add_argument(
        "--dry-run", action="store_true", help="build everything and take two steps, write nothing"
    )
    sub.add_argument(
        "-n", dest="ranks", metavar="RANKS", type=_ranks, default=1, help="ranks to estimate memory for"
    )
    sub.add_argument(
        "--effective", action="store_true", help="print the complete deck with the origin of each value"
    )


def _add_sweep(commands: Commands) -> None:
    sub = _command(
        commands, "sweep", _sweep, "run or train a deck with other values, as its block `sweep` says",
        "Each member has a run folder in DIR; what is done is not run again, what was stopped goes on.\n"
        "exit codes: 0 all members done, 75 stopped (call it again), else that of the first failed member",
    )  # fmt: skip
    _deck_arguments(sub)
    sub.add_argument("-o", dest="folder", metavar="DIR", help="sweep folder (default: runs/<deck name>)")
    sub.add_argument("-n", dest="ranks", metavar="RANKS", type=_ranks, default=1, help="ranks of each member")
    sub.add_argument("--workers", metavar="N", type=_ranks, help="members that run at once (default: as fit)")
    which = sub.add_mutually_exclusive_group()
    which.add_argument("--failed", action="store_true", help="run the failed members again, and only these")
    which.add_argument(
        "--member", metavar="K", type=_member, help="run only member K, e.g. in a job array; 0 is the first"
    )
    which.add_argument("--list", dest="listing", action="store_true", help="only show the members' states")


def _add_submit(commands: Commands) -> None:
    sub = _command(
        commands, "submit", _submit, "submit a deck as a job (SLURM), or start it in the background",
        "A machine's profile, the deck's block `job` and the size of the problem fill in a job script.\n"
        "A deck with a block `sweep` becomes a job array, one with `sweep.search` a single job.",
    )  # fmt: skip
    _deck_arguments(sub)
    sub.add_argument("--profile", metavar="P", help="name of a machine profile, or its file")
    sub.add_argument("--print", dest="show", action="store_true", help="only print the job script")
    sub.add_argument("-o", dest="folder", metavar="DIR", help="run folder (default: runs/<deck name>)")
    sub.add_argument(
        "--restart", metavar="FILE", nargs="?", const="latest", help="as for `plexus run`, for the first job"
    )
    sub.add_argument("--failed", action="store_true", help="only the failed members of a sweep")
    for name in tasks.names()[1:]:
        sub.add_argument(
            f"--{name}", dest="task", action="store_const", const=name, default="run",
            help=f"{tasks.named(name).tip}, instead of running it",
        )  # fmt: skip
    sub = _command(
        commands, "link", _link, "what job scripts call: run a deck as one link of a chain of jobs",
        "After exit code 75 this job is put back, or the next one submitted, until the run is over.",
    )  # fmt: skip
    sub.add_argument("-n", dest="ranks", metavar="RANKS", type=_ranks, help="ranks (default: the job's)")
    sub.add_argument("--chain", choices=["requeue", "submit", "none"], default="none", help="how to go on")
    sub.add_argument("--max-links", metavar="N", type=_ranks, default=50, help="most links (default: 50)")
    sub.add_argument("--script", metavar="FILE", default="", help="the job script, to submit it again")
    sub.add_argument("words", metavar="COMMAND", nargs="+", help="run, train or sweep DECK …, behind --")


def _add_catalogue(commands: Commands) -> None:
    sub = _command(commands, "list", _list, "list the kinds of components, or the members of one kind")
    sub.add_argument("kind", metavar="KIND", nargs="?", help="e.g. physics")
    more = "Equation, source, and every parameter with unit, bounds, default and meaning."
    sub = _command(commands, "explain", _explain, "explain a component or a block of the deck", more)
    sub.add_argument(
        "topic", metavar="KIND.NAME", help="e.g. physics.heat, preconditioner.gamg, solver, time"
    )
    sub = _command(commands, "schema", _schema, "print the JSON Schema of decks, for editors")
    sub.add_argument("--check", metavar="FILE", help="only compare with FILE; exit 2 when FILE is stale")
    sub.add_argument("-o", dest="target", metavar="FILE", help="write to FILE instead")


def _add_tools(commands: Commands) -> None:
    sub = _command(commands, "new", _new, "write a new deck from a template")
    sub.add_argument(
        "template", metavar="TEMPLATE", nargs="?", help="name of a template; without it they are listed"
    )
    sub.add_argument("-o", dest="target", metavar="FILE", help="file to write (default: TEMPLATE.yaml)")
    sub = _command(
        commands, "bench", _bench, "run benchmarks, or compare preconditioners on a matrix",
        "Each prints a table and writes runs/bench/<name>.json. `linear:FILE` tells which preconditioner to\n"
        "take for a symmetric positive definite matrix, in a file or named by a deck.",
    )  # fmt: skip
    sub.add_argument(
        "names", metavar="NAME", nargs="*", help="which ones; without a name all, which takes hours"
    )
    sub = _command(commands, "mesh", _mesh, "tools for meshes")
    tools = sub.add_subparsers(title="tools", metavar="TOOL", required=True)
    info = _command(
        tools, "info", _mesh_info, "tell what a mesh file holds",
        "Sizes, extent, connected parts, regions, boundaries, sum; refuses what a run would refuse.",
    )  # fmt: skip
    info.add_argument("source", metavar="FILE", help="a Gmsh file (MSH 4.1), or one made by `mesh convert`")
    info.add_argument(
        "--scale", type=_length, default=1.0, help="length of the file's unit, e.g. '1 mm' (default: 1 m)"
    )
    convert = _command(tools, "convert", _mesh, "convert a mesh to the HDF5 format that ranks read in slices")
    convert.add_argument("source", metavar="IN", help="a Gmsh file (MSH 4.1)")
    convert.add_argument("target", metavar="OUT", help="the HDF5 file to write")
    convert.add_argument(
        "--scale", type=_length, default=1.0, help="length of the file's unit, e.g. '1 mm' (default: 1 m)"
    )


def _task(options: argparse.Namespace, given: list[str]) -> int:
    from plexus import launch
    from plexus.runtime import early
    from plexus.runtime.log import TERMINAL

    early.listen()
    if not launch.inside():
        os.environ[TERMINAL] = str(int(sys.stdout.isatty()))
    if getattr(options, "citations", False) and _done(options):
        return 0
    if options.ranks and not launch.inside():
        return launch.launch(options.ranks, _without_ranks(given))
    from plexus import driver

    asked = {f.name: getattr(options, f.name) for f in fields(tasks.Request) if hasattr(options, f.name)}
    code = driver.perform(tasks.Request(**asked), options.task)
    if getattr(options, "citations", False) and launch.first():
        from plexus.deck.citations import citations
        from plexus.deck.load import load

        print(shown(citations(load(options.deck, options.overrides))))
    return code


def _done(options: argparse.Namespace) -> bool:
    """Print what to cite if the folder holds a finished run of the deck; its results stay where they are."""
    from plexus.deck.citations import citations
    from plexus.deck.load import load
    from plexus.runtime.claim import holds

    if options.restart is not None:
        return False
    deck = load(options.deck, options.overrides)
    folder = Path(options.folder or Path("runs") / deck.name)
    if not holds(folder, deck.effective_yaml()):
        return False
    from plexus import launch

    if launch.first():
        print(f"{shown(str(folder))} holds this run: it is not run again", file=sys.stderr)
        print(shown(citations(deck)))
    return True


def _without_ranks(given: list[str]) -> list[str]:
    """Return the arguments without ``-n RANKS`` in any of its spellings."""
    kept: list[str] = []
    words = iter(given)
    for word in words:
        if word == "-n":
            next(words, None)
        # argparse takes -n3 as well as -n 3.
        elif not (word.startswith("-n") and word[2:].lstrip("=").isdecimal()):
            kept.append(word)
    return kept


def _check(options: argparse.Namespace, given: list[str]) -> int:
    from plexus.deck.doubts import doubts
    from plexus.deck.load import load

    deck = load(options.deck, options.overrides)
    if options.effective:
        print(deck.effective_yaml(), end="")
        return 0
    from plexus.deck.train import taken_over
    from plexus.preview import preview, seen
    from plexus.tasks._offline import told

    warnings = (f"warning: {doubt}" for doubt in doubts(deck))
    for line in (*seen(deck), *told(deck), *taken_over(deck), *warnings):
        print(shown(line))
    fields = "steady" if deck.time is None else f"to t = {deck.time.end:g} s"
    mesh = f"{deck.mesh.type} mesh, " if deck.mesh else ""
    sweep = f", sweep of {_sweep_size(deck)} members" if deck.sweep else ""
    for line in _idle(deck):
        print(shown(f"warning: {line}"))
    if options.mesh:
        print(shown(preview(deck, options.ranks)))
    if options.taylor:
        from plexus import driver

        driver.perform(tasks.Request(options.deck, options.overrides, dry=True), tasks.named("_taylor"))
    if options.dry_run:
        from plexus import driver

        code = driver.run(options.deck, options.overrides, dry=True)
        if code:
            return code
    print(f"{shown(options.deck)}: good ({mesh}{deck.physics.type}, {fields}{sweep})")
    return 0


def _idle(deck: Deck) -> list[str]:
    """Return what a sweep varies in vain, and what its search lacks here."""
    if deck.sweep is None:
        return []
    from plexus.sweep.idle import idle
    from plexus.sweep.search import missing

    lacking = missing(deck)
    return [*idle(deck), *([lacking] if lacking else [])]


def _sweep_size(deck: Deck) -> int:
    """Return the number of members of a deck's sweep after checking all of them."""
    from plexus.deck.members import check

    # a search has more members than those that it draws first
    drawn = len(check(deck))
    return deck.sweep.size() if deck.sweep and deck.sweep.search else drawn


def _sweep(options: argparse.Namespace, given: list[str]) -> int:
    from plexus.sweep.main import Options, main

    names = ("deck", "overrides", "folder", "workers", "ranks", "failed", "listing", "member")
    return main(Options(**{name: getattr(options, name) for name in names}))


def _submit(options: argparse.Namespace, given: list[str]) -> int:
    from plexus.submit.main import Request, submit

    names = ("deck", "overrides", "folder", "profile", "restart", "show", "failed", "task")
    return submit(Request(**{name: getattr(options, name) for name in names}))


def _link(options: argparse.Namespace, given: list[str]) -> int:
    from plexus.deck.load import load
    from plexus.submit.link import Link

    inner = parser().parse_args(options.words)
    names = ("ranks", "chain", "max_links", "script", "words")
    link = Link(folder=None, **{name: getattr(options, name) for name in names})
    # another command, e.g. a sweep, looks after the checkpoints of what it starts
    if inner.command is _task:
        # the task reads the deck again; here it tells the folder, and a wrong one ends the chain at once
        folder = Path(inner.folder or Path("runs") / load(inner.deck, inner.overrides).name)
        link = replace(link, folder=folder, memory=inner.task.memory)
    return link.run()


def _list(options: argparse.Namespace, given: list[str]) -> int:
    from plexus.deck.explain import listing

    print(listing(options.kind))
    return 0


def _explain(options: argparse.Namespace, given: list[str]) -> int:
    from plexus.deck.explain import explain

    print(explain(options.topic))
    return 0


def _schema(options: argparse.Namespace, given: list[str]) -> int:
    from plexus.deck import jsonschema

    text = jsonschema.text()
    if options.check:
        if _read(options.check) != text:
            raise InputError(f"{options.check} is stale: run `plexus schema -o {options.check}`")
    elif options.target:
        _write(options.target, text)
    else:
        print(text, end="")
    return 0


def _new(options: argparse.Namespace, given: list[str]) -> int:
    from plexus.deck import templates

    if options.template is None:
        print("\n".join(f"{name:16} {tip}" for name, tip in templates.catalogue().items()))
        return 0
    target = Path(options.target or f"{options.template}.yaml")
    text = templates.text(options.template, target)
    if target.exists():
        raise InputError(f"{target} exists already; name another file with -o")
    _write(target, text)
    print(f"{target} written; next: plexus check {target}, plexus run {target}")
    return 0


def _bench(options: argparse.Namespace, given: list[str]) -> int:
    from plexus import bench

    return int(bench.main(options.names))


def _length(text: str) -> float:
    """Return a positive length in metres from the command line."""
    from plexus.deck.units import UnitError, quantity

    try:
        length = quantity(text, "m")
    except UnitError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not length > 0:
        raise argparse.ArgumentTypeError(f"must be > 0, not {text}")
    return length


def _mesh_info(options: argparse.Namespace, given: list[str]) -> int:
    from plexus.preview import mesh_file

    for line in mesh_file(options.source, options.scale):
        print(shown(line))
    return 0


def _mesh(options: argparse.Namespace, given: list[str]) -> int:
    from plexus.mesh import convert

    convert.convert(Path(options.source), Path(options.target), options.scale)
    print(f"{options.target} written; next: plexus mesh info {options.target}")
    return 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _write(path: str | Path, text: str) -> None:
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
