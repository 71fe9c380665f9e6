"""The examples of docs/results.md are what they say."""

import doctest
import re
from pathlib import Path

import pytest
from crew import plexus

PAGE = Path(__file__).parents[2] / "docs" / "results.md"


def test_the_examples_of_the_page(tmp_path, monkeypatch):
    pytest.importorskip("xarray")
    text = PAGE.read_text()
    (tmp_path / "bar.yaml").write_text(re.search(r"```yaml\n(.*?)```", text, re.S)[1])
    assert plexus(tmp_path, "run", "bar.yaml").code == 0
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.failed == 0 and found.attempted >= 20
