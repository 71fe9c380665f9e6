"""A package as a stranger ships it: one file, known to Plexus by its entry point alone, and one deck."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plexus import registry
from plexus.cli import main

Run = Callable[..., dict[str, Any]]


class Newcomer:
    """Installs a member in a folder and runs decks there with the program's own commands."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]):
        self.folder, self.capsys = folder, capsys
        self.added: list[tuple[str, str]] = []

    def install(self, kind: str, name: str, text: str) -> None:
        """Write the one file of a package, and what `pip install` leaves of its entry points."""
        module = f"newcomer_{name}"
        (self.folder / f"{module}.py").write_text(text.lstrip())
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[plexus.{kind}]\n{name} = {module}\n")
        self.added.append((kind, name))
        fresh()

    def run(
        self, deck: str, *arguments: str, out: str = "out", ranks: int = 1, task: str = "run"
    ) -> dict[str, Any]:
        """Check a deck, run or train it, and return its summary."""
        path = self.folder / "deck.yaml"
        path.write_text(deck)
        assert main(["check", str(path)]) == 0, self.capsys.readouterr()
        more = ["-n", str(ranks)] if ranks > 1 else []
        code = main([task, str(path), "-o", str(self.folder / out), *more, *arguments])
        assert code == 0, self.capsys.readouterr()
        told: dict[str, Any] = json.loads((self.folder / out / "summary.json").read_text())
        assert all(row["holds"] for row in told.get("verification", ()))
        return told

    def refused(self, deck: str) -> str:
        """Return what the check of a wrong deck says."""
        path = self.folder / "wrong.yaml"
        path.write_text(deck)
        self.capsys.readouterr()
        assert main(["check", str(path)]) != 0
        return self.capsys.readouterr().err

    def explained(self) -> str:
        """Return what `plexus list` and `plexus explain` say of the member."""
        (kind, name), *_ = self.added
        self.capsys.readouterr()
        assert main(["list", kind]) == 0 and name in self.capsys.readouterr().out
        assert main(["explain", f"{kind}.{name}"]) == 0
        return self.capsys.readouterr().out


def fresh() -> None:
    """Let the registry look for installed packages again, as a new process would."""
    registry._installed.clear()
    registry._modules.cache_clear()


@pytest.fixture
def newcomer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Newcomer]:
    """Return a folder on the path of Python, whose members are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    made = Newcomer(tmp_path, capsys)
    yield made
    monkeypatch.undo()  # first, or the registry would find the files again
    fresh()
    for kind, name in made.added:
        registry.forget(kind, name)
        sys.modules.pop(f"newcomer_{name}", None)
