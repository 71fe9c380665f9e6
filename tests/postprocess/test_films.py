"""The commands about active nematics: what they print, draw and refuse."""

import csv
import json
from shutil import copytree

import h5py
import numpy as np
import pytest
from post_samples import periodic_run, run_folder
from test_nematic import CELLS, LENGTHS, moving, waves

import plexus_post
from plexus_post.cli import main
from plexus_post.columns import component_names
from plexus_post.nematics.nematic import Nematic
from plexus_post.pictures.film import FieldFilm
from plexus_post.recipes.film import moments

Image = pytest.importorskip("PIL.Image")
TIMES = np.arange(0.0, 3.1, 0.5)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs whose defects move at different speeds; the second one holds the tensor only."""
    place = tmp_path_factory.mktemp("runs")

    def slower(x, y, t):
        fields = moving(x, y, 0.5 * t)
        n, r = fields.pop("director"), fields.pop("order")
        spread = [n[:, a] * n[:, b] - 0.5 * (a == b) for a in (0, 1) for b in (0, 1)]
        tensor = np.stack([r * s + 0.5 * (i in (0, 3)) for i, s in enumerate(spread)], -1)
        return fields | {"nematic": 1.2 * tensor, "velocity": 0.9 * fields["velocity"]}

    for name, fields in (("true", moving), ("slow_model", slower)):
        periodic_run(place / name, fields, (40, 32), LENGTHS, TIMES)
    return place


def test_order_and_director_are_found_in_the_tensor_too(runs):
    tensor, plain = (Nematic(plexus_post.open(runs / n)) for n in ("slow_model", "true"))
    np.testing.assert_allclose(tensor.tensor(2), plain.tensor(1), atol=1e-12)
    np.testing.assert_allclose(tensor.order(2), plain.order(1), atol=1e-12)


def test_statistics_are_printed_drawn_and_written(runs, tmp_path, capsys):
    command = ["nematic", str(runs / "true"), str(runs / "slow_model"), "-o", str(tmp_path)]
    assert main([*command, "--names", "kinetic", "a model"]) == 0
    text = capsys.readouterr().out
    assert "a model" in text and "born per time" in text
    assert {p.name for p in tmp_path.glob("*.png")} == {
        "nematic_true.png", "nematic_slow_model.png", "nematic_history.png",
    }  # fmt: skip
    with (tmp_path / "nematic_true.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(r["time"]) for r in rows] == TIMES.tolist()
    assert {(r["plus_defects"], r["minus_defects"]) for r in rows} == {("2", "2")}
    with (tmp_path / "defects_true.csv").open() as file:
        assert {float(r["charge"]) for r in csv.DictReader(file)} == {0.5, -0.5}


def test_horizons_are_printed_drawn_and_written(runs, tmp_path, capsys):
    out, table = tmp_path / "horizon.png", tmp_path / "horizon.csv"
    command = ["horizon", str(runs / "true"), str(runs / "slow_model"), "-o", str(out), "--csv", str(table)]
    assert main([*command, "--early", "0", "2"]) == 0
    text = capsys.readouterr().out
    assert "slow model" in text and "never" in text
    assert out.stat().st_size > 10000
    with table.open() as file:
        row = list(csv.DictReader(file))[1]
    assert (row["passed_5_percent"], row["passed_100_percent"]) == ("0.0", "inf")


def test_a_sweep_stands_for_its_members(runs, tmp_path, capsys):
    members = [
        {"index": i, "folder": n, "values": {"closure": n}, "ranks": None}
        for i, n in enumerate(("true", "slow_model", "never_run"))
    ]
    columns = [{"path": "closure", "name": "closure", "unit": "", "numbers": None}]
    facts = {"format": 1, "deck": "d", "title": "t", "mode": "list", "columns": columns, "members": members}
    (tmp_path / "sweep.json").write_text(json.dumps(facts))
    command = ["horizon", str(tmp_path), "-o", str(tmp_path / "horizon.png")]
    assert main(command) == 2
    assert "no member of this sweep is done" in capsys.readouterr().err
    for name in ("true", "slow_model"):
        copytree(runs / name, tmp_path / name)
        (tmp_path / name / "summary.json").write_text('{"status": "done", "exit_code": 0}')
    assert main(command) == 0
    assert "Beside closure true" in capsys.readouterr().out
    assert main(["nematic", str(tmp_path / "slow_model")]) == 0
    assert "closure slow_model" in capsys.readouterr().out


@pytest.mark.parametrize("count", [1, 2])
def test_a_film_has_as_many_frames_as_asked_for(runs, tmp_path, count):
    film = tmp_path / "film.gif"
    paths = [str(runs / n) for n in ("true", "slow_model")[:count]]
    assert main(["film", *paths, "-o", str(film), "--frames", "3", "--width", "420", "--fps", "4"]) == 0
    with Image.open(film) as picture:
        assert (picture.n_frames, picture.size[0]) == (3, 420)
        assert picture.info["duration"] == 250


def test_a_strip_and_numbered_pictures(runs, tmp_path):
    paths = [str(runs / n) for n in ("true", "slow_model")]
    assert main(["film", *paths, "-o", str(tmp_path / "strip.png"), "--frames", "2", "--field", "order"]) == 0
    assert (tmp_path / "strip.png").stat().st_size > 20000
    command = ["film", *paths, "-o", str(tmp_path / "all"), "--from", "1", "--to", "2", "--field", "speed"]
    assert main([*command, "--width", "400"]) == 0
    assert [p.name for p in sorted((tmp_path / "all").iterdir())] == [f"frame_{i:04d}.png" for i in range(3)]


def test_no_name_is_no_component(runs):
    """A scalar has one component without a suffix, which is not what an empty name means."""
    run = plexus_post.open(runs / "true")
    assert component_names(run.files[0].components("order")) == [""]
    assert run.component("") == ("", None) and run.component("_x") == ("_x", None)
    assert run.component("velocity_y") == ("velocity", 1)


def test_moments_are_even_and_inside_all_runs():
    times = [np.arange(0, 10.5, 0.5), np.arange(1, 8.5, 1.0)]
    assert moments(times, None, None, 4).tolist() == [1, 3.5, 5.5, 8]
    assert moments(times, 2, 3, 60).tolist() == [2, 2.5, 3]


def test_a_flow_needs_no_director(tmp_path, capsys):
    def flow(x, y, t):
        return {"velocity": (1 + t) * waves(x, y, t)["velocity"]}

    paths = [str(periodic_run(tmp_path / n, flow, CELLS, LENGTHS)) for n in ("a", "b")]
    assert main(["horizon", *paths, "-o", str(tmp_path / "horizon.png")]) == 0
    assert "never  never  never  -" in capsys.readouterr().out
    assert main(["film", paths[0], "-o", str(tmp_path / "film.gif"), "--frames", "2", "--width", "400"]) == 0
    assert main(["film", paths[0], "--field", "order"]) == 2
    assert "have a director" in capsys.readouterr().err


def test_plot_draws_the_director_into_the_order_and_spectra_as_lines(runs, tmp_path, capsys):
    with h5py.File(runs / "true" / "series.h5", "w") as file:
        for column, values in {"time": [0.0, 1.0], "shell_1": [1.0, 2.0], "shell_2": [0.5, 0.0]}.items():
            file[f"spectra/velocity/{column}"] = values
        for number in range(7):
            file[f"monitor/m{number}"] = [np.nan, 1.0, 2.0] if number else [np.nan, 1.0, np.nan]
        file["monitor/time"] = [0.0, 1.0, 2.0]
    assert main(["plot", str(runs / "true"), "-o", str(tmp_path)]) == 0
    made = {line.rsplit("/", 1)[-1] for line in capsys.readouterr().out.split()}
    histories = {"spectra_velocity.png", "monitor.png"}
    assert made == {"velocity.png", "order.png", "rank.png", "overview.png"} | histories
    # six panels in two columns are wider than high
    with Image.open(tmp_path / "monitor.png") as picture:
        assert picture.size[0] > picture.size[1]
    assert main(["plot", str(runs / "true"), "-o", str(tmp_path), "--fields", "director"]) == 0


@pytest.mark.filterwarnings("error:Attempt:UserWarning", "error::RuntimeWarning")
def test_failed_runs_still_fluids_and_single_moments_are_drawn(tmp_path, capsys):
    def still(x, y, t):
        wave = {"velocity": np.zeros((len(x), 2)), "order": 0 * x, "director": np.ones((len(x), 2))}
        return wave if t < 2 else {n: np.nan * v for n, v in wave.items()}

    once, failed, true = (
        str(periodic_run(tmp_path / n, f, (12, 12), LENGTHS, t))
        for n, f, t in (("once", still, (0.0,)), ("failed", still, (0.0, 1.0, 2.0)), ("true", waves, TIMES))
    )
    for command in (["nematic", once], ["nematic", failed, true]):
        assert main([*command, "-o", str(tmp_path)]) == 0
    for runs in ([once], [true, failed], [failed, true]):
        assert main(["film", *runs, "-o", str(tmp_path / "f.gif"), "--frames", "2", "--width", "300"]) == 0
    assert main(["horizon", true, failed, "-o", str(tmp_path / "h.png")]) == 0
    # a fluid at rest is off by 100 %, one that is not a number by more
    last = [
        line.split() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("failed")
    ]
    assert last[-1][:4] == ["failed", "0", "0", "2"]


def test_wrong_input_is_one_line_and_exit_code_2(runs, tmp_path, capsys):
    bare = periodic_run(tmp_path / "bare", lambda x, y, t: {"order": 0 * x})
    other = periodic_run(tmp_path / "other", lambda x, y, t: waves(0 * x, 0 * y, t), CELLS, (3.0, 3.0))
    true = str(runs / "true")
    commands = {
        "needs the fields velocity": ["nematic", str(bare)],
        "no such file": ["horizon", true, str(tmp_path / "nothing")],
        "different boxes": ["horizon", true, str(other)],
        "at least one more run": ["horizon", true],
        "2 names for 1 runs": ["nematic", true, "--names", "a", "b"],
        "no field 'colour' to shade": ["film", true, "-o", str(tmp_path / "f.gif"), "--field", "colour"],
        "a film is a .gif": ["film", true, "-o", str(tmp_path / "film.mp4")],
        "no step lies in": ["film", true, "--from", "90"],
        "ends at t = 3": ["nematic", true, "--after", "50"],
        "a film of 0 frames": ["film", true, "--frames", "0"],
        "positive --fps": ["film", true, "--fps", "0"],
    }
    for words, command in commands.items():
        assert main(command) == 2, command
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and words in error, (command, error)


def test_a_film_of_a_field_of_any_run_keeps_colours_and_size(tmp_path, capsys):
    folder = run_folder(tmp_path / "run", times=(0.0, 1.0, 2.0))
    out = tmp_path / "film.gif"
    for field in ("temperature", "displacement", "displacement_x", "rank"):
        assert main(["film", str(folder), "--field", field, "-o", str(out)]) == 0, capsys.readouterr().err
        with Image.open(out) as film:
            assert film.n_frames in (3, 1)
    assert main(["film", str(folder), "--field", "temperature", "-o", str(tmp_path / "pictures")]) == 0
    sizes = {Image.open(p).size for p in (tmp_path / "pictures").glob("frame_*.png")}
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 3 and len(sizes) == 1
    film = FieldFilm(plexus_post.open(folder), "displacement", np.array([0.0, 1.0, 2.0]), 400)
    assert len({v.note for v in film.views}) == len({v.unit for v in film.views}) == 1
    assert film.views[0].coloured.max() == max(v.values.max() for v in film.views)
    line = run_folder(tmp_path / "line", shape="line3")
    assert main(["film", str(line), "--field", "temperature", "-o", str(out)]) == 0


def test_films_that_cannot_be_made_are_told(tmp_path, capsys):
    folder, solid = run_folder(tmp_path / "run"), run_folder(tmp_path / "solid", shape="hexahedron")
    for command, told in (
        ([str(folder), "--field", "nothing"], "no field 'nothing'"),
        ([str(solid), "--field", "temperature"], "plot --time"),
        ([str(folder), str(folder), "--field", "temperature"], "beside each other"),
        ([str(folder), "--field", "temperature", "--from", "9"], "no step lies"),
    ):
        assert main(["film", *command, "-o", str(tmp_path / "film.gif")]) == 2
        assert told in capsys.readouterr().err
