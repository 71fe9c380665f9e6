"""The commands of ``plexus-post``: what they print, write and return."""

import json
from pathlib import Path

import h5py
import numpy as np
import pandas
import pytest
from post_samples import analytic, run_folder

import plexus_post
from plexus_post.cli import main
from plexus_post.pictures import over_time
from plexus_post.pictures.colours import Colours
from plexus_post.pictures.scenes import Scene, views


def series(folder, **tables):
    """Add histories to a run folder."""
    with h5py.File(folder / "series.h5", "w") as file:
        for name, columns in tables.items():
            for column, values in columns.items():
                file[f"{name.replace('__', '/')}/{column}"] = values


def test_info_shows_fields_quantities_and_verification(tmp_path, capsys):
    folder = run_folder(tmp_path / "run")
    series(folder, quantities={"time": [0.0, 1.0], "peak": [3.0, 4.0]})
    assert main(["info", str(folder)]) == 0
    text = capsys.readouterr().out
    for part in (
        "Quarter ring",
        "done (exit code 0)",
        "225 points, 48 quad9",
        "temperature",
        "340.25",
        "yes",
    ):
        assert part in text
    assert "peak, time" in text


@pytest.mark.parametrize("shape", ["quad9", "triangle"])
def test_plot_makes_pictures_of_fields_and_histories(tmp_path, capsys, shape):
    folder = run_folder(tmp_path / "run", shape=shape)
    residual = 10.0 ** -np.arange(8)
    series(
        folder,
        quantities={"time": [0.0, 1.0], "peak": [3.0, 4.0]},
        krylov__temperature={"iteration": np.arange(8), "norm": residual},
    )
    assert main(["plot", str(folder)]) == 0
    made = [line.rsplit("/", 1)[-1] for line in capsys.readouterr().out.split()]
    assert set(made) >= {"temperature.png", "displacement.png", "quantities.png", "krylov_temperature.png"}
    assert all((folder / "pictures" / m).stat().st_size > 5000 for m in made)


def test_plot_of_a_solid_works_without_pyvista(tmp_path, monkeypatch):
    monkeypatch.setattr("plexus_post.pictures.shapes.solid._rendered", lambda *_: None)
    folder = run_folder(tmp_path / "run", shape="hexahedron", times=(0.0,))
    assert main(["plot", str(folder), "--fields", "temperature", "-o", str(tmp_path)]) == 0
    assert (tmp_path / "temperature.png").stat().st_size > 5000


def test_compare_finds_equal_runs_on_other_partitions_and_shows_differences(tmp_path, capsys):
    one, three = (run_folder(tmp_path / f"run{n}", n, ids=n > 1) for n in (1, 3))

    def shifted(points, time):
        fields = analytic(points, time)
        return fields | {"temperature": fields["temperature"] * (1 + 1e-5)}

    other = run_folder(tmp_path / "other", 2, fields=shifted)
    fields = ["--fields", "temperature", "displacement", "-o", str(tmp_path)]
    assert main(["compare", str(one), str(three), *fields]) == 0
    assert main(["compare", str(one), str(other), *fields]) == 1
    assert "NO" in capsys.readouterr().out
    assert main(["compare", str(one), str(other), *fields, "--tolerance", "1e-4"]) == 0


def test_compare_refuses_other_meshes(tmp_path, capsys):
    a, b = run_folder(tmp_path / "a"), run_folder(tmp_path / "b", shape="quad")
    assert main(["compare", str(a), str(b)]) == 2
    assert "meshes differ" in capsys.readouterr().err


@pytest.mark.parametrize(("holds", "code"), [(True, 0), (False, 1), (None, 1)])
def test_verification_becomes_an_exit_code(tmp_path, holds, code):
    folder = run_folder(tmp_path / "run")
    summary = json.loads((folder / "summary.json").read_text())
    summary["verification"][0]["holds"] = holds
    (folder / "summary.json").write_text(json.dumps(summary))
    assert main(["compare", "--verification", str(folder)]) == code


