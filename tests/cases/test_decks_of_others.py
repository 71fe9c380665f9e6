"""Decks that arrive from others run no program, and nothing that we did not write is moved or changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from case_runs import command, started

sys.path.insert(0, str(Path(__file__).parents[1] / "slurm"))
from hostile_ways import DECK, WAYS, harmed

from plexus.cli import main
from plexus.fileformat import shown
from plexus.runtime import claim

OURS = {"job-name", "nodes", "ntasks-per-node", "cpus-per-task", "time", "signal", "output", "mem"}
"""Options of sbatch that a job script may have after a hostile deck, beside those of its template."""
RUNS = [name for name, way in WAYS.items() if way.files]


@pytest.mark.parametrize("name", WAYS)
def test_the_script_that_is_written_is_harmless(name, tmp_path, monkeypatch, capsys):
    deck = WAYS[name].lay(tmp_path)
    monkeypatch.chdir(tmp_path)
    # a scheduler that takes every job and runs none
    fake = tmp_path / "bin" / "sbatch"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 7\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    code = main(["submit", deck.name, "--profile", "cpu"])
    said = "".join(capsys.readouterr())
    assert harmed(tmp_path) is None and "\x1b" not in said
    if WAYS[name].told:
        assert code == 2 and WAYS[name].told in said, said
        return
    assert code == 0, said
    (script,) = (tmp_path / "runs").glob("*/job.sh")
    lines = script.read_text().splitlines()
    heads = [
        line.split()[1].removeprefix("--").partition("=") for line in lines if line.startswith("#SBATCH")
    ]
    assert {key for key, _, _ in heads} <= OURS | {"requeue", "open-mode"}
    # what the shell makes of the command is what was meant
    (words,) = (line for line in lines if line.startswith("command=("))
    made = subprocess.run(
        ["bash", "-c", f'{words}\nprintf "%s\\0" "${{command[@]}}"'],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert made.stdout.split("\0")[:2] == ["run", deck.name] and harmed(tmp_path) is None


@pytest.mark.parametrize("ranks", (1, 2))
@pytest.mark.parametrize("name", RUNS)
def test_files_beside_a_deck_are_not_run(name, ranks, tmp_path):
    deck = WAYS[name].lay(tmp_path)
    code, said = started(tmp_path, "run", deck.name, "-n", str(ranks))
    assert code == 0 and harmed(tmp_path) is None, said
    assert "\x1b" not in said and "\\x1b[31m; touch ran" in said


def test_a_folder_of_the_user_is_no_run_folder(tmp_path, capsys):
    """Files that a run would move away, overwrite or delete are told; others do not matter."""
    (tmp_path / "deck.yaml").write_text(DECK)
    for name in ("deck.yaml", "fields.xdmf", "summary.json", "log.txt.partial", "checkpoint_00000001.h5"):
        folder = tmp_path / f"for_{name}"
        folder.mkdir()
        shutil.copy(tmp_path / "deck.yaml", folder / name)
        with pytest.raises(claim.InputError, match=f"{name} is there and is not ours"):
            claim.claim(folder, (*claim.RUN, *claim.fields("fields")))
        assert [p.name for p in folder.iterdir()] == [name]
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name in ("mine.xdmf", "notes.txt", "weights.safetensors", "work.partial"):
        (folder / name).write_text("mine")
    assert claim.claim(folder, claim.RUN) == ()
    (folder / "log.txt").write_text("ours")
    assert set(claim.claim(folder, claim.RUN)) == set(claim.RUN)
    names = [p.name for p in claim.found(folder, claim.patterns(folder))]
    assert names == ["log.txt"]


def test_a_run_folder_older_than_the_mark_is_ours(tmp_path):
    (tmp_path / "deck.yaml").write_text("# effective deck of heat.yaml; every value with its place\n")
    (tmp_path / "fields.xdmf").write_text("ours")
    assert set(claim.claim(tmp_path, claim.RUN)) == {"deck.yaml", "fields.xdmf"}
    assert claim.patterns(tmp_path) == tuple(sorted({*claim.RUN, "fields.xdmf"}))


def test_a_mesh_is_not_converted_into_itself_or_into_another_file(tmp_path, capsys):
    source = next((Path(__file__).parent / "decks").rglob("*.msh"))
    mesh = Path(shutil.copy(source, tmp_path / "a.msh"))
    os.link(mesh, tmp_path / "b.msh")
    (tmp_path / "deck.yaml").write_text(DECK)
    for target in ("a.msh", "b.msh", "deck.yaml"):
        assert main(["mesh", "convert", str(mesh), str(tmp_path / target)]) == 2
    assert mesh.read_bytes() == source.read_bytes() and (tmp_path / "deck.yaml").read_text() == DECK
    assert [main(["mesh", "convert", str(mesh), str(tmp_path / "mesh.h5")]) for _ in "12"] == [0, 0]


@pytest.mark.parametrize("name", ["step", "time", "heat/area", "a\\nb", "..", "a\\e[31m", " a", ""])
def test_names_of_quantities(name, tmp_path, capsys):
    deck = tmp_path / "deck.yaml"
    deck.write_text(DECK + f'quantities:\n  "{name}": {{type: maximum, of: temperature}}\n')
    assert main(["check", str(deck)]) == 2
    said = capsys.readouterr().err
    assert f"{deck}:8:" in said and "\x1b" not in said and said.count("\n") == 1


@pytest.mark.parametrize("name", ["Wärme", "heat flux (W)", "T_max", "1"])
def test_other_names_of_quantities_are_good(name, tmp_path):
    deck = tmp_path / "deck.yaml"
    deck.write_text(DECK + f'quantities:\n  "{name}": {{type: maximum, of: temperature}}\n')
    assert main(["check", str(deck)]) == 0


def test_what_controls_a_terminal_is_escaped():
    assert shown("Grüße, 20 °C · ∇²u\n\tλ = 1") == "Grüße, 20 °C · ∇²u\n\tλ = 1"
    assert shown("a\x1b]0;x\x07\r\u202eb\udc80") == "a\\x1b]0;x\\x07\\r\\u202eb\\udc80"


@pytest.mark.parametrize("memory", ["0.1 MB", "0 GB"])
def test_memory_below_a_megabyte_is_refused(memory, tmp_path, capsys):
    deck = tmp_path / "deck.yaml"
    deck.write_text(DECK.replace("job: {", f"job: {{memory: {memory}, "))
    assert main(["check", str(deck)]) == 2
    assert "job.memory: must be at least 1 MB" in capsys.readouterr().err


def test_methods_of_petsc_are_still_tuned(tmp_path):
    deck = tmp_path / "deck.yaml"
    deck.write_text(DECK)
    text = (
        "{pc_gamg_threshold: 0.02, pc_fieldsplit_0_fields: '0,1', ksp_view: '::ascii_info', ksp_rtol: 1e-9}"
    )
    assert main(["check", str(deck), "-s", f"solver.temperature.options={text}"]) == 0


TITLE = r"""
about: {title: "cost $\\frac{ \e[31m $5_ ^ \\x"}
quantities: {"T $_{": {type: maximum, of: temperature}}
output: [{type: fields}]
"""


def test_titles_are_read_as_they_are(tmp_path, monkeypatch, capsys):
    """No escape code reaches the terminal, no dollar makes a formula."""
    from plexus_post.cli import main as post

    (tmp_path / "deck.yaml").write_text(DECK.replace("about: {title: heat}\n", "") + TITLE)
    assert command(tmp_path, "run", "deck.yaml", "-o", "out")[0] == 0
    monkeypatch.chdir(tmp_path)
    for words in (["info", "out"], ["plot", "out"], ["report", "out"]):
        assert post(words) == 0
    said = "".join(capsys.readouterr())
    assert "\x1b" not in said and r"cost $\frac{ \x1b[31m $5_ ^ \x" in said


def test_pipes_in_a_result_folder_are_not_waited_for(tmp_path, capsys):
    from plexus_post.cli import main as post

    for name in ("summary.json", "progress.json", ".lock", "deck.yaml", "series.h5", "fields.vtkhdf"):
        folder = tmp_path / name.strip(".")
        folder.mkdir()
        (folder / "log.txt").write_text("")
        os.mkfifo(folder / name)
        assert post(["info", str(folder)]) in (0, 2)
    folder = tmp_path / "sweep"
    folder.mkdir()
    os.mkfifo(folder / "sweep.json")
    assert post(["info", str(folder)]) == 2
    assert "Traceback" not in "".join(capsys.readouterr())
