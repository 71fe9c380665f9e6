"""The templates of `plexus new`: complete small decks with comments, in ``plexus/templates``."""

from __future__ import annotations

from importlib import resources

from plexus.deck.suggest import nearest
from plexus.errors import InputError


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


def text(name: str) -> str:
    """Return the text of a template.

    Raises
    ------
    InputError
        If there is no such template; names the nearest.
    """
    names = catalogue()
    if name not in names:
        raise InputError(f"no template is called {name!r}{nearest(name, names, 20)}")
    return resources.files("plexus").joinpath("templates", f"{name}.yaml").read_text("utf-8")
