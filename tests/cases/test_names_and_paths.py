"""Long paths, names that are no text, and names with what SLURM or a terminal would act on."""

import fcntl
import os

import pytest
from case_runs import RANKS, command, copied, started

from plexus.cli import main
from plexus.mesh.convert import convert
from plexus.mesh.store import MeshFile

DECK = """\
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [2, 2]}
physics: {type: heat, degree: 1, material: {conductivity: 200}}
boundary: [{on: left, temperature: 300}]
output: [{type: fields}]
"""


@pytest.mark.parametrize("ranks", RANKS)
def test_a_run_folder_with_a_long_path(ranks, tmp_path):
    """MPI-IO of Open MPI 4 ends the program on names of more than 240 bytes."""
    here = copied("40_restarts", tmp_path)
    folder = "/".join(["d" * 60] * 5)
    words = ("run", "deck.yaml", "-o", folder)
    assert command(here, *words, "-s", "time.end=10 s", ranks=ranks)[0] == 0
    code, said = command(here, *words, "-s", "time.end=20 s", "--restart", ranks=ranks)
    assert code == 0 and "restart from" in said, said


@pytest.mark.parametrize("name", [b"bad\xff.yaml", b"escape\x1b[31m.yaml", "Größe 1.yaml".encode()])
def test_names_of_decks_that_are_no_text(name, tmp_path):
    (tmp_path / os.fsdecode(name)).write_text(DECK)
    for words in (("check",), ("run", "-o", "out")):
        code, said = started(tmp_path, words[0], os.fsdecode(name), *words[1:])
        assert code == 0 and "\x1b" not in said, said


@pytest.mark.parametrize(
    ("folder", "line"),
    [("a%jb", "--output=a%%jb/job-%j.out"), ("a b%%u", '--output="a b%%%%u/job-%j.out"')],
)
def test_percent_signs_of_a_folder_are_not_filled_in(folder, line, tmp_path, monkeypatch, capsys):
    (tmp_path / "deck.yaml").write_text(DECK)
    monkeypatch.chdir(tmp_path)
    assert main(["submit", "deck.yaml", "--print", "--profile", "cpu", "-o", folder]) == 0
    assert f"#SBATCH {line}\n" in capsys.readouterr().out
    assert main(["submit", "deck.yaml", "--print", "--profile", "cpu", "-o", "a\\b"]) == 2
    assert "cannot be put into a job script" in capsys.readouterr().err


def test_a_mesh_that_somebody_has_locked_is_read(tmp_path, monkeypatch):
    monkeypatch.delenv("HDF5_USE_FILE_LOCKING", raising=False)
    from case_runs import DECKS

    mesh = tmp_path / "mesh.h5"
    convert(next(DECKS.rglob("*.msh")), mesh)
    with mesh.open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with MeshFile(mesh) as found:
            assert found.n_cells > 0
