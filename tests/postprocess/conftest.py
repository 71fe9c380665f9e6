"""What tests of pictures share."""

import matplotlib.pyplot as plt
import pytest


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
