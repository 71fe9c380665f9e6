"""n steps, restart, n steps equal 2n steps, to 1e-12 and for all steppers with a memory."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "parallel"))
sys.path.append(str(Path(__file__).parents[1] / "contract"))
from hosts import label, stepper_variants
from io_jobs import plexus
from step_problems import made

from plexus import driver
from plexus.protocols import Implicit

DECK = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [6, 6]}
physics:
  type: heat
  degree: 2
  material: {conductivity: "1 + 0.2*temperature", density: 1, specific_heat: 1}
  source: "10*x*sin(20*t)"
boundary: [{on: left, temperature: "sin(3*t)"}]
initial: {temperature: "x*y"}
solver: {temperature: {ksp: preonly, preconditioner: lu, snes_rtol: 1e-13}}
time: {stepper: STEPPER, end: 0.2 s, step: 0.01 s, adaptive: ADAPTIVE}
quantities: {mean: {type: mean, of: temperature}, hottest: {type: maximum, of: temperature}}
output:
  - {type: fields, every: 0.05 s}
  - {type: checkpoint, every: 5 steps, keep: 99}
  - {type: probe, points: [[0.3, 0.4]]}
"""
IMPLICIT = [v for v in stepper_variants(Implicit) if made(v["type"], v).order > 0]
CASES = {label(v): (json.dumps(v), "null") for v in IMPLICIT}
CASES |= {f"adaptive {label(v)}": (json.dumps(v), "{tolerance: 1e-3}") for v in IMPLICIT}
THETA, BDF2 = label(IMPLICIT[-1]), "bdf2"


def deck(case: str) -> str:
    stepper, adaptive = CASES[case]
    return DECK.replace("STEPPER", stepper).replace("ADAPTIVE", adaptive)


def middle(folder: Path) -> Path:
    """Return the checkpoint in the middle of a run."""
    found = sorted(folder.glob("checkpoint_*.h5"))
    assert len(found) >= 2
    return found[(len(found) - 1) // 2]


def last_fields(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the times in fields.vtkhdf, and names and temperatures of the nodes at the last one, sorted."""
    with h5py.File(folder / "fields.vtkhdf") as file:
        steps = file["VTKHDF/Steps"]
        names = ("PointDataOffsets/temperature", "NumberOfParts", "PartOffsets", "PointOffsets")
        n, parts, part, point = (steps[name][-1] for name in names)
        size = file["VTKHDF/NumberOfPoints"][part : part + parts].sum()
        names, order = np.unique(file["plexus/node_ids"][point : point + size], return_index=True)
        return steps["Values"][:], names, file["VTKHDF/PointData/temperature"][n : n + size][order]


def series(folder: Path, table: str) -> dict[str, np.ndarray]:
    with h5py.File(folder / "series.h5") as file:
        return {name: data[:] for name, data in file[table].items()}


def assert_same(one: Path, two: Path) -> None:
    """Compare final fields, the whole history of quantities and probes, and the steps."""
    for a, b in zip(last_fields(one), last_fields(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    for table in ("quantities", "probes/probe"):
        old, new = series(one, table), series(two, table)
        assert old.keys() == new.keys()
        for name in old:
            np.testing.assert_allclose(old[name], new[name], rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_restart_in_the_run_folder_equals_the_whole_run(case, tmp_path):
    (tmp_path / "deck.yaml").write_text(deck(case))
    whole = tmp_path / "whole"
    assert driver.run(tmp_path / "deck.yaml", folder=whole) == 0
    # what a run leaves that died some time after its checkpoint in the middle
    half = tmp_path / "half"
    half.mkdir()
    for name in ("fields.vtkhdf", "series.h5", middle(whole).name):
        (half / name).write_bytes((whole / name).read_bytes())
    assert driver.run(tmp_path / "deck.yaml", folder=half, restart="latest") == 0
    assert_same(whole, half)
    old, new = (json.loads((f / "summary.json").read_text()) for f in (whole, half))
    assert (old["steps"], old["time"]) == (new["steps"], new["time"])
    assert old["quantities"] == pytest.approx(new["quantities"], rel=1e-12)


def test_restart_on_two_ranks(tmp_path, parallel_factorisation):
    text, whole = deck("adaptive bdf2"), tmp_path / "whole"
    (tmp_path / "deck.yaml").write_text(text)
    assert driver.run(tmp_path / "deck.yaml", folder=whole) == 0
    half = tmp_path / "half"
    half.mkdir()
    for name in ("fields.vtkhdf", "series.h5", middle(whole).name):
        (half / name).write_bytes((whole / name).read_bytes())
    code, err = plexus(tmp_path, text, "-o", "half", "--restart", "latest", ranks=2)
    assert code == 0, err
    assert_same(whole, half)


def test_a_line_goes_from_one_rank_to_two_to_three(tmp_path, parallel_factorisation):
    line = deck(BDF2).replace("box, cell: triangle, cells: [6, 6]", "interval, cells: 13, grading: 2")
    line = line.replace("x*y", "x*x").replace("[[0.3, 0.4]]", "[[0.3], [0.99]]")
    (tmp_path / "deck.yaml").write_text(line)
    whole, half = tmp_path / "whole", tmp_path / "half"
    assert driver.run(tmp_path / "deck.yaml", folder=whole) == 0
    for ranks, end in ((1, "0.05 s"), (2, "0.1 s"), (3, "0.2 s")):
        again = ("--restart", "latest") if ranks > 1 else ()
        code, err = plexus(tmp_path, line, "-o", "half", *again, "-s", f"time.end={end}", ranks=ranks)
        assert code == 0, err
    assert_same(whole, half)


def test_changes_of_the_deck_are_told(tmp_path):
    (tmp_path / "deck.yaml").write_text(deck(THETA))
    folder = tmp_path / "out"
    assert driver.run(tmp_path / "deck.yaml", ["time.end=0.05 s"], folder) == 0
    assert driver.run(tmp_path / "deck.yaml", ["time.end=0.06 s"], folder, restart="latest") == 0
    assert "time.end: 0.05" in (folder / "log.txt").read_text()


def test_latest_goes_back_to_the_newest_valid_checkpoint(tmp_path, capsys):
    (tmp_path / "deck.yaml").write_text(deck(THETA))
    folder = tmp_path / "out"
    assert driver.run(tmp_path / "deck.yaml", folder=folder) == 0
    newest, before = sorted(folder.glob("checkpoint_*.h5"))[:-3:-1]
    newest.write_bytes(newest.read_bytes()[:-5000])
    assert driver.run(tmp_path / "deck.yaml", folder=folder, restart="latest") == 0
    said = capsys.readouterr().out
    assert "truncated" in said and before.name in said


def test_an_end_before_the_checkpoint_is_told(tmp_path, capfd):
    (tmp_path / "deck.yaml").write_text(deck(THETA))
    assert driver.run(tmp_path / "deck.yaml", [], tmp_path / "out") == 0
    assert driver.run(tmp_path / "deck.yaml", ["time.end=0.1 s"], tmp_path / "out", "latest") == 0
    told = capfd.readouterr()
    assert "later than the end 0.1 s" in told.out + told.err
