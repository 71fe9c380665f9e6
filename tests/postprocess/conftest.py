"""What tests of pictures share."""

from collections.abc import Iterator
from unittest.mock import patch

import matplotlib.pyplot as plt
import pytest

from plexus_post.pictures import style


@pytest.fixture(scope="session", autouse=True)
def _coarse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let pictures have few pixels: nobody looks at them, and they take a third of the time."""
    fine, dots = style.SHEET.read_text(), "savefig.dpi: 200"
    assert dots in fine
    sheet = tmp_path_factory.mktemp("style") / style.SHEET.name
    sheet.write_text(fine.replace(dots, "savefig.dpi: 50"))
    with patch.object(style, "SHEET", sheet):
        yield


@pytest.fixture
def drawn(monkeypatch):
    """Return the figures that are drawn, by file name; they are written too."""
    found = {}
    real = plt.Figure.savefig

    def savefig(figure, path, **how):
        found[path.name] = figure
        real(figure, path, dpi=10, **how)

    monkeypatch.setattr(plt.Figure, "savefig", savefig)
    return found
