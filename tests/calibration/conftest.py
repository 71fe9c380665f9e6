"""Decks with controls, run through the program's own commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import crew
import pytest


class Desk:
    """A folder with decks, and what the program says of them."""

    def __init__(self, folder: Path):
        self.folder = folder

    def write(self, name: str, text: str) -> Path:
        """Write a file."""
        path = self.folder / name
        path.write_text(text)
        return path

    def do(self, command: str, deck: Path, *words: str, out: str = "", ranks: int = 1) -> dict[str, Any]:
        """Run a command that succeeds; return its summary, nothing for checks."""
        more = ["-o", str(self.folder / out)] if out else []
        code = self.code(command, deck, *words, *more, ranks=ranks)
        assert code == 0, self.said
        return json.loads((self.folder / out / "summary.json").read_text()) if out else {}

    def code(self, command: str, deck: Path, *words: str, ranks: int = 1) -> int:
        """Run a command and return its exit code."""
        ended = crew.plexus(self.folder, command, str(deck), *words, ranks=ranks)
        self.said = f"{ended.out}\n{ended.err}"
        return ended.code


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return an empty folder."""
    return Desk(tmp_path)
