"""The command ``plexus-post``: info, plot, compare, export, probe, and the recipes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from plexus_post import compare, probe, sweep
from plexus_post.errors import PostError
from plexus_post.recipes import recipes
from plexus_post.run import open as open_run
from plexus_post.text import table


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 (compare: differing), 2 (unusable input)."""
    args = _parser().parse_args(argv)
    try:
        return int(args.command(args) or 0)
    except PostError as error:
        print(f"plexus-post: {error}", file=sys.stderr)
    # the reader of a pipe left early, e.g. head: not an error, and the exit must stay silent
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:  # the usual end of --follow
        return 130
    except OSError as error:
        print(f"plexus-post: {error.filename or 'reading'}: {error.strerror or error}", file=sys.stderr)
    except ImportError as error:
        print(f"plexus-post: {error}; install plexus[post]", file=sys.stderr)
    return 2


def _info(args: argparse.Namespace) -> int:
    from plexus_post.info import show

    if args.follow:
        if len(args.paths) != 1:
            raise PostError("--follow watches one run")
        from plexus_post.follow import follow

        return follow(Path(args.paths[0]), args.interval, args.timeout)
    for path in args.paths:
        if sweep.is_sweep(path):
            sweep.show(sweep.Sweep(path))
        else:
            show(open_run(path))
    return 0


def _plot(args: argparse.Namespace) -> None:
    from plexus_post.plot import pictures

    for path in args.paths:
        if sweep.is_sweep(path):
            from plexus_post import sweep_plot

            table = sweep.Sweep(path)
            place = Path(args.out) if args.out else table.folder / "pictures"
            for file in sweep_plot.pictures(table, place, args.fields):
                print(file)
            continue
        run = open_run(path)
        folder = Path(args.out) if args.out else run.folder / "pictures"
        for file in pictures(run, folder, args.fields, args.step, args.warp, args.mesh):
            print(file)


def _compare(args: argparse.Namespace) -> int:
    if args.verification:
        # all runs are shown before the verdict
        codes = [compare.verify(open_run(p)) for p in args.paths]
        return max(codes)
    if len(args.paths) != 2:
        raise PostError("compare needs two runs, or --verification and one")
    a, b = map(open_run, args.paths)
    return compare.report(compare.differences(a, b, args.fields), args.tolerance)


def _export(args: argparse.Namespace) -> None:
    from plexus_post.export import export

    if sweep.is_sweep(args.path):
        sweep.Sweep(args.path).write(Path(args.target))
        print(args.target)
        return
    run = open_run(args.path)
    export(run, Path(args.target), run.step(args.step, args.time), args.fields)
    print(args.target)


def _probe(args: argparse.Namespace) -> None:
    from plexus_post.export import write_csv

    run = open_run(args.path)
    if args.line:
        start, end = map(probe.point, args.line)
        points = probe.line(start, end, args.count)
    else:
        points = np.array([probe.point(p) for p in args.points or []])
    if not len(points):
        raise PostError("name points (--point x,y) or a line (--line x,y x,y)")
    if args.history:
        data = probe.history(run, points[0], args.fields)
    else:
        data = probe.sample(run, points, args.fields, run.step(args.step, args.time))
    if args.csv:
        write_csv(Path(args.csv), data)
    if args.plot:
        from plexus_post.plot_series import along

        along(data, "time" if args.history else "distance", run, Path(args.plot))
    if not (args.csv or args.plot):
        table(run.name, list(data), [[float(v) for v in row] for row in zip(*data.values(), strict=True)])


def _scaling(args: argparse.Namespace) -> None:
    from plexus_post.scaling import scaling

    paths = [Path(p) for p in args.paths]
    folder = Path(args.out) if args.out else paths[0] if len(paths) == 1 else Path("scaling")
    for file in scaling(paths, folder, args.to):
        print(file)


def _report(args: argparse.Namespace) -> None:
    from plexus_post.report import report

    run = open_run(args.path)
    print(report(run, Path(args.out) if args.out else run.folder / "report.html", args.step))


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="RUN")
    parser.add_argument("-o", "--out", metavar="FILE", help="the page (default: RUN/report.html)")
    parser.add_argument("--step", type=int, help="step of the pictures (default: the last)")
    parser.set_defaults(command=_report)


