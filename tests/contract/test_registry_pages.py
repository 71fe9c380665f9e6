"""What is generated from the registry and committed is up to date."""

from pathlib import Path

import pytest

from plexus.deck import jsonschema
from plexus.deck.reference import FOLDER, pages

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("name", "text"), pages().items(), ids=lambda p: p if len(p) < 40 else "")
def test_reference_page_is_fresh(name, text):
    committed = ROOT / FOLDER / name
    hint = "run `python -m plexus.deck.reference` and commit docs/reference"
    assert committed.exists() and committed.read_text("utf-8") == text, hint


def test_schema_is_fresh():
    hint = "run `plexus schema -o input_decks/plexus.schema.json` and commit it"
    assert (ROOT / jsonschema.PATH).read_text("utf-8") == jsonschema.text(), hint
