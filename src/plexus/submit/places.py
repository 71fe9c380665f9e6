"""Where job templates and machine profiles are found.

In this order: the folder that ``PLEXUS_SLURM`` names, ``~/.config/plexus/slurm`` (``XDG_CONFIG_HOME``), the
repository's ``slurm/``, the installed copy. Each has ``templates/`` and ``profiles/``; the first file of a
name counts, so that a site's own profile goes before ours.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

from plexus.deck.suggest import nearest
from plexus.errors import InputError

VARIABLE = "PLEXUS_SLURM"


def folders() -> list[Path]:
    """Return the folders in which to look, most particular first; those that exist."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    own = os.environ.get(VARIABLE)
    installed = {sysconfig.get_path("data"), sysconfig.get_path("data", f"{os.name}_user")}
    places = [
        *([Path(own)] if own else []),
        config / "plexus" / "slurm",
        Path(__file__).parents[3] / "slurm",
        *(Path(data) / "share" / "plexus" / "slurm" for data in sorted(installed)),
    ]
    return [p for p in dict.fromkeys(places) if p.is_dir()]


def find(kind: str, name: str) -> Path:
    """Return the file of a template or profile (``kind`` is the folder's name).

    Raises
    ------
    InputError
        If there is none; names the nearest.
    """
    known = catalogue(kind)
    if name not in known:
        looked = ", ".join(str(p / kind) for p in folders()) or "no folder"
        what = kind.removesuffix("s")
        raise InputError(f"no {what} is called {name!r}{nearest(name, known, 12)} (looked in {looked})")
    return known[name]


def catalogue(kind: str) -> dict[str, Path]:
    """Return name -> file of all templates (names with their ending) or profiles (without it)."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted((folder / kind).glob("*")):
            name = path.stem if kind == "profiles" else path.name
            if path.is_file() and (kind != "profiles" or path.suffix == ".yaml"):
                found.setdefault(name, path)
    return found
