"""Trainings in pictures and words: stages, validation, and several beside each other."""

import json

import numpy as np
import pytest
from training_samples import rows, training

import plexus_post
from plexus_post.cli import main
from plexus_post.pictures import style
from plexus_post.pictures.trainings import pictures
from plexus_post.readers.training import Training, differences, groups, judged_alike


def opened(*folders):
    return [Training(plexus_post.open(folder)) for folder in folders]


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_stages_are_named_marked_and_on_a_log_axis(tmp_path, drawn):
    assert main(["plot", str(training(tmp_path))]) == 0
    loss, gradient, rate = drawn["training.png"].axes
    assert legend(loss) == ["1: fit, adam", "2: unrolled, lbfgs"]
    assert all(axes.get_yscale() == "log" for axes in (loss, gradient, rate))
    marks = [line for line in loss.lines if list(line.get_xdata()) == [31, 31]]
    assert len(marks) == 1, "a line where the second stage begins"
    np.testing.assert_allclose(gradient.lines[1].get_ydata(), 2 / np.arange(31, 41))
    assert (gradient.get_ylabel(), rate.get_ylabel()) == ("norm of the gradient", "learning rate")


def test_a_single_step_has_a_mark_and_whole_numbers(tmp_path, drawn):
    assert main(["plot", str(training(tmp_path, history=rows((1,))))]) == 0
    loss = drawn["training.png"].axes[0]
    assert loss.lines[0].get_marker() == "o" and loss.get_title("left") == "Training: fit, adam"
    low, high = drawn["training.png"].axes[-1].get_xlim()
    assert low <= 0 and high >= 2


def test_losses_that_are_no_numbers_are_counted(tmp_path, drawn):
    history = rows((10,))
    history["loss"][4:] = np.nan
    assert main(["plot", str(training(tmp_path / "a", history=history))]) == 0
    assert "6 of 10 losses not finite" in drawn["training.png"].axes[0].get_title("left")
    history["loss"][:] = np.inf
    assert main(["plot", str(training(tmp_path / "b", history=history))]) == 0
    assert "no finite value" in [t.get_text() for t in drawn["training.png"].axes[0].texts]


def test_the_validation_stands_beside_its_rivals(tmp_path, drawn):
    assert main(["plot", str(training(tmp_path, error=0.02))]) == 0
    f2, f3 = drawn["validation.png"].axes
    assert [t.get_text() for t in f2.get_yticklabels()] == ["alpha -3, seed 1", "alpha -3, seed 2"]
    assert [t.get_text() for t in f2.texts] == ["0.02  × 0.5"] * 2
    assert [t.get_text() for t in f3.texts] == ["0.02  × 2"] * 2
    assert {t.get_color() for t in f3.texts} == {style.FAILED} != {t.get_color() for t in f2.texts}


