"""Bundles of networks for directions that come with Plexus, by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

ENDING = ".safetensors"


def found(name: str) -> Path | None:
    """Return the file of a shipped bundle, None if there is none of that name."""
    path = Path(str(files(__name__) / (name + ENDING)))
    return path if path.is_file() else None


def ships(path: str | Path) -> bool:
    """Return whether a file is one of the shipped bundles."""
    return found(Path(path).name.removesuffix(ENDING)) == Path(path)
