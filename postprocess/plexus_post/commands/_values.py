"""Values of options that several commands read, checked while the command line is read."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError


def seconds(text: str) -> float:
    """Return a positive number of seconds from the command line."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def ranks(text: str) -> int:
    """Return a number of ranks from the command line."""
    if not text.isdecimal() or not 2 <= int(text) <= 10**8:
        raise ArgumentTypeError(f"{text!r} is not a number of ranks above 1")
    return int(text)


def add_selection(parser: ArgumentParser) -> None:
    """Add the options that choose fields and a step."""
    parser.add_argument("--fields", nargs="+", help="fields or components, e.g. stress_xx (default: all)")
    parser.add_argument("--step", type=int, help="which step (default: the last)")
    parser.add_argument("--time", type=float, help="the step nearest to this time")
