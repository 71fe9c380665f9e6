"""What is said of a wrong deck."""

from pathlib import Path

import pytest

from plexus.deck.load import load
from plexus.errors import DeckError


def problems(folder: Path, text: str) -> list[str]:
    """Return the problems of a deck without its file's name."""
    path = folder / "deck.yaml"
    path.write_text(text)
    with pytest.raises(DeckError) as error:
        load(path)
    return [line.removeprefix(f"{path}:") for line in str(error.value).splitlines()]
