"""Bare temperatures that may be degrees Celsius."""

import pytest

from plexus.cli import main

DECK = """\
plexus: 1
mesh: {{type: box, cell: quadrilateral, cells: [4, 2]}}
physics: {{type: heat, material: {{conductivity: 50}}}}
boundary:
  - {{on: left, temperature: {temperature}}}
  - {{on: right, convection: {{coefficient: 3, ambient: {ambient}}}}}
"""


@pytest.mark.parametrize(
    ("temperature", "ambient", "places"),
    [
        ("300", "20", ["6:55: boundary[1].convection.ambient: a bare 20 is -253.1 degC; write '20 degC'"]),
        ("100", "300", ["5:29: boundary[0].temperature: a bare 100"]),
        ("20 degC", "77 K", []),
        ("0", "1", []),
    ],
)
def test_check_warns(temperature, ambient, places, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deck.yaml").write_text(DECK.format(temperature=temperature, ambient=ambient))
    assert main(["check", "deck.yaml"]) == 0
    warnings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == len(places)
    for line, place in zip(warnings, places, strict=True):
        assert line.startswith(f"warning: deck.yaml:{place}")
