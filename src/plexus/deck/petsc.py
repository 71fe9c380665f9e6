"""Options of PETSc that a deck may set: those that choose and tune methods.

Others import a Python module (``pc_python_type``), open a file (``ksp_view: ":file"``) or a connection. A
deck may come from somebody else, and it runs no program and writes nowhere but into its run folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Value = bool | int | float | str | None
NAME = re.compile(r"[a-z][a-z0-9_]{0,200}")
WORD = re.compile(r"[\w.,+-]{0,200}")
"""Values: names of methods, numbers, lists of them; no path, no viewer with a file."""
SHOWN = re.compile(r"(ascii|stdout)?(::[a-z_]{1,40})?")
"""Viewers that write to the screen."""
LOOKS = ("view", "monitor", "converged_reason")
"""Parts of the names of options whose value is a viewer."""
AWAY = ("python", "saws", "trajectory", "file", "tmpdir", "dirname", "matlab", "draw")
"""Parts of the names of options that reach beyond the solver."""


def problem(name: str, value: Value) -> str | None:
    """Return why a deck may not set an option; None if it may."""
    reach = "a deck sets options of methods only, none that runs a program or writes a file"
    if not NAME.fullmatch(name):
        return f"{name!r} is not the name of an option"
    if any(part in name for part in AWAY):
        return f"{name}: {reach}"
    if not isinstance(value, str):
        return None
    if any(part in name for part in LOOKS):
        return None if SHOWN.fullmatch(value) else f"{name}: {value!r} is not the screen; {reach}"
    if value in ("python", "shell") or not WORD.fullmatch(value):
        return f"{name}: {value!r}: {reach}"
    return None


def first_problem(options: Mapping[str, Value]) -> str | None:
    """Return why some options may not be set; None if all may."""
    return next((text for name, value in options.items() if (text := problem(name, value))), None)
