"""The group names at the head of a Gmsh file, for checking a deck without reading its mesh."""

from __future__ import annotations

import re
from pathlib import Path

HEAD = 65_536
"""Bytes that are looked at; Gmsh writes the names right after the format."""
_NAME = re.compile(r'^\s*(\d)\s+\d+\s+"([^"\n]*)"\s*$', re.MULTILINE)


def physical_names(path: str | Path) -> list[tuple[int, str]] | None:
    """Return (dimension, name) of all physical groups, or None if the file's head does not show them all."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(HEAD).decode("utf-8", "replace")
    except OSError:
        return None
    start, end = head.find("$PhysicalNames"), head.find("$EndPhysicalNames")
    if start < 0 or end < start:
        return None
    return [(int(dim), name) for dim, name in _NAME.findall(head[start:end])]
