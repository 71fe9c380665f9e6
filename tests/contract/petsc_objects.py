"""PETSc's own count of its objects: created less destroyed, by class."""

from __future__ import annotations

import re
from pathlib import Path

from petsc4py import PETSc

COUNTED = re.compile(r"^ *([A-Z][A-Za-z ]*?) +(\d+) +(\d+) *\d* *[\d.]* *$", re.MULTILINE)
"""A line of the log's table of objects: class, creations, destructions; the last two columns are gone."""
SECTION = "Creations   Destructions"


def alive(file: Path) -> dict[str, int]:
    """Return how many objects of each class are alive, as PETSc's log in ``file`` tells it."""
    PETSc.Log.begin()
    viewer = PETSc.Viewer().createASCII(str(file))
    PETSc.Log.view(viewer)
    viewer.destroy()
    table = file.read_text().partition(SECTION)[2].partition("=====")[0]
    found: dict[str, int] = {}
    for name, made, gone in COUNTED.findall(table):
        found[name] = found.get(name, 0) + int(made) - int(gone)
    # the viewer that writes the log is alive while it writes
    return {name: count for name, count in found.items() if name != "Viewer"}
