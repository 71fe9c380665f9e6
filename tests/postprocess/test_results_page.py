"""The examples of docs/results.md are what they say."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "results.md"


def test_the_examples_of_the_page(tmp_path, monkeypatch):
    pytest.importorskip("xarray")
    text = PAGE.read_text()
    (tmp_path / "bar.yaml").write_text(re.search(r"```yaml\n(.*?)```", text, re.S)[1])
    command = [sys.executable, "-m", "plexus", "run", "bar.yaml"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=1200)
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.failed == 0 and found.attempted >= 20
