"""The group names at the head of a Gmsh file, for checking a deck without reading its mesh."""

from __future__ import annotations

import re
from pathlib import Path

HEAD = 65_536
"""Bytes that are looked at; Gmsh writes the names right after the format."""
_NAME = re.compile(r'^\s*(\d)\s+\d+\s+"([^"\n]*)"\s*$', re.MULTILINE)


def physical_names(path: str | Path) -> list[str] | None:
    """Return the names of all physical groups, or None if the head of the file does not show them all."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(HEAD).decode("utf-8", "replace")
    except OSError:
        return None
    start, end = head.find("$PhysicalNames"), head.find("$EndPhysicalNames")
    return None if start < 0 or end < start else [name for _, name in _NAME.findall(head[start:end])]
