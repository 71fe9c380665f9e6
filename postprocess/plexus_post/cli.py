"""The command ``plexus-post``: info, plot, compare, export, probe, and the recipes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from plexus.fileformat import shown
from plexus_post import commands, recipes
from plexus_post.errors import PostError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 (compare: differing), 2 (unusable input)."""
    args = _parser().parse_args(argv)
    try:
        return int(args.command(args) or 0)
    except PostError as error:
        print(f"plexus-post: {shown(str(error))}", file=sys.stderr)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="plexus-post", description="Look at the results of Plexus runs.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module in [*commands.commands(), *recipes.recipes()]:
        one = subparsers.add_parser(name, help=module.HELP)
        module.arguments(one)
        one.set_defaults(command=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
