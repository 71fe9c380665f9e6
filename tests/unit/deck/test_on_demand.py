"""Models of blocks that a deck does not have are not imported; those of its own check as any other."""

import subprocess
import sys
from pathlib import Path

import pytest

from plexus.deck.load import load
from plexus.deck.schema import Deck
from plexus.errors import DeckError

PLAIN = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [2, 2]}
physics: {type: diffusion, coefficient: 1, source: 1}
boundary: [{on: exterior, u: 0}]
"""
BLOCKS = (
    "calibrate", "coupling", "ensemble", "limits", "reduce", "sweep", "tables", "time", "train",
    "verification",
)  # fmt: skip


def written(text: str, folder: Path) -> Path:
    path = folder / "deck.yaml"
    path.write_text(text)
    return path


def imported(deck: Path) -> set[str]:
    """Return which modules of blocks a process has imported that has read a deck."""
    code = f"from plexus.deck.load import load; load({str(deck)!r}); import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {block for block in BLOCKS if f"plexus.deck.{block}" in done.stdout.split()}


def test_a_plain_deck_imports_no_block(tmp_path):
    assert imported(written(PLAIN, tmp_path)) == set()


def test_a_deck_imports_its_own_blocks_only(tmp_path):
    deck = PLAIN + "sweep: {parameters: {physics.source: [1, 2]}}\n"
    assert imported(written(deck, tmp_path)) == {"sweep"}


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ("time: 5", "6:7: time: expected a mapping"),
        ("time: {stop: 1 s, step: 1 s}", "unknown key"),
        ("time: {end: 1 s, step: 0 s}", "time.step: must be > 0"),
        ("tables: {f: {times: [0, 1], values: [1, 2, 3]}}", "tables.f: 2 times and 3 values"),
        ("verification: [{quantity: a, reference: 1, source: b}]", "verification[0]: give either tolerance"),
        ("runtime: {guard: {u: [2, 1]}}", "runtime.guard.u: lower 2 is not below upper 1"),
        ("train:", None),
    ],
)
def test_mistakes_are_told_at_their_place(block, told, tmp_path):
    path = written(PLAIN + "# a line between\n" + block + "\n", tmp_path)
    if told is None:
        assert load(path).train is None
        return
    with pytest.raises(DeckError) as caught:
        load(path)
    assert "deck.yaml:6:" in str(caught.value) and told in str(caught.value)


def test_the_blocks_of_a_deck_are_models(tmp_path):
    deck = load(written(PLAIN + "time: {end: 1 s, step: 100 ms, adaptive: {}}\n", tmp_path))
    assert (deck.time.step, deck.time.adaptive.tolerance, deck.time.stepper.type) == (0.1, 1e-3, "theta")
    assert Deck.from_plain(deck.plain()) == deck
