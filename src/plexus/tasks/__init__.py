"""What can be done with a deck, one file each: the file's name is the command."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module

from plexus.tasks.base import Request, Task

__all__ = ["Request", "Task", "named", "names"]


@lru_cache
def names() -> tuple[str, ...]:
    """Return the names of all tasks with a command; `run`, the usual one, comes first."""
    found = [m.name for m in pkgutil.iter_modules(__path__) if m.name != "base" and m.name[0] != "_"]
    return tuple(sorted(found, key=lambda name: (name != "run", name)))


def named(name: str) -> Task:
    """Return a task by its name."""
    task: Task = import_module(f"plexus.tasks.{name}").TASK
    return task