def test_words_say_the_same(tmp_path, capsys):
    folder = str(training(tmp_path, error=0.02))
    assert main(["info", folder]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "2 unrolled, lbfgs to 40 0.0322581 0.025 0.025 0.05" in text
    assert "2 of 4 no better than a classical part" in text
    assert main(["report", folder]) == 0
    page = (tmp_path / "report.html").read_text()
    assert "Stages of the training" in page and "Learned from 20 samples." in page
    assert "2 of 4 no better than a classical part" in page and page.count("<img") == 2


def test_the_history_becomes_csv_with_units(tmp_path):
    target = tmp_path / "history.csv"
    assert main(["export", str(training(tmp_path / "a")), str(target), "--series", "training"]) == 0
    head, first = target.read_text().splitlines()[:2]
    found = dict(zip(head.split(","), map(float, first.split(",")), strict=True))
    assert found == {"time [s]": 0.1, "gradient": 2, "loss": 1, "rate": 1e-3, "stage": 0, "step": 1}


def test_trainings_that_differ_in_seeds_are_one_group(tmp_path):
    every = opened(
        *(
            training(tmp_path / f"{w}{n}{s}", width=w, samples=n, seed=s)
            for w in (4, 8)
            for n in (10, 20)
            for s in (0, 1)
        )
    )
    found = groups(every)
    assert [g.title for g in found] == [f"width {w}, {n} samples, 2 seeds" for w in (4, 8) for n in (10, 20)]
    assert judged_alike(every)
    other = opened(training(tmp_path / "other", judged=2))
    assert not judged_alike([*every, *other])


def test_where_much_differs_folders_name_the_groups(tmp_path):
    every = opened(training(tmp_path / "one"), training(tmp_path / "two"))
    deck = tmp_path / "one" / "deck.yaml"
    deck.write_text(deck.read_text() + "".join(f"a_long_name_{k}: 1\n" for k in range(4)))
    assert [g.name for g in groups(every)] == ["one", "two"]


def test_differences_are_told_by_path():
    a, b = ({"x": {"type": t, "k": [1, {"y": y}]}, "z": [1] * n} for t, y, n in (("p", 1, 1), ("p", 2, 2)))
    assert list(differences([a, b])) == [("x.k[1].y", [1, 2]), ("z", [[1], [1, 1]])]
    b["x"]["type"] = "q"
    assert [path for path, _ in differences([a, b])] == ["x", "z"]
    assert not list(differences([])) and not list(differences([a, a]))


def test_a_learning_curve_has_a_band_over_seeds(tmp_path, drawn):
    errors = {(10, 0): 0.08, (10, 1): 0.04, (40, 0): 0.02, (40, 1): 0.01}
    every = opened(*(training(tmp_path / f"{n}{s}", e, samples=n, seed=s) for (n, s), e in errors.items()))
    assert len(pictures(every, tmp_path)) == 2
    f2 = drawn["learning_curve.png"].axes[0]
    np.testing.assert_allclose(f2.lines[0].get_xydata(), [[10, 0.06], [40, 0.015]])
    edges = {tuple(p) for p in f2.collections[0].get_paths()[0].vertices.round(9)}
    assert {(10.0, 0.04), (10.0, 0.08), (40.0, 0.01), (40.0, 0.02)} <= edges
    assert legend(f2) == ["trained, 2 seeds", "bingham"] and f2.lines[1].get_ydata()[0] == 0.04
    losses = drawn["losses.png"].axes[0]
    assert legend(losses) == ["10 samples, 2 seeds", "40 samples, 2 seeds"]


def test_other_validation_data_are_told(tmp_path, drawn, capsys):
    folders = [training(tmp_path / f"{n}", samples=n, judged=n) for n in (10, 20)]
    pictures(opened(*folders), tmp_path)
    assert drawn["learning_curve.png"].get_supxlabel().startswith("validated on different data")
    assert main(["info", *map(str, folders)]) == 0
    assert "validated on different data" in capsys.readouterr().out


def test_several_trainings_and_their_words(tmp_path, capsys):
    folders = [str(training(tmp_path / f"w{w}", width=w, error=e)) for w, e in ((4, 0.03), (8, 0.05))]
    assert main(["plot", *folders, "-o", str(tmp_path / "out")]) == 0
    made = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.png")}
    own = {f"{w}/{name}" for w in ("w4", "w8") for name in ("training.png", "validation.png")}
    assert made == own | {"losses.png", "learning_curve.png"}
    capsys.readouterr()
    assert main(["info", *folders]) == 0
    assert "width 4 20 1 f2 0.03 0.03 0.03 bingham 0.04 0.75" in " ".join(capsys.readouterr().out.split())


def sweep(folder, members):
    """Write a sweep of trainings over widths and seeds; a member without an error was never begun."""
    widths = [w for w, _, _ in members]
    entries = []
    for k, (width, seed, error) in enumerate(members):
        name = f"member_{k:04d}"
        values = {"closure.width": width, "train.seed": seed}
        entries.append({"index": k, "folder": name, "values": values, "ranks": None})
        if error:
            training(folder / name, error, width=width, seed=seed)
    columns = [
        {"path": path, "name": path.partition(".")[2], "unit": "", "numbers": numbers}
        for path, numbers in (("closure.width", widths), ("train.seed", [s for _, s, _ in members]))
    ]
    told = {
        "format": 1,
        "deck": "d.yaml",
        "title": "Widths",
        "mode": "grid",
        "columns": columns,
        "members": entries,
    }
    (folder / "sweep.json").write_text(json.dumps(told))
    return folder


def test_a_sweep_of_trainings(tmp_path, drawn, capsys):
    folder = sweep(tmp_path, [(4, 0, 0.03), (4, 1, 0.05), (8, 0, 0.02), (8, 1, None)])
    assert main(["plot", str(folder)]) == 0
    assert {p.name for p in (folder / "pictures").iterdir()} == {
        "sweep.png",
        "losses.png",
        "learning_curve.png",
    }
    ticks = drawn["learning_curve.png"].axes[-1].get_xticklabels()
    assert [t.get_text() for t in ticks] == ["width 4, 20 samples, 2 seeds", "width 8, 20 samples"]
    # seeds are spread, not a parameter, and rivals are lines beside the validation
    panels = drawn["sweep.png"].axes
    assert [axes.get_ylabel() for axes in panels] == ["validation", "validation.f2 error"]
    assert [axes.lines[-1].get_ydata() for axes in panels] == [[0.025] * 2, [0.04] * 2]
    capsys.readouterr()
    assert main(["info", str(folder)]) == 0
    assert "width 4 20 2 f2 0.04 0.03 0.05 bingham 0.04 1" in " ".join(capsys.readouterr().out.split())


BROKEN = {
    "half the history": lambda f: (f / "series.h5").write_bytes((f / "series.h5").read_bytes()[:900]),
    "no numbers in the validation": lambda f: (f / "summary.json").write_text(
        '{"validation": [{"case": 3}]}'
    ),
    "half a summary": lambda f: (f / "summary.json").write_text('{"status": "do'),
    "samples as a text": lambda f: (f / "summary.json").write_text('{"frames": "many"}'),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("command", ["info", "plot"])
def test_a_broken_training_is_told_in_a_sentence(name, command, tmp_path, capsys):
    good, bad = training(tmp_path / "good"), training(tmp_path / "bad", seed=1)
    BROKEN[name](bad)
    assert main([command, str(good), str(bad)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"plexus-post: {bad}") and err.count("\n") == 1


HALF = {
    "no summary": lambda f: (f / "summary.json").unlink(),
    "an odd block train": lambda f: (f / "deck.yaml").write_text("train: [1]\n"),
    "odd stages": lambda f: (f / "deck.yaml").write_text("train: {stages: [3, {type: [4]}]}\n"),
    "no deck": lambda f: (f / "deck.yaml").unlink(),
}


@pytest.mark.parametrize("name", HALF)
def test_a_half_written_training_shows_what_is_there(name, tmp_path):
    good, bad = training(tmp_path / "good"), training(tmp_path / "bad", seed=1)
    HALF[name](bad)
    for command in ("info", "plot", "report"):
        assert main([command, str(bad)]) == 0
    assert main(["plot", str(good), str(bad), "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "losses.png").exists()


def test_a_history_without_rows_or_columns(tmp_path, capsys):
    for k, history in enumerate(
        ({n: c[:0] for n, c in rows().items()}, {"time": [0.0, 1.0], "x": [1.0, 2.0]})
    ):
        folder = training(tmp_path / str(k), history=history)
        assert main(["info", str(folder)]) == 0
        assert main(["plot", str(folder)]) == 0
    assert main(["plot", str(tmp_path / "0"), str(tmp_path / "0"), "-o", str(tmp_path / "out")]) == 2
    assert "no training to draw has taken a step" in capsys.readouterr().err
