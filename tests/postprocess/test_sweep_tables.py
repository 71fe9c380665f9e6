"""Gathering, exporting and drawing the members of a sweep."""

import csv
import json
import math

import h5py
import numpy as np
import pytest

from plexus_post import PostError
from plexus_post.cli import main
from plexus_post.pictures.sweeps import rank_correlation
from plexus_post.readers.sweep import Sweep, gather, is_sweep


def column(path, numbers, unit="", **more):
    return {"path": path, "name": path.split(".")[-1], "unit": unit, "numbers": numbers, **more}


def sweep_folder(folder, columns, found, texts=None, ranks=None, mode="grid"):
    """Write a sweep; `found`: per member a quantity's value, a message if it failed, None if it waits."""
    members = []
    for i, result in enumerate(found):
        place = folder / f"member_{i:04d}"
        place.mkdir(parents=True)
        values = {c["path"]: (texts or {}).get(c["path"], c["numbers"])[i] for c in columns}
        members.append(
            {"index": i, "folder": place.name, "values": values, "ranks": ranks[i] if ranks else None}
        )
        failed = isinstance(result, str)
        summary = {
            "status": "failed" if failed else "done",
            "exit_code": 3 if failed else 0,
            "wall_seconds": 1.5,
        }
        summary |= {"message": result} if failed else {"solver": {"u": {"total": 7}, "v": {"total": 2}}}
        # what a failed run had so far is no result
        summary |= {"quantities": {"peak": 99.0 if failed else result}, "units": {"peak": "Pa"}}
        if result is not None:
            (place / "summary.json").write_text(json.dumps(summary))
    facts = {"format": 1, "deck": "/decks/d.yaml", "title": "A study", "mode": mode, "columns": columns}
    (folder / "sweep.json").write_text(json.dumps({**facts, "members": members}))
    return folder


def grid_folder(folder, failed=True):
    columns = [
        column("parameters.load", [1, 1, 1, 2, 2, 2], "kN"),
        column("mesh.cells[0]", [4, 8, 16, 4, 8, 16]),
    ]
    return sweep_folder(folder, columns, [1.0, 2.0, 2.5, 2.0, 4.0, "it broke\nin two" if failed else 5.0])


def test_gather_has_a_row_per_member(tmp_path):
    frame = gather(grid_folder(tmp_path / "s"))
    assert list(frame.index) == [0, 1, 2, 3, 4, 5]
    assert list(frame["load"]) == [1, 1, 1, 2, 2, 2]
    assert list(frame["status"]) == ["done"] * 5 + ["failed"]
    assert frame["peak"].tolist()[:5] == [1.0, 2.0, 2.5, 2.0, 4.0]
    assert math.isnan(frame["peak"][5])
    assert frame["message"][5] == "it broke\nin two"
    assert frame["iterations"][0] == 9
    assert {n: frame.attrs["units"][n] for n in ("load", "peak", "wall_seconds")} == {
        "load": "kN", "peak": "Pa", "wall_seconds": "s",
    }  # fmt: skip


