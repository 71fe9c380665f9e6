"""Runs on meshes of lines: pictures over x at several times, probes, overviews, comparisons, exports."""

from pathlib import Path

import h5py
import numpy as np
import pandas
import pytest
from matplotlib.figure import Figure
from post_samples import interval, run_folder, write_fields

import plexus_post
from plexus_post.cli import main
from plexus_post.pictures.scenes import Scene
from plexus_post.pictures.shapes import line
from plexus_post.pictures.style import pyplot

SHAPES = ["line", "line3"]
TIMES = tuple(np.linspace(0, 0.8, 9))


def fields(points, time):
    """Parabolas, which quadratic cells hold exactly; a vector along x, one with two components."""
    x = points[:, 0]
    return {
        "temperature": 300 + (1 + time) * x**2,
        "displacement": 1e-4 * (1 + time) * np.stack([1 - x, 0 * x, 0 * x], 1),
        "velocity": np.stack([x - time, 1e-14 * x, 2 * x], 1),
        "still": 7 + 0 * x,
    }


@pytest.fixture(params=SHAPES)
def folder(request, tmp_path):
    return run_folder(tmp_path / "run", 3, request.param, TIMES, fields=fields)


@pytest.fixture(autouse=True)
def closed():
    """Close the figures that a test leaves open."""
    yield
    pyplot().close("all")


