"""Broken decks: each reports exactly its problems, at their places, with the phrase that helps.

The first lines of each deck say what is expected: ``# expect FILE:LINE:COLUMN | phrase``, and
``# override PATH=VALUE`` where the mistake is on the command line.
"""

from pathlib import Path

import pytest

from plexus.cli import main
from plexus.deck.load import load
from plexus.errors import DeckError

FOLDER = Path(__file__).parent / "broken"
DECKS = sorted(FOLDER.glob("*.yaml"))


def expected(text: str) -> list[tuple[str, str]]:
    """Return place and phrase of every problem."""
    lines = [line.removeprefix("# expect ") for line in text.splitlines() if line.startswith("# expect ")]
    return [(place, phrase) for place, _, phrase in (line.partition(" | ") for line in lines)]


def overrides(text: str) -> list[str]:
    """Return the overrides of the command line."""
    lines = [line.removeprefix("# override ") for line in text.splitlines() if line.startswith("# override ")]
    return [word for line in lines for word in line.split()]


def test_there_are_enough():
    assert len(DECKS) >= 40


@pytest.mark.parametrize("path", DECKS, ids=lambda p: p.stem)
def test_broken_deck(path, monkeypatch):
    monkeypatch.chdir(FOLDER)
    text = path.read_text()
    with pytest.raises(DeckError) as caught:
        load(path.name, overrides(text))
    lines = str(caught.value).splitlines()
    wanted = expected(text)
    assert len(lines) == len(wanted), str(caught.value)
    for place, phrase in wanted:
        assert any(line.startswith(f"{place}: ") and phrase in line for line in lines), (
            f"expected {place} | {phrase}, got\n{caught.value}"
        )


def test_the_command_tells_them_on_stderr(monkeypatch, capsys):
    monkeypatch.chdir(FOLDER)
    assert main(["check", "everything_at_once.yaml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 6
    assert "Traceback" not in err


def test_a_missing_deck_is_one_line(capsys):
    assert main(["check", "no/such/deck.yaml"]) == 2
    assert capsys.readouterr().err == "cannot read no/such/deck.yaml: No such file or directory\n"
