"""The sum of a mesh file in a deck: another file is refused at its place, by check and run alike."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from plexus import driver
from plexus.cli import main
from plexus.mesh.convert import convert

DATA = Path(__file__).parent / "data"
DECK = """\
plexus: 1
mesh:
  type: {kind}
  file: {name}
  sha256: {given}
physics: {{type: heat, material: {{conductivity: 1}}}}
boundary: [{{on: exterior, temperature: 300}}]
"""


@pytest.fixture(params=["gmsh", "hdf5"])
def mesh(request, tmp_path):
    path = tmp_path / {"gmsh": "part.msh", "hdf5": "part.h5"}[request.param]
    if request.param == "gmsh":
        shutil.copy(DATA / "triangle1.msh", path)
    else:
        convert(DATA / "triangle1.msh", path)
    return request.param, path


def deck(mesh, given):
    kind, path = mesh
    found = path.with_name("deck.yaml")
    found.write_text(DECK.format(kind=kind, name=path.name, given=given))
    return found


@pytest.mark.parametrize("write", [str, lambda s: s[:16], str.upper])
def test_the_file_of_the_deck_is_taken_and_recorded(mesh, write):
    whole = hashlib.sha256(mesh[1].read_bytes()).hexdigest()
    path = deck(mesh, f'"{write(whole)}"')
    assert driver.run(path, folder=path.parent / "out") == 0
    assert json.loads((path.parent / "out" / "summary.json").read_text())["mesh"]["sha256"] == whole


@pytest.mark.parametrize("command", [["check"], ["check", "--mesh"], ["run"]])
def test_another_file_is_refused_at_its_place(mesh, command, capsys, monkeypatch):
    before = hashlib.sha256(mesh[1].read_bytes()).hexdigest()
    path = deck(mesh, before)
    monkeypatch.chdir(path.parent)
    other = mesh[1].read_bytes() + b"\n"
    mesh[1].write_bytes(other)
    try:
        assert main([*command, "deck.yaml"]) == 2
    except SystemExit as end:
        assert end.code == 2
    told = capsys.readouterr().err
    assert "deck.yaml:5:11: mesh.sha256: " in told
    assert hashlib.sha256(other).hexdigest() in told and before in told


def test_info_tells_what_a_deck_takes(mesh, capsys):
    assert main(["mesh", "info", str(mesh[1])]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.endswith(f"sha256: {hashlib.sha256(mesh[1].read_bytes()).hexdigest()}")


def test_fifteen_digits_are_too_few(mesh, capsys):
    assert main(["check", str(deck(mesh, '"0123456789abcde"'))]) == 2
    assert "deck.yaml:5:11: mesh.sha256: " in capsys.readouterr().err
