"""Pictures of reduced models and dictionaries from their files; two runs beside each other."""

import json
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from post_samples import analytic, run_folder

import plexus_post
from plexus_post.cli import main
from plexus_post.errors import PostError
from plexus_post.pictures.histories import rom
from plexus_post.pictures.scenes import Scene
from plexus_post.reduced import clusters, model

FACTS = {
    "unknown": "displacement", "modes": 2, "responses": 1, "points": 96, "spectrum": [1.0, 1e-4, 1e-20],
    "tolerance": 1e-3, "cubature": 1e-5, "counts": [1, 2, 2], "errors": [0.5, 0.1, 1e-6],
    "weights": [0.75, 0.25, 0.0], "places": [[0.2, 1.1], [0.8, 1.2], [1.1, 0.2]],
    "ratios": [2.0], "trajectories": [{"time": [1.0, 2.0], "indicator": [0.01, 0.1], "error": [0.02, 0.1]}],
}  # fmt: skip


def reduced(folder, shape="quad9", **changes):
    """Write a reduced model and its modes; return its file."""
    run_folder(folder, 1, shape, times=(1.0, 2.0))
    (folder / "fields.vtkhdf").rename(folder / "rom.modes.vtkhdf")
    with h5py.File(folder / "rom.h5", "w") as file:
        facts = json.dumps({"facts": {"reduced": FACTS | changes}})
        file["plexus/facts"] = np.frombuffer(facts.encode(), dtype=np.uint8)
    return folder / "rom.h5"


def test_a_model_is_drawn(tmp_path, drawn, capsys):
    path = reduced(tmp_path / "made")
    assert main(["rom", str(path), "-o", str(tmp_path)]) == 0
    names = ["rom.png", "rom_points.png", "rom_modes.png"]
    assert capsys.readouterr().out.split() == [str(tmp_path / n) for n in names]
    spectrum, cubature, trust = drawn["rom.png"].axes
    np.testing.assert_allclose(spectrum.lines[0].get_ydata(), [1.0, 1e-2])
    assert len(spectrum.lines) == 2, "rounding of a Gram matrix is no value"
    np.testing.assert_allclose(cubature.lines[0].get_xydata(), [[1, 0.5], [2, 0.1], [2, 1e-6]])
    np.testing.assert_allclose(trust.lines[0].get_xydata(), [[0.01, 0.02], [0.1, 0.1]])
    np.testing.assert_allclose(trust.lines[2].get_xydata(), [[0.01, 0.02], [0.1, 0.2]])
    weighed, others = drawn["rom_points.png"].axes[0].collections[-2:]
    assert len(weighed.get_offsets()) == 2 and len(others.get_offsets()) == 1
    np.testing.assert_allclose(np.divide(*weighed.get_sizes()), 3.0)
    titles = [axes.get_title(loc="left") for axes in drawn["rom_modes.png"].get_axes()]
    assert [t for t in titles if t] == ["Mode 1 of 2", "Mode 2 of 2"]
    told = [axes.get_ylabel() for axes in drawn["rom_modes.png"].get_axes()]
    assert [t.endswith("to 1") and "[" not in t for t in told if "from" in t] == [True, True]


def test_a_solid_model_without_calibration(tmp_path, drawn, monkeypatch):
    monkeypatch.setattr("plexus_post.pictures.shapes.solid._rendered", lambda *_: None)
    places = [[0.2, 0.1, 0.3], [0.8, 0.2, 0.9], [0.1, 0.2, 0.5]]
    reduced(tmp_path, "hexahedron", places=places, trajectories=[], ratios=[])
    assert main(["rom", str(tmp_path), "--modes", "1"]) == 0
    assert len(drawn["rom.png"].axes) == 2
    lines = drawn["rom_points.png"].axes[0].collections[0]
    assert len(lines._segments3d) == 12 * 3, (
        "the edges of a cube of three cells each way, none across its faces"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weights": [1.0]}, "do not belong together"),
        ({"places": None}, "damaged"),
        ({"spectrum": "x"}, "damaged"),
    ],
)
def test_damaged_models_are_refused(tmp_path, changes, told):
    path = reduced(tmp_path, **changes)
    with pytest.raises(PostError, match=told):
        model.read(path)


def test_other_files_are_refused(tmp_path, capsys):
    path = reduced(tmp_path)
    with h5py.File(path, "r+") as file:
        del file["plexus/facts"]
        file["plexus/facts"] = np.frombuffer(b'{"facts": {"step": 1}}', dtype=np.uint8)
    assert main(["rom", str(path)]) == 2
    assert "no basis with a cubature" in capsys.readouterr().err
    with h5py.File(path, "r+") as file:
        del file["plexus/facts"]
        file["plexus/facts"] = np.frombuffer(b'{"facts": {"lagrangian": {}}}', dtype=np.uint8)
    assert main(["rom", str(path)]) == 2
    assert "(found: lagrangian)" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["rom", str(tmp_path / "empty")]) == 2
    assert "neither rom.h5 nor dictionary.json" in capsys.readouterr().err


def test_modes_are_no_times_of_a_run(tmp_path):
    reduced(tmp_path)
    assert plexus_post.open(tmp_path).files == []
    assert plexus_post.open(tmp_path / "rom.modes.vtkhdf").times.tolist() == [1.0, 2.0]


