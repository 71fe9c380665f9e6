"""Pictures with a story, one per file: each file is a command of ``plexus-post``.

A recipe has ``HELP`` (one line), ``arguments(parser)`` and ``run(args)``. Its file's name is the command.
A new file is found by itself; it must not import matplotlib before it is run.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol


class Recipe(Protocol):
    """What a recipe's module has."""

    HELP: str

    def arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, args: Namespace) -> None:
        """Make the pictures."""


def recipes() -> Iterator[tuple[str, Any]]:
    """Yield name and module of every recipe, in order of their names."""
    for item in iter_modules(__path__):
        if not item.name.startswith("_"):
            yield item.name, import_module(f"{__name__}.{item.name}")
