"""The templates of `plexus new`: complete small decks with comments, in ``plexus/templates``."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

from plexus.deck.suggest import nearest
from plexus.errors import InputError

SCHEMA = "plexus.schema.json"


def catalogue() -> dict[str, str]:
    """Return template name -> its first line."""
    files = resources.files("plexus").joinpath("templates").iterdir()
    decks = sorted((f for f in files if f.name.endswith(".yaml")), key=lambda f: f.name)
    return {f.name.removesuffix(".yaml"): _tip(f.read_text("utf-8")) for f in decks}


def _tip(text: str) -> str:
    comments = [
        line for line in text.splitlines() if line.startswith("# ") and "yaml-language-server" not in line
    ]
    return comments[0].removeprefix("# ") if comments else ""


def text(name: str, target: Path) -> str:
    """Return the text of a template, with a line for editors if a schema lies near ``target``.

    The schema is looked for beside the file and in ``input_decks`` of the folders above.

    Raises
    ------
    InputError
        If there is no such template; names the nearest.
    """
    names = catalogue()
    if name not in names:
        raise InputError(f"no template is called {name!r}{nearest(name, names, 20)}")
    found = resources.files("plexus").joinpath("templates", f"{name}.yaml").read_text("utf-8")
    schema = _schema(target.resolve().parent)
    return f"# yaml-language-server: $schema={schema}\n{found}" if schema else found


def _schema(folder: Path) -> str:
    """Return the path of the nearest schema relative to a folder; empty if there is none."""
    near = [folder / SCHEMA, *(above / "input_decks" / SCHEMA for above in (folder, *folder.parents))]
    return next((os.path.relpath(path, folder) for path in near if path.is_file()), "")
