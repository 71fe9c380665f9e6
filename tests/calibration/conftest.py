"""Decks with controls, run through the program's own commands in this process."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from plexus.cli import main


class Desk:
    """A folder with decks, and what the program says of them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]):
        self.folder, self.capsys = folder, capsys

    def write(self, name: str, text: str) -> Path:
        """Write a file."""
        path = self.folder / name
        path.write_text(text)
        return path

    def do(self, command: str, deck: Path, *words: str, out: str = "") -> dict[str, Any]:
        """Run a command that succeeds; return its summary, nothing for checks."""
        more = ["-o", str(self.folder / out)] if out else []
        code = self.code(command, deck, *words, *more)
        assert code == 0, self.said
        return json.loads((self.folder / out / "summary.json").read_text()) if out else {}

    def code(self, command: str, deck: Path, *words: str) -> int:
        """Run a command and return its exit code."""
        self.capsys.readouterr()
        with contextlib.suppress(io.UnsupportedOperation):
            try:
                found = main([command, str(deck), *words])
            except SystemExit as end:
                found = int(end.code or 0)
        self.said = "\n".join(self.capsys.readouterr())
        return found


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Return an empty folder."""
    return Desk(tmp_path, capsys)