def test_export_round_trips(tmp_path):
    folder = run_folder(tmp_path / "run")
    for suffix in ("csv", "npz", "vtu"):
        assert main(["export", str(folder), str(tmp_path / f"out.{suffix}"), "--time", "1"]) == 0
    table = pandas.read_csv(tmp_path / "out.csv", dtype=str).astype(float)
    expected = analytic(table[["x", "y", "z"]].to_numpy(), 1.0)
    np.testing.assert_allclose(table["temperature"], expected["temperature"], rtol=1e-14)
    np.testing.assert_allclose(table["displacement_y"], expected["displacement"][:, 1], rtol=1e-14)
    arrays = np.load(tmp_path / "out.npz")
    assert arrays["cells_quad9"].shape == (48, 9)
    assert set(arrays) == {"points", "cells_quad9", "temperature", "displacement", "rank"}


def test_vtu_is_read_by_vtk(tmp_path):
    pyvista = pytest.importorskip("pyvista")
    folder = run_folder(tmp_path / "run", shape="triangle6")
    assert main(["export", str(folder), str(tmp_path / "out.vtu")]) == 0
    mesh = pyvista.read(tmp_path / "out.vtu")
    assert (mesh.n_cells, set(mesh.celltypes)) == (96, {22})
    np.testing.assert_allclose(mesh["temperature"], analytic(mesh.points, 2.0)["temperature"], rtol=1e-12)


