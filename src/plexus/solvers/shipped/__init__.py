"""Bundles of preconditioners that come with Plexus: a folder per preconditioner, a file per bundle."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

ENDING = ".safetensors"


def names(of: str) -> list[str]:
    """Return the names of all bundles of a preconditioner."""
    folder = files(__name__) / of
    found = (f.name for f in folder.iterdir()) if folder.is_dir() else ()
    return sorted(name.removesuffix(ENDING) for name in found if name.endswith(ENDING))


def found(of: str, name: str) -> Path | None:
    """Return the file of a bundle of a preconditioner, None if there is none of that name."""
    return Path(str(files(__name__) / of / (name + ENDING))) if name in names(of) else None


def ships(of: str, path: str | Path) -> bool:
    """Return whether a file is one of the bundles of a preconditioner."""
    return found(of, Path(path).name.removesuffix(ENDING)) == Path(path)
