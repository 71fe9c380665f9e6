"""Members of a folder are found by their files: who adds one edits no list.

Commands and recipes are the modules of one folder. Kinds of pictures may stand in a folder of that name in
any room, so that a room draws its own fields and no other room knows of them.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, Protocol


class Command(Protocol):
    """What the module of a command has; its file's name is the command."""

    HELP: str

    def arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, args: Namespace) -> int | None:
        """Do it; return the exit code, None for 0."""


def of_package(name: str) -> Iterator[tuple[str, Any]]:
    """Yield name and module of every public module of a package, in order of their names."""
    for item in iter_modules(import_module(name).__path__):
        if not item.name.startswith("_"):
            yield item.name, import_module(f"{name}.{item.name}")


def of_rooms(folder: str) -> Iterator[Any]:
    """Yield the modules of the folders of this name in all rooms, in order of rooms and names."""
    for room in iter_modules(import_module(__package__).__path__):
        name = f"{__package__}.{room.name}.{folder}"
        if room.ispkg and find_spec(name):
            yield from (module for _, module in of_package(name))