def test_probe_samples_a_line_and_a_history(tmp_path):
    folder, out = run_folder(tmp_path / "run"), tmp_path / "line.csv"
    command = ["probe", str(folder), "--line", "1,0", "2,0", "--count", "5", "--csv", str(out)]
    assert main([*command, "--plot", str(tmp_path / "line.png")]) == 0
    table = pandas.read_csv(out)
    assert table["distance [m]"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    np.testing.assert_allclose(table["temperature [K]"], 300 + 12 * table["x [m]"])
    command = ["probe", str(folder), "--point", "0,1.5", "--history", "--csv", str(out)]
    assert main([*command, "--plot", str(tmp_path / "history.png")]) == 0
    assert pandas.read_csv(out)["time [s]"].tolist() == [0, 1, 2]


def stressed(points, time):
    """Return a plane stress state stored as a 3 x 3 tensor."""
    x, y, _ = points.T
    stress = np.zeros((len(x), 9))
    stress[:, 0], stress[:, 4], stress[:, 1], stress[:, 3] = 1e6 * x, -2e6 * y, 3e6, 3e6
    return {"stress": stress, "temperature": 300 + 0 * x}


def test_components_of_tensors_are_drawn_and_probed(tmp_path, capsys):
    folder, out = run_folder(tmp_path / "run", fields=stressed), tmp_path / "line.csv"
    assert main(["plot", str(folder), "--fields", "stress", "--time", "0.9", "-o", str(tmp_path)]) == 0
    made = [Path(line).name for line in capsys.readouterr().out.split()]
    assert made == ["stress_xx.png", "stress_xy.png", "stress_yy.png", "overview.png"]
    assert main(["plot", str(folder), "--fields", "stress_yy", "-o", str(tmp_path)]) == 0
    command = ["probe", str(folder), "--line", "1,0", "2,0", "--fields", "stress_xx", "--csv", str(out)]
    assert main([*command, "--plot", str(tmp_path / "line.png")]) == 0
    table = pandas.read_csv(out)
    assert list(table) == ["x [m]", "y [m]", "z [m]", "distance [m]", "stress_xx [Pa]"]
    np.testing.assert_allclose(table["stress_xx [Pa]"], 1e6 * table["x [m]"])
    assert main(["plot", str(folder), "--fields", "stress_xq"]) == 2
    assert "no field 'stress_xq'" in capsys.readouterr().err


def test_a_picture_says_why_its_peak_is_not_the_quantity(tmp_path):
    folder = run_folder(tmp_path / "run", fields=stressed)
    peak, least = "{type: maximum, of: stress_xx}", "{type: minimum, of: temperature}"
    (folder / "deck.yaml").write_text(f"quantities:\n  peak: {peak}\n  least: {least}\n")
    summary = json.loads((folder / "summary.json").read_text())
    summary["quantities"] = {"peak": 2.1e6, "least": 300.0}
    (folder / "summary.json").write_text(json.dumps(summary))
    run = plexus_post.open(folder)
    told = {v.name: v.peak for v in views(Scene(run, 2), ["stress_xx", "temperature"])}
    why = "the picture shows means over the cells around each node"
    assert told == {"stress_xx": f"peak is 2.1 MPa: taken cell by cell, {why}", "temperature": ""}
    assert not next(views(Scene(run, 1), ["stress_xx"])).peak  # the quantity is that of the end


def test_many_whole_numbers_are_drawn_like_any_field():
    """A colour for each of 10^12 numbers, as damage makes them, would not fit into any memory."""
    assert len(Colours.of(np.array([0, 10**12]), "").levels) < 50
    assert Colours.of(np.array([0, 2]), "").levels.tolist() == [-0.5, 0.5, 1.5, 2.5]


def test_a_constant_is_a_line_in_the_middle(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("plexus_post.pictures.over_time.save", lambda figure, path: drawn.append(figure))
    table = pandas.DataFrame({"mass": 10 + 1e-11 * np.arange(5), "heat": 10 + 1e-7 * np.arange(5)})
    over_time.draw("quantities", table, ["mass", "heat"], tmp_path / "a.png")
    (mass, heat), (figure,) = drawn[0].axes, drawn
    assert mass.get_ylim() == pytest.approx((9.5, 10.5))
    assert np.ptp(heat.get_ylim()) < 1e-6
    figure.canvas.draw()
    assert {axes.yaxis.get_offset_text().get_text() for axes in figure.axes} == {""}


def test_histories_are_exported_with_their_units(tmp_path, capsys):
    folder, out = run_folder(tmp_path / "run"), tmp_path / "peak.csv"
    series(folder, quantities={"time": [0.0, 1.5], "peak": [3.0, np.nan]})
    with h5py.File(folder / "series.h5", "r+") as file:
        file["quantities/peak"].attrs["unit"] = b"W/m^2"
    assert main(["export", str(folder), str(out), "--series", "quantities"]) == 0
    assert out.read_text() == "time [s],peak [W/m²]\n0,3\n1.5,nan\n"
    assert main(["export", str(folder), str(out), "--series", "nothing"]) == 2
    assert main(["export", str(folder), str(tmp_path / "x.npz"), "--series", "quantities"]) == 2
    assert "written as .csv" in capsys.readouterr().err


def test_unusable_input_is_one_line_and_exit_code_2(tmp_path, capsys):
    folder, broken, empty = run_folder(tmp_path / "run"), run_folder(tmp_path / "broken"), tmp_path / "empty"
    empty.mkdir()
    content = (broken / "fields.vtkhdf").read_bytes()
    (broken / "fields.vtkhdf").write_bytes(content[: len(content) // 2])
    (broken / "summary.json").write_text("{")
    commands = [
        ["info", str(tmp_path / "nothing")],
        ["info", str(empty)],
        ["info", str(broken)],
        ["plot", str(broken)],
        ["plot", str(folder), "--fields", "temprature"],
        ["plot", str(folder), "--step", "9"],
        ["plot", str(folder), "-o", "/proc/nowhere"],
        ["compare", str(folder)],
        ["compare", "--verification", str(broken)],
        ["export", str(folder), str(tmp_path / "out.xyz")],
        ["export", str(folder), str(tmp_path / "no/folder/out.csv")],
        ["probe", str(folder), "--point", "0,0"],
        ["probe", str(folder), "--point", "a,b"],
        ["probe", str(folder)],
    ]
    for command in commands:
        assert main(command) == 2, command
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and error.startswith("plexus-post: "), (command, error)