def test_info_shows_members_and_failures(tmp_path, capsys):
    folder = grid_folder(tmp_path / "s")
    assert main(["info", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "6, grid: 5 done, 1 failed" in text
    assert "parameters.load" in text
    assert [line.split() for line in text.splitlines() if "it broke" in line] == [["5", "3", "it", "broke"]]


def test_blocks_are_told_by_type_and_results_are_not_taken_for_parameters(tmp_path, capsys):
    blocks = ["none", {"type": "net", "width": 3}, {"type": "other"}]
    columns = [column("solver.peak", [1, 2, 2]), column("closure", None)]
    folder = sweep_folder(tmp_path / "s", columns, [7.5, 8.5, 9.5], {"closure": blocks})
    assert Sweep(folder).labels == ["peak 1, closure none", "peak 2, closure net", "peak 2, closure other"]
    assert main(["info", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "peak (result)" in text and "7.5" in text
    # two blocks of one type are told apart by what differs, by files only where nothing else does
    blocks = [{"type": "net", "sha256": 40 * "a", "width": w, "depth": 2} for w in (3, 5)]
    blocks.append({"type": "net", "sha256": 40 * "b", "width": 5, "depth": 2})
    folder = sweep_folder(tmp_path / "t", columns, [7.5, 8.5, 9.5], {"closure": blocks})
    values = Sweep(folder).parameters[1]
    hashes = [f"net, width 5, sha256 {40 * x}" for x in "ab"]
    assert values.shown == ["net, width 3", *hashes]
    assert [json.loads(v) for v in values.values] == blocks


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (("of_long_names/f2_a.safetensors", "of_long_names/f2_b.safetensors"), ("f2_a", "f2_b")),
        (("of_long_names/1/f2.safetensors", "of_long_names/2/f2.safetensors"), None),
    ],
)
def test_files_are_told_by_their_bare_names_where_these_differ(tmp_path, files, names):
    blocks = [{"type": "net", "checkpoint": file} for file in files]
    folder = sweep_folder(tmp_path / "s", [column("closure", None)], [1.0, 2.0], {"closure": blocks})
    assert Sweep(folder).labels == [f"closure net, checkpoint {name}" for name in names or files]


def test_members_that_were_not_run_are_waiting(tmp_path):
    folder = sweep_folder(tmp_path / "s", [column("parameters.k", [1, 2, 3])], [1.0, None, None])
    (folder / "member_0001/progress.json").write_text("{}")
    assert Sweep(folder).status == ["done", "unfinished", "waiting"]
    assert Sweep(folder / "sweep.json").exit_codes == [0, None, None]


def test_export_to_hdf5(tmp_path, capsys):
    folder = grid_folder(tmp_path / "s")
    assert main(["export", str(folder), str(tmp_path / "sweep.h5")]) == 0
    with h5py.File(tmp_path / "sweep.h5") as file:
        assert file["parameters/load"][:].tolist() == [1, 1, 1, 2, 2, 2]
        assert dict(file["parameters/load"].attrs) == {"path": "parameters.load", "unit": "kN"}
        assert np.isnan(file["quantities/peak"][5])
        assert file["quantities/peak"].attrs["unit"] == "Pa"
        assert file["status"].asstr()[5] == "failed"
        assert file["exit_code"][:].tolist() == [0] * 5 + [3]
        assert file["message"].asstr()[5] == "it broke\nin two"
        assert file["plexus"].attrs["title"] == "A study"
    assert list(tmp_path.glob("*.partial")) == []


def test_export_to_csv(tmp_path):
    folder = grid_folder(tmp_path / "s")
    assert main(["export", str(folder), str(tmp_path / "sweep.csv")]) == 0
    with (tmp_path / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["peak"] == "2.0"
    assert rows[5] | {"peak": "", "message": "it broke\nin two", "status": "failed"} == rows[5]


def test_export_knows_its_formats(tmp_path, capsys):
    folder = grid_folder(tmp_path / "s")
    assert main(["export", str(folder), str(tmp_path / "sweep.vtu")]) == 2
    assert "unknown format .vtu" in capsys.readouterr().err
    assert main(["export", str(folder), str(tmp_path / "no/where.h5")]) == 2


@pytest.mark.parametrize(
    ("columns", "texts", "pictures"),
    [
        ([column("parameters.k", [1, 2, 4, 8, 16, 160])], {}, ["sweep.png"]),
        (
            [column("solver.u.preconditioner", None)],
            {"solver.u.preconditioner": ["a", "b", {"type": "c"}, "d", "e", "f"]},
            ["sweep.png"],
        ),
        (
            [column("parameters.k", [1, 1, 1, 2, 2, 2]), column("mesh.cell", None)],
            {"mesh.cell": ["tri", "quad", "tet", "tri", "quad", "tet"]},
            ["sweep_peak.png"],
        ),
        (
            [column("parameters.k", [1, 1, 1, 2, 2, 2]), column("runtime.seed", [0, 1, 2, 0, 1, 2])],
            {},
            ["sweep.png"],
        ),
        ([column(f"parameters.{n}", [1.5, 2.5, 3.5, 0.5, 1.25, 2]) for n in "abc"], {}, ["sweep.png"]),
    ],
)
def test_pictures(tmp_path, columns, texts, pictures):
    folder = sweep_folder(tmp_path / "s", columns, [1.0, 2.0, 400.0, 2.0, 4.0, "broke"], texts)
    assert main(["plot", str(folder)]) == 0
    assert [p.name for p in (folder / "pictures").iterdir()] == pictures
    assert all(p.stat().st_size > 5000 for p in (folder / "pictures").iterdir())


def test_pictures_of_a_grid_and_of_costs(tmp_path, capsys):
    folder = grid_folder(tmp_path / "s")
    assert main(["plot", str(folder), "-o", str(tmp_path / "p"), "--fields", "peak", "wall_seconds"]) == 0
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == ["sweep_peak.png", "sweep_wall_seconds.png"]
    assert main(["plot", str(folder), "--fields", "peek"]) == 2
    assert "no quantity 'peek'" in capsys.readouterr().err


def test_ranks_are_a_parameter(tmp_path):
    folder = sweep_folder(tmp_path / "s", [], [1.0, 1.0, 1.0], ranks=[1, 2, 4])
    (parameter,) = Sweep(folder).parameters
    assert (parameter.name, parameter.values.tolist()) == ("ranks", [1, 2, 4])
    assert main(["plot", str(folder), "--fields", "wall_seconds"]) == 0


def test_nothing_to_draw_is_said(tmp_path, capsys):
    waiting = sweep_folder(tmp_path / "a", [column("parameters.k", [1, 2])], [None, None])
    assert main(["plot", str(waiting)]) == 2
    assert "no member is done" in capsys.readouterr().err
    same = sweep_folder(tmp_path / "b", [column("parameters.k", [1, 1])], [1.0, 1.0])
    assert main(["plot", str(same)]) == 2
    assert "nothing varies" in capsys.readouterr().err


def test_names_that_meet_are_kept_apart(tmp_path):
    columns = [
        {"path": f"a.{n}", "name": n, "unit": "m", "numbers": [1.0, 2.0]}
        for n in ("status", "peak", "steps", "k")
    ]
    columns += [{"path": "b.k", "name": "k", "unit": "K", "numbers": [5.0, 6.0]}]
    members = [{"index": i, "folder": f"m{i}", "values": {}, "ranks": None} for i in (0, 1)]
    facts = {"format": 1, "deck": "d", "title": "t", "mode": "list", "columns": columns, "members": members}
    (tmp_path / "sweep.json").write_text(json.dumps(facts))
    summary = {
        "status": "done", "exit_code": 0, "steps": 9, "quantities": {"peak": 7.5, "peak (result)": 8.5},
        "units": {"peak": "W"},
    }  # fmt: skip
    for i in (0, 1):
        (tmp_path / f"m{i}").mkdir()
        (tmp_path / f"m{i}/summary.json").write_text(json.dumps(summary))
    frame = Sweep(tmp_path).frame()
    assert frame["status"].tolist() == ["done", "done"] and frame["a.status"].tolist() == [1.0, 2.0]
    assert frame["k"].tolist() == [1.0, 2.0] and frame["b.k"].tolist() == [5.0, 6.0]
    assert frame["peak"].tolist() == [1.0, 2.0] and frame["peak (result)"].tolist() == [7.5, 7.5]
    assert frame["peak (result) (result)"].tolist() == [8.5, 8.5]
    assert frame["steps (result)"].tolist() == [9.0, 9.0]
    units = frame.attrs["units"]
    assert (units["peak"], units["peak (result)"], units["b.k"]) == ("m", "W", "K")
    assert main(["info", str(tmp_path)]) == 0
    Sweep(tmp_path).write(tmp_path / "sweep.h5")
    with h5py.File(tmp_path / "sweep.h5") as file:
        assert file["quantities/peak"].attrs["unit"] == "W" and file["parameters/peak"].attrs["unit"] == "m"


def test_what_is_no_sweep_is_said(tmp_path):
    assert not is_sweep(tmp_path)
    with pytest.raises(PostError, match="not readable"):
        Sweep(tmp_path)
    (tmp_path / "sweep.json").write_text('{"format": 99, "members": []}')
    with pytest.raises(PostError, match="another version"):
        Sweep(tmp_path)


def test_rank_correlation_is_spearmans():
    x = np.array([1.0, 2, 3, 4, 5])
    assert rank_correlation(x, x**3) == pytest.approx(1)
    assert rank_correlation(x, -np.exp(x)) == pytest.approx(-1)
    # with ties, by hand: ranks 1.5 1.5 3 4 5 and 1 2 3.5 3.5 5
    assert rank_correlation(np.array([1.0, 1, 2, 3, 4]), np.array([0.0, 1, 2, 2, 3])) == pytest.approx(
        0.9473684
    )
    assert math.isnan(rank_correlation(x, np.full(5, 2.0)))
    assert math.isnan(rank_correlation(x, np.array([1, np.nan, np.nan, np.nan, 2])))
