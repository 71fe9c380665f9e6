"""Meshes as files have them: partitions, large ones, and what is told of them."""

import shutil
from pathlib import Path

import pytest
from case_runs import RANKS, check, command, run

from plexus.mesh.sources import gmsh, hdf5

DATA = Path(__file__).parents[1] / "unit" / "mesh" / "data"
DECK = """\
plexus: 1
mesh: {type: TYPE, file: mesh}
physics: {type: heat, material: {conductivity: 1}}
boundary: [{on: NAME, temperature: 400}]
"""


@pytest.mark.parametrize("ranks", RANKS)
def test_groups_of_a_partitioned_mesh(ranks, tmp_path):
    assert run("22_partitioned_mesh", tmp_path, ranks=ranks).quantities() == pytest.approx({"T": 350.0})


def test_a_partitioned_mesh_is_good(tmp_path):
    assert check("22_partitioned_mesh", tmp_path).code == 0


def test_what_a_file_holds_is_told(tmp_path):
    shutil.copy(DATA / "hexahedron2.msh", tmp_path / "mesh.msh")
    assert command(tmp_path, "mesh", "convert", "mesh.msh", "mesh.h5", "--scale", "1 mm")[0] == 0
    code, said = command(tmp_path, "mesh", "info", "mesh.msh", "--scale", "1 mm")
    other, ours = command(tmp_path, "mesh", "info", "mesh.h5")
    assert code == other == 0
    (about, *lines), (our_about, *our_lines) = said.splitlines(), ours.splitlines()
    assert about.startswith("mesh         mesh.msh, MSH 4.1, binary, ")
    assert our_about.startswith("mesh         mesh.h5, HDF5 mesh of Plexus, ")
    # the last line has the sum of each file
    assert lines[:-1] == our_lines[:-1]
    assert (
        "extent       2 mm × 1 mm × 500 µm, from (0, 0, 0) mm" in lines
        or "extent       2 mm × 1 mm × 0.5 mm, from (0, 0, 0) mm" in lines
    )
    assert "parts        1 connected part" in lines
    code, said = command(tmp_path, "mesh", "info", "nothing.msh")
    assert code == 2 and "nothing.msh: cannot read the mesh: No such file" in said


@pytest.mark.parametrize("name", ["triangle1.msh", "tetrahedron2.msh", "ours"])
def test_of_a_large_file_names_and_sizes_are_seen(name, tmp_path, monkeypatch, capsys):
    """The limits are lowered instead of making large files."""
    from plexus.cli import main

    monkeypatch.setattr(gmsh, "QUICKLY", 10)
    monkeypatch.setattr(gmsh, "QUICKLY_AS_TEXT", 10)
    monkeypatch.setattr(hdf5, "QUICKLY", 10)
    kind = "hdf5" if name == "ours" else "gmsh"
    if name == "ours":
        assert main(["mesh", "convert", str(DATA / "line2.msh"), str(tmp_path / "mesh")]) == 0
    else:
        shutil.copy(DATA / name, tmp_path / "mesh")
    deck = tmp_path / "deck.yaml"
    deck.write_text(DECK.replace("TYPE", kind).replace("NAME", "floor"))
    assert main(["check", str(deck)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert any(line.startswith("not seen") for line in told) and "good" in told[-1]
    assert any(line.startswith("not judged") for line in told)
    names = {line[:12].strip(): line[13:].split(", ") for line in told}
    assert sorted(names["regions"]) == ["east", "west"]
    assert set(names["boundaries"]) == {"floor", "roof", "middle", "both sets", "exterior"}
    deck.write_text(DECK.replace("TYPE", kind).replace("NAME", "west"))
    assert main(["check", str(deck)]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"{deck}:4:17: boundary[0].on: ")
    assert "boundary 'west'" in told.err or "west is a region, no boundary" in told.err
    assert "good" not in told.out
