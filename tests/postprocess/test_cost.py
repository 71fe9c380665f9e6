"""Cost against accuracy: seconds and errors by hand, what does not compare is refused."""

import csv
import json

import h5py
import numpy as np
import pytest

from plexus_post.cli import main

TIMES = (0.0, 1.0, 2.0)
TIP = np.array([0.0, 2.0, 4.0])


def folder(place, seconds, *, ranks=1, waited=0.0, deck="", times=TIMES, phases=(), **columns):
    """Write a run folder with a summary and a history; return it as text."""
    place.mkdir(parents=True)
    facts = {"status": "done", "exit_code": 0, "ranks": ranks, "wall_seconds": seconds + waited}
    told = {n: {"mean": s, "longest": s, "calls": 1} for n, s in phases}
    facts |= {"core_wait_seconds": waited, "phases": told}
    (place / "summary.json").write_text(json.dumps(facts))
    (place / "deck.yaml").write_text(f"plexus: 1\n{deck}")
    with h5py.File(place / "series.h5", "w") as file:
        for name, values in ({"time": times, "step": np.arange(len(times))} | columns).items():
            file[f"quantities/{name}"] = np.asarray(values, dtype=float)
    return str(place)


def rom(path):
    return f"rom: {{type: galerkin, file: {path}/rom.h5, offline: null}}\n"


@pytest.fixture
def runs(tmp_path):
    """A reference, a good run with a model that cost 5 s, and a poor one with more rows on two ranks."""
    load = np.array([1.0, 3.0, 1.0])
    life = np.array([np.nan, 10.0, 20.0])
    model = folder(tmp_path / "model", 4.0, ranks=1, waited=1.0)
    full = folder(tmp_path / "full", 100.0, tip=TIP, load=load, life=life)
    shown = {"tip": [0.0, 2.04, 4.0], "load": load, "life": life}
    good = folder(tmp_path / "good", 10.0, waited=3.0, deck=rom(model), **shown)
    more = np.array([0.0, 0.5, 1.0, 2.0])
    poor = folder(
        tmp_path / "poor", 2.0, ranks=2, times=more, tip=[0, 9, 2, 3.0], load=load[[0, 0, 1, 2]],
        life=[7, 7, 10, 30.0],
    )  # fmt: skip
    return [full, good, f"a poor one={poor}"]


def table(path):
    return {row.pop("run"): row for row in csv.DictReader(path.open())}


def test_seconds_and_errors_are_those_by_hand(runs, tmp_path, drawn, capsys):
    out, told = tmp_path / "cost.png", tmp_path / "cost.csv"
    assert main(["cost", *runs, "-o", str(out), "--csv", str(told)]) == 0
    text = capsys.readouterr().out
    assert out.is_file() and text.splitlines()[-1] == str(out) and "largest relative error" in text
    made = table(told)
    assert list(made) == ["full", "good", "a poor one"]
    assert "load" not in made["full"], "what all have right says nothing"
    assert [float(made[n]["seconds"]) for n in made] == [100, 10, 4]
    assert [made[n]["offline"] for n in made] == ["", "4.0", ""]
    assert float(made["good"]["gain"]) == pytest.approx(100 / 14)
    errors = [[float(made[n][q]) for q in ("tip", "life")] for n in ("good", "a poor one")]
    np.testing.assert_allclose(errors, [[0.01, 0], [0.25, 0.5]], atol=1e-15)
    life, tip = sorted(drawn["cost.png"].axes, key=lambda a: a.get_title("left"))
    assert [a.get_title("left") for a in (life, tip)] == ["life", "tip"]
    marks = [line.get_xydata() for line in tip.lines[1:] if line.get_marker() not in ("", "None")]
    np.testing.assert_allclose(np.concatenate(marks), [[14, 0.01], [10, 0.01], [4, 0.25]])
    assert all((np.array(line.get_ydata()) > 0).all() for line in life.lines[1:]), (
        "no error at all has a place, too"
    )