def _add_scaling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a sweep over ranks, or run folders")
    parser.add_argument("-o", "--out", help="folder of plot, table and model (default: PATH, or scaling/)")
    parser.add_argument("--to", type=_many, default=10_000, metavar="RANKS", help="how far (default: 10000)")
    parser.set_defaults(command=_scaling)


def _many(text: str) -> int:
    """Return a number of ranks from the command line."""
    if not text.isdecimal() or not 2 <= int(text) <= 10**8:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of ranks above 1")
    return int(text)


def _seconds(text: str) -> float:
    """Return a positive number of seconds from the command line."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="plexus-post", description="Look at the results of Plexus runs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    info = commands.add_parser("info", help="what a run was and what it found")
    info.add_argument("paths", nargs="+", metavar="RUN")
    info.add_argument("--follow", action="store_true", help="watch the run until it ends; exit with its code")
    info.add_argument("--interval", type=_seconds, default=2.0, help="seconds between two looks (default: 2)")
    info.add_argument(
        "--timeout", type=_seconds, default=600.0,
        help="seconds to wait for a run that has not begun (default: 600)",
    )  # fmt: skip
    info.set_defaults(command=_info)
    _add_plot(commands.add_parser("plot", help="pictures of fields and histories as PNG"))
    _add_compare(commands.add_parser("compare", help="are two runs equal? does a run hold its references?"))
    _add_report(commands.add_parser("report", help="one HTML page about a run, to be mailed"))
    _add_scaling(commands.add_parser("scaling", help="time over ranks: plots and a model carried on"))
    export = commands.add_parser("export", help="fields as .csv, .npz or .vtu")
    export.add_argument("path", metavar="RUN")
    export.add_argument(
        "target", metavar="FILE", help="the suffix chooses the format: .csv (fields at points), .npz, .vtu"
    )
    _add_selection(export)
    export.set_defaults(command=_export)
    _add_probe(commands.add_parser("probe", help="fields at points or along a line"))
    for name, recipe in recipes():
        one = commands.add_parser(name, help=recipe.HELP)
        recipe.arguments(one)
        one.set_defaults(command=recipe.run)
    return parser


def _add_plot(plot: argparse.ArgumentParser) -> None:
    plot.add_argument("paths", nargs="+", metavar="RUN")
    plot.add_argument("-o", "--out", help="folder of the pictures (default: RUN/pictures)")
    plot.add_argument("--fields", nargs="+", help="which fields (default: all)")
    plot.add_argument("--step", type=int, help="which step (default: the last)")
    plot.add_argument("--warp", type=float, metavar="FACTOR", help="times the displacement (0: none)")
    plot.add_argument("--mesh", action="store_true", help="draw the edges of all cells")
    plot.set_defaults(command=_plot)


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="RUN")
    parser.add_argument("--verification", action="store_true", help="check a run's own verification block")
    parser.add_argument("--tolerance", type=float, default=1e-8, help="relative, both norms (default: 1e-8)")
    parser.add_argument("--fields", nargs="+", help="which fields (default: all in common)")
    parser.set_defaults(command=_compare)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fields", nargs="+", help="which fields (default: all)")
    parser.add_argument("--step", type=int, help="which step (default: the last)")
    parser.add_argument("--time", type=float, help="the step nearest to this time")


def _add_probe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="RUN")
    parser.add_argument("--point", dest="points", action="append", metavar="X,Y", help="a point; repeatable")
    parser.add_argument("--line", nargs=2, metavar="X,Y", help="sample from one point to another")
    parser.add_argument("--count", type=int, default=101, help="points on the line (default: 101)")
    parser.add_argument("--history", action="store_true", help="the first point over all steps")
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    parser.add_argument("--plot", metavar="FILE", help="draw it as PNG")
    _add_selection(parser)
    parser.set_defaults(command=_probe)


if __name__ == "__main__":
    sys.exit(main())
