"""Bundles of networks for directions that come with Plexus, by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

ENDING = ".safetensors"


def names() -> list[str]:
    """Return the names of the bundles."""
    every = (f.name for f in files(__name__).iterdir())
    return sorted(name.removesuffix(ENDING) for name in every if name.endswith(ENDING))


def found(name: str) -> Path | None:
    """Return the file of a shipped bundle, None if there is none of that name."""
    return Path(str(files(__name__) / (name + ENDING))) if name in names() else None


def ships(path: str | Path) -> bool:
    """Return whether a file is one of the shipped bundles."""
    return found(Path(path).name.removesuffix(ENDING)) == Path(path)