def test_the_last_error_of_one_quantity(runs, tmp_path, drawn):
    told = tmp_path / "cost.csv"
    how = ["-o", str(tmp_path / "x.png"), "--csv", str(told), "--last", "--quantities", "tip"]
    assert main(["cost", *runs, *how]) == 0
    assert [row["tip"] for row in table(told).values()] == ["", "0.0", "0.25"]
    assert len(drawn["x.png"].axes) == 1


def test_a_model_made_in_the_same_launch_is_not_counted_twice(tmp_path):
    model = folder(tmp_path / "model", 30.0)
    deck = rom(model).replace("null", "deck.yaml")
    full = folder(tmp_path / "full", 100.0, tip=TIP)
    run = folder(tmp_path / "run", 35.0, deck=deck, phases=[("start-up", 31.0)], tip=TIP + 1)
    told = tmp_path / "cost.csv"
    assert main(["cost", full, run, "-o", str(tmp_path / "x.png"), "--csv", str(told)]) == 0
    assert [float(table(told)["run"][k]) for k in ("seconds", "offline")] == [5, 30]


def test_a_model_whose_price_is_not_known_has_no_gain(tmp_path, drawn):
    """Its folder is gone, or it was made in two goes, of which the last one is told."""
    half = folder(tmp_path / "half", 30.0, phases=[("restart", 0.1)])
    full = folder(tmp_path / "full", 100.0, tip=TIP)
    made = [folder(tmp_path / n, 5.0, deck=rom(m), tip=TIP + 1) for n, m in (("a", half), ("b", "gone"))]
    told = tmp_path / "cost.csv"
    assert main(["cost", full, *made, "-o", str(tmp_path / "x.png"), "--csv", str(told)]) == 0
    assert [[table(told)[n][k] for k in ("seconds", "offline", "gain")] for n in "ab"] == [
        ["5.0", "nan", "nan"]
    ] * 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"times": (0.0, 1.0, 2.5)}, "no row at t = 2 s"),
        ({"times": (0.0, 1.0, 2.0, 3.0), "tip": np.ones(4)}, "goes on to t = 3 s, the reference to 2 s"),
        ({"times": (), "tip": ()}, "no row at t = 0 s"),
        ({"tip": [0, np.nan, 1]}, "tip is no number at t = 1 s"),
        ({"phases": [("restart", 0.1)]}, "restarted"),
        ({"seconds": 0.0}, "the run has not ended"),
    ],
)
def test_what_does_not_compare_is_refused(tmp_path, capsys, change, told):
    full = folder(tmp_path / "full", 1.0, tip=TIP)
    other = folder(tmp_path / "other", **({"seconds": 1.0, "tip": TIP + 1} | change))
    assert main(["cost", full, other, "-o", str(tmp_path / "x.png")]) == 2
    assert told in capsys.readouterr().err and not (tmp_path / "x.png").exists()


def test_other_mistakes_are_told(tmp_path, capsys):
    full = folder(tmp_path / "full", 1.0, tip=TIP, still=0 * TIP)
    other = folder(tmp_path / "other", 1.0, deck="rom: {file: gone/rom.h5}", tip=TIP)
    cases = [
        ([full], "at least one more run"),
        ([full, full], "two runs are called 'full'"),
        ([full, other], "no quantity that all runs have, and in which any of them errs"),
        ([full, other, "--quantities", "top"], "the reference: no quantity 'top'; it has still, tip"),
        ([full, other, "--quantities", "still"], "no quantity 'still'; it has tip (`output: [{type: series,"),
        ([full, f"b={full}", "--quantities", "still"], "still of the reference is zero throughout"),
        ([full, str(tmp_path / "none")], "no such file or folder"),
    ]
    for words, told in cases:
        assert main(["cost", *words, "-o", str(tmp_path / "x.png")]) == 2
        assert told in capsys.readouterr().err


def test_errors_that_differ_by_rounding_alone_are_drawn_as_one(tmp_path, drawn):
    full = folder(tmp_path / "full", 9.0, tip=TIP)
    others = [folder(tmp_path / n, 1.0, tip=TIP * (1.01 + d)) for n, d in (("a", 0), ("b", 1e-12))]
    assert main(["cost", full, *others, "-o", str(tmp_path / "cost.png")]) == 0
    low, high = drawn["cost.png"].axes[0].get_ylim()
    assert high / low > 8