def test_gain_and_sizes_of_a_dictionary_are_drawn(tmp_path, drawn):
    about = {"clusters": 2, "members": 8, "gains": [0.0, 0.6, 0.7], "sizes": [5, 3], "modes": [6, 7],
             "points": [20, 30], "accuracy": 0.9}  # fmt: skip
    (tmp_path / "dictionary.json").write_text(json.dumps({"kind": "dictionary", "about": about}))
    assert main(["rom", str(tmp_path)]) == 0
    gain, sizes = drawn["dictionary.png"].axes
    np.testing.assert_allclose(gain.lines[0].get_xydata(), [[1, 0.0], [2, 0.6], [3, 0.7]])
    assert [bar.get_height() for bar in sizes.patches] == [5, 3]


def test_another_file_is_no_dictionary(tmp_path):
    with pytest.raises(PostError, match="no dictionary of reduced models"):
        clusters.read(tmp_path / "dictionary.json")
    (tmp_path / "dictionary.json").write_text(json.dumps({"kind": "dictionary", "about": {"gains": []}}))
    with pytest.raises(PostError, match="no dictionary"):
        clusters.read(tmp_path / "dictionary.json")


@pytest.mark.parametrize("shape", ["quad9", "line3", "hexahedron"])
def test_two_runs_and_their_difference(tmp_path, drawn, monkeypatch, shape):
    """On other partitions: a - b at the points of the first, the same colours for both."""
    monkeypatch.setattr("plexus_post.pictures.shapes.solid._rendered", lambda *_: None)

    def less(points, time):
        return {name: 0.9 * values for name, values in analytic(points, time).items()}

    one = run_folder(tmp_path / "full", 1, shape)
    two = run_folder(tmp_path / "reduced", 3, shape, ids=True, fields=less)
    out = tmp_path / "apart"
    assert main(["compare", str(one), str(two), "-o", str(out), "--fields", "temperature"]) == 1
    collection = (out / "difference.pvd").read_text()
    assert collection.count("<DataSet") == 3 and 'timestep="2" file="difference_0002.vtu"' in collection
    run = plexus_post.open(one)
    text = (out / "difference_0002.vtu").read_text()
    found = text.partition('Name="temperature_difference"')[2].partition(">")[2].partition("</DataArray>")[0]
    np.testing.assert_allclose(np.fromstring(found, sep="\n"), 0.1 * run.field("temperature"))
    told = [a.texts[0].get_text() for a in drawn["temperature.png"].axes if a.texts]
    assert [t.partition(" ·")[0] for t in told] == ["full", "reduced", "full - reduced"]
    assert (
        main(["compare", str(one), str(two), "-o", str(out), "--fields", "temperature", "--time", "0.8"]) == 1
    )
    told = [a.texts[0].get_text() for a in drawn["temperature.png"].axes if a.texts]
    assert all(" · t = 1 s" in t for t in told)


def test_without_names_all_common_fields_are_compared(tmp_path, drawn, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, two = (run_folder(tmp_path / name) for name in ("one", "two"))
    assert main(["compare", str(one), str(two), "--fields"]) == 0
    assert sorted(drawn) == ["displacement.png", "rank.png", "temperature.png"]
    assert (tmp_path / "difference" / "difference.pvd").is_file()


def test_a_run_without_fields_is_named(tmp_path, capsys):
    folders = [run_folder(tmp_path / name) for name in ("with", "without")]
    (folders[1] / "fields.vtkhdf").unlink()
    assert main(["compare", *map(str, folders), "--fields", "p"]) == 2
    assert "without has no fields: its deck needs an output `fields`" in capsys.readouterr().err


def test_plain_numbers_have_lengths_in_units_where_quantities_have_some(tmp_path):
    folder = run_folder(tmp_path / "run")
    told = json.loads((folder / "summary.json").read_text()) if (folder / "summary.json").is_file() else {}
    for units, length in (({"p": ""}, ""), ({"p": "", "tip": "m"}, "m")):
        (folder / "summary.json").write_text(json.dumps(told | {"units": units}))
        run = plexus_post.open(folder)
        run.unit = lambda name: ""
        assert Scene(run, 0).length[1] == length


def test_a_run_that_judges_itself_shows_its_full_steps(tmp_path, drawn):
    (tmp_path / "summary.json").write_text(json.dumps({"status": "done", "exit_code": 0}))
    columns = {
        "time": [0, 1, 2, 3, 4], "indicator": [0, 0, 0.9, 0.01, 0.3], "enrichments": [0, 0, 1, 1, 2],
        "modes": [12, 12, 13, 13, 14], "points": [90, 90, 99, 99, 120],
    }  # fmt: skip
    with h5py.File(tmp_path / "series.h5", "w") as file:
        for name, values in columns.items():
            file[f"rom/{name}"] = np.asarray(values, dtype=float)
    assert main(["plot", str(tmp_path)]) == 0
    one, *rest = drawn["rom.png"].axes
    line, full = one.lines
    assert one.get_yscale() == "log" and line.get_ydata().min() == 1e-8
    assert full.get_xdata().tolist() == [2, 4] and full.get_ydata().tolist() == [0.9, 0.3]
    assert [axes.get_ylabel() for axes in rest] == ["modes", "points"]
    # without an indicator it is a table as others
    assert not rom.suits(SimpleNamespace(name="rom", table={"modes": [1, 2]}))