def drawn(folder, name, step=8):
    """Draw the moments of a field up to a step and return the axes."""
    run = plexus_post.open(folder)
    steps = sorted({0, step // 2, step})
    _, axes = pyplot().subplots()
    line.panel(axes, [Scene(run, s).view(name) for s in steps])
    return axes


def curves(axes):
    """The lines of an axes that have points, as x and y."""
    return [one.get_xydata().T for one in axes.get_lines() if len(one.get_xdata())]


def test_lines_show_the_field_over_x_with_time_and_unit(folder):
    axes = drawn(folder, "temperature")
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["t = 0 s", "t = 0.4 s", "t = 0.8 s"]
    assert axes.get_ylabel() == "temperature [K]"
    quadratic = "line3" in plexus_post.open(folder).mesh().cells
    for (x, y), time in zip(curves(axes), (0.0, 0.4, 0.8), strict=True):
        assert (np.diff(x) >= 0).all() and (x[0], x[-1]) == (0.0, 2.0)
        nodes, _ = interval("line")
        exact = (
            300 + (1 + time) * x**2
            if quadratic
            else np.interp(x, nodes[:, 0], fields(nodes, time)["temperature"])
        )
        np.testing.assert_allclose(y, exact, rtol=1e-12)


def test_vectors_keep_their_signs_and_all_moments_share_a_unit(folder):
    axes = drawn(folder, "displacement")
    assert axes.get_ylabel() == "displacement [µm]"
    for (x, y), time in zip(curves(axes), (0.0, 0.4, 0.8), strict=True):
        np.testing.assert_allclose(y, 100 * (1 + time) * (1 - x), rtol=1e-9, atol=1e-9)
    axes = drawn(folder, "velocity")
    assert [t.get_text() for t in axes.get_legend().get_texts()][3:] == ["x component", "z component"]
    assert len(curves(axes)) == 6, "the y component is rounding"
    assert axes.get_title(loc="left") == "Velocity"


def test_what_does_not_change_is_one_line_in_the_middle(folder):
    axes = drawn(folder, "still")
    assert len(curves(axes)) == 1 and axes.get_legend() is None
    low, high = axes.get_ylim()
    assert low < 6.7 and high > 7.3
    ((x, y),) = curves(drawn(folder, "rank"))
    assert set(y) == {0, 1, 2} and (np.diff(y) >= 0).all() and len(x) == 2 * 12


def test_a_field_without_finite_values_has_an_empty_picture(tmp_path):
    lost = lambda points, time: {"temperature": np.nan * points[:, 0]}  # noqa: E731
    folder = run_folder(tmp_path / "run", 1, "line", TIMES, fields=lost)
    assert drawn(folder, "temperature").get_ylim() == (-1.0, 1.0)
    assert main(["plot", str(folder)]) == 0


def test_lines_break_where_the_mesh_has_a_gap(tmp_path):
    points, cells = interval("line", 6, 6.0)
    write_fields(tmp_path / "fields.vtkhdf", points, np.delete(cells, 3, axis=0), "line", 1, (0.0,), fields)
    ((x, y),) = curves(drawn(tmp_path, "temperature", 0))
    assert np.isnan(x).sum() == np.isnan(y).sum() == 1
    before, after = (float(x[np.flatnonzero(np.isnan(x))[0] + i]) for i in (-1, 1))
    np.testing.assert_allclose([before, after], points[3:5, 0])


@pytest.mark.parametrize(("count", "shown"), [(3, 3), (60, line.ROWS)])
def test_lines_beside_each_other_are_drawn_one_by_one(tmp_path, count, shown):
    points, cells = interval("line", 6, 6.0)
    rows = np.concatenate([points + np.array([0, j, 0]) for j in range(count)])
    several = np.concatenate([cells + j * len(points) for j in range(count)])
    height = lambda p, t: {"temperature": p[:, 0] + 100 * p[:, 1]}  # noqa: E731
    write_fields(tmp_path / "fields.vtkhdf", rows, several, "line", 1, TIMES, height)
    axes = drawn(tmp_path, "temperature")
    found = curves(axes)
    assert len(found) == shown, "the last moment only, and never more than can be seen"
    for x, y in found:
        np.testing.assert_allclose(y - x, y[0] - x[0])
        assert np.all(np.diff(x) >= 0)
    assert any(f"{shown} of {count} lines" in text.get_text() for text in axes.texts) == (shown < count)


def test_plot_draws_several_times_up_to_the_step(folder, capsys, monkeypatch):
    legends = {}

    def save(figure: Figure, path):
        legend = figure.axes[0].get_legend()
        legends[path.name] = [t.get_text() for t in legend.get_texts()] if legend else []
        return path

    monkeypatch.setattr(line, "save", save)
    assert main(["plot", str(folder), "--step", "4", "--mesh", "--warp", "10"]) == 0
    assert set(legends) == {
        f"{n}.png" for n in ("temperature", "displacement", "velocity", "still", "rank", "overview")
    }
    assert legends["temperature.png"] == [f"t = {t} s" for t in ("0", "0.1", "0.2", "0.3", "0.4")]
    assert main(["plot", str(folder), "--step", "0", "--fields", "temperature"]) == 0
    assert legends["temperature.png"] == []


def test_plot_and_report_write_pictures(folder, capsys):
    assert main(["plot", str(folder)]) == 0
    made = capsys.readouterr().out.split()
    assert len(made) == 6 and all(Path(m).read_bytes().startswith(b"\x89PNG") for m in made)
    assert main(["report", str(folder)]) == 0
    assert (folder / "report.html").read_text().count("data:image/png") == 5


def test_info_probe_compare_and_export_work_on_lines(folder, tmp_path, capsys):
    assert main(["info", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "12 line" in text and "temperature     point  K     300" in text
    out = tmp_path / "out.csv"
    assert main(["probe", str(folder), "--point", "0.5", "--point", "1,0", "--csv", str(out)]) == 0
    found = pandas.read_csv(out)
    np.testing.assert_allclose(found["displacement_x [m]"], 1.8e-4 * (1 - found["x [m]"]), atol=1e-15)
    assert found["x [m]"].tolist() == [0.5, 1.0] and (found["y [m]"] == 0).all()
    assert (
        main(["probe", str(folder), "--line", "0", "2", "--csv", str(out), "--plot", str(tmp_path / "a.png")])
        == 0
    )
    assert len(pandas.read_csv(out)) == 101
    assert main(["compare", str(folder), str(folder)]) == 0
    for suffix in ("csv", "npz", "vtu"):
        assert main(["export", str(folder), str(tmp_path / f"out.{suffix}")]) == 0
    assert len(pandas.read_csv(out)) == len(plexus_post.open(folder).mesh().points)


def test_other_partitions_are_equal_and_other_meshes_are_refused(tmp_path, capsys):
    a, b, c = (
        run_folder(tmp_path / f"{shape}{n}", n, shape, TIMES[:2], fields=fields, ids=n > 1)
        for n, shape in ((1, "line3"), (4, "line3"), (2, "line"))
    )
    assert main(["compare", str(a), str(b), "--fields", "temperature", "velocity", "-o", str(tmp_path)]) == 0
    assert main(["compare", str(a), str(c)]) == 2
    assert "meshes differ" in capsys.readouterr().err


def test_one_number_is_a_point_on_lines_only(tmp_path, folder, capsys):
    assert main(["probe", str(folder), "--point", "0.1,0,0,0"]) == 2
    assert "write x or x,y or x,y,z" in capsys.readouterr().err
    assert main(["probe", str(folder), "--point", "2.5"]) == 2
    assert "no point lies in the mesh" in capsys.readouterr().err
    assert main(["probe", str(run_folder(tmp_path / "ring")), "--point", "1.5"]) == 2
    assert "'1.5' is no point; write x,y or x,y,z" in capsys.readouterr().err


def test_vtu_of_lines_is_read_by_vtk(folder, tmp_path):
    pyvista = pytest.importorskip("pyvista")
    assert main(["export", str(folder), str(tmp_path / "out.vtu")]) == 0
    mesh = pyvista.read(tmp_path / "out.vtu")
    assert mesh.n_cells == 12 and set(mesh.celltypes) <= {3, 21}
    np.testing.assert_allclose(mesh["temperature"], fields(mesh.points, 0.8)["temperature"], rtol=1e-12)


def test_cells_of_several_dimensions_in_one_mesh_are_refused(folder, capsys):
    with h5py.File(folder / "fields.vtkhdf", "r+") as file:
        kind = file["VTKHDF/Types"]
        kind[0] = 5 if kind[0] == 21 else 1
    assert main(["info", str(folder)]) == 2
    assert "not supported" in capsys.readouterr().err
