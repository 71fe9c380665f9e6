"""One folder has one result: a run and a sweep share none, and asking a finished run leaves it alone."""

import json

import pytest
from case_runs import RANKS, command

DECK = """\
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [2, 2]}
physics: {type: heat, degree: 1, material: {conductivity: 200}}
boundary: [{on: left, temperature: 300}]
sweep: {parameters: {physics.material.conductivity: [100, 200]}}
"""


def test_a_run_and_a_sweep_do_not_share_a_folder(tmp_path):
    (tmp_path / "deck.yaml").write_text(DECK)
    assert command(tmp_path, "run", "deck.yaml", "-o", "run")[0] == 0
    before = (tmp_path / "run" / "summary.json").read_text()
    code, said = command(tmp_path, "sweep", "deck.yaml", "-o", "run")
    assert code == 2 and "run holds a run; choose another folder for the sweep with -o" in said
    assert not (tmp_path / "run" / "sweep.json").exists()
    assert (tmp_path / "run" / "summary.json").read_text() == before
    assert command(tmp_path, "sweep", "deck.yaml", "-o", "sweep")[0] == 0
    for ranks in RANKS:
        code, said = command(tmp_path, "run", "deck.yaml", "-o", "sweep", ranks=ranks)
        assert code == 2 and said.count("run folder sweep holds a sweep; choose another folder") == 1
    assert not (tmp_path / "sweep" / "summary.json").exists()


@pytest.mark.parametrize("ranks", RANKS)
def test_citations_of_a_finished_run_leave_it_alone(ranks, tmp_path):
    (tmp_path / "deck.yaml").write_text(DECK)
    words = ("run", "deck.yaml", "-o", "out", "--citations")
    summary = tmp_path / "out" / "summary.json"
    code, said = command(tmp_path, *words, ranks=ranks)
    assert code == 0 and said.count("Please cite") == 1
    before = summary.read_bytes()
    code, said = command(tmp_path, *words, ranks=ranks)
    assert code == 0 and said.count("Please cite") == 1 and "is not run again" in said
    assert summary.read_bytes() == before
    # another deck is another run
    code, said = command(tmp_path, *words, "-s", "boundary[0].temperature=310", ranks=ranks)
    assert code == 0 and "earlier results were moved" in said
    assert json.loads(summary.read_text())["status"] == "done"
