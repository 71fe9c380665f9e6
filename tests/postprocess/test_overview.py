"""What ``plexus-post info`` says of components, units and dead runs; profiles of line probes."""

import json
import re

import h5py
import numpy as np
import pandas
from post_samples import run_folder

from plexus_post.cli import main
from plexus_post.pictures.histories.profile import _fields, is_line
from plexus_post.pictures.style import pyplot, save


def strained(points, time):
    """Return a symmetric tensor with rounding, a vector and a scalar."""
    x = points[:, 0]
    tensor = np.stack([x, 2 * x, 2 * x + 1e-16, 1e-17 * x], axis=1)
    return {"strain": tensor, "displacement": np.stack([x, -x, 0 * x], axis=1), "temperature": 300 + x}


def test_mirrored_components_and_rounding_are_not_shown(tmp_path, capsys):
    assert main(["info", str(run_folder(tmp_path / "run", fields=strained))]) == 0
    rows = {
        line.split()[0]: line.split()[-2:] for line in capsys.readouterr().out.splitlines() if "point" in line
    }
    assert "strain_yx" not in rows and rows["strain_xy"] != ["0", "0"]
    assert rows["strain_yy"] == ["0", "0"]
    assert {"displacement_x", "displacement_y", "displacement_z"} <= rows.keys()


def test_quantities_have_units(tmp_path, capsys):
    folder = run_folder(tmp_path / "run")
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"units": {"peak": "W/m^2"}}))
    assert main(["info", str(folder)]) == 0
    assert "340.25  W/m²" in capsys.readouterr().out


def test_guards_of_learned_parts_are_told(tmp_path, capsys):
    folder = run_folder(tmp_path / "run")
    path = folder / "summary.json"
    counts = {"mean_outside": 0.031, "outside": 0.5, "max_fraction": 0.01, "steps": 40, "holds": False}
    told = {"closure": counts, "replaced": ["the closure gave way"]}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"guards": told, "status": "degraded"}))
    assert main(["info", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "closure  3.1 %" in text and "50 %" in text and "the closure gave way" in text
    assert main(["report", str(folder)]) == 0
    assert "3.1 %" in (folder / "report.html").read_text()


def test_a_reduced_model_has_a_line_for_each_fact(tmp_path, capsys):
    folder = run_folder(tmp_path / "run")
    path = folder / "summary.json"
    made = {
        "modes": 12, "points": 119, "of_points": 1728, "error": 9.7e-6, "largest": {"p": 8.2e-4},
        "enriched": [0.5, 0.75], "joined": [], "full_since": None, "material": {"physics": {}},
    }  # fmt: skip
    path.write_text(json.dumps(json.loads(path.read_text()) | {"reduced": made}))
    assert main(["info", str(folder)]) == 0
    out = capsys.readouterr().out
    rows = dict(
        re.split(" {2,}", line.strip()) for line in out.partition("Reduced model")[2].splitlines()[1:9]
    )
    assert rows["modes"] == "12" and rows["points of the whole body"] == "1728"
    assert rows["full steps that completed it, at t [s]"] == "0.5, 0.75"
    assert rows["largest root mean squares"] == "p 0.00082"
    assert "joined" not in out and "full model from" not in out and "material" not in out
    assert main(["report", str(folder)]) == 0
    assert "error that was reached" in (folder / "report.html").read_text()


def test_a_campaign_is_told_by_its_figures(tmp_path, capsys):
    folder = run_folder(tmp_path / "run")
    path = folder / "summary.json"
    spread = {"p5": 10.0, "median": 20.0, "p95": 30.0, "least": 5.0, "most": 1e300}
    told = {"draws": 100, "failed": [3], "beyond": [], "outside": [4, 5],
            "distribution": {"tip": spread, "none": {}},
            "errors": {"tip": {"checked": 4, "median": 1e-3, "largest": 2e-3}}}  # fmt: skip
    path.write_text(json.dumps(json.loads(path.read_text()) | {"campaign": told, "units": {"tip": "m"}}))
    assert main(["info", str(folder)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"tip +m +5 +10 +20 +30 +1e\+300 +4 +0.001 +0.002\n", out)
    assert "100 draws; 1 did not come to their end; 2 go where data do not reach." in out


def test_a_training_is_drawn_and_its_validation_told(tmp_path, capsys):
    rows = [
        {"case": {"alpha": -3.0, "seed": 2}, "metric": "f2", "value": 0.008, "baselines": {"bingham": 0.016}}
    ]
    (tmp_path / "summary.json").write_text(json.dumps({"status": "done", "exit_code": 0, "validation": rows}))
    with h5py.File(tmp_path / "series.h5", "w") as file:
        step, stage = np.arange(1, 61), np.repeat([0.0, 1.0], 30)
        for name, column in {"step": step, "time": 0.1 * step, "stage": stage}.items():
            file[f"training/{name}"] = column
        file["training/loss"], file["training/rate"] = 1.0 / step, np.full(60, 1e-3)
    assert main(["info", str(tmp_path)]) == 0
    assert "alpha -3, seed 2  f2     0.008    0.016    0.500" in capsys.readouterr().out
    assert main(["plot", str(tmp_path)]) == 0
    assert (tmp_path / "pictures" / "training.png").stat().st_size > 10000


def test_a_dead_run_is_interrupted(tmp_path, capsys):
    (tmp_path / "progress.json").write_text(
        json.dumps(
            {"status": "running", "step": 3, "t": 0.5, "share": 0.25, "finish": "2030-01-01T00:00:00+00:00"}
        )
    )
    (tmp_path / ".lock").write_text("")
    assert main(["info", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "status       interrupted" in text and "25%  step 3, t = 0.5 s\n" in text


def test_provenance_of_a_run_without_fields(tmp_path, capsys):
    (tmp_path / "summary.json").write_text("{}")
    with h5py.File(tmp_path / "series.h5", "w") as file:
        file["plexus/provenance"] = np.bytes_(json.dumps({"command": ["plexus", "run", "a.yaml", "-n", "2"]}))
    assert main(["info", str(tmp_path)]) == 0
    assert "plexus run a.yaml -n 2" in capsys.readouterr().out


def test_a_line_probe_becomes_a_profile(tmp_path, capsys):
    folder, x = run_folder(tmp_path / "run"), np.linspace(0, 1, 12)
    with h5py.File(folder / "series.h5", "w") as file:
        group = file.create_group("probes/middle")
        group.attrs["positions"] = np.stack([x, 0 * x], axis=1)
        group["time"], group["step"] = [0.0], [0]
        for i, value in enumerate(x):
            group[f"temperature_{i}"] = [300 + value]
    assert main(["plot", str(folder), "-o", str(tmp_path)]) == 0
    assert (tmp_path / "probes_middle.png").stat().st_size > 5000


def test_lines_and_the_order_of_their_columns():
    x = np.linspace(0, 1, 12)[:, None]
    assert (
        is_line(x * [1.0, 2.0])
        and not is_line(x**2 * [1.0, 0] + x * [0, 1.0])
        and not is_line(x[:3] * [1, 1])
    )
    names = [f"u_{i}_{axis}" for i in range(12) for axis in "xy"]
    table = pandas.DataFrame({name: [1.0 if name.endswith("x") else 1e-15] for name in sorted(names)})
    assert _fields(table) == {"u_x": [f"u_{i}_x" for i in range(12)]}


def test_ticks_are_numbers_and_titles_are_as_written(tmp_path):
    plt = pyplot()
    figure, axes = plt.subplots()
    title = axes.set_title("cost $5_")
    axes.set_xticks([1.0, 2.0], ["$a_", "b"])
    axes.set_yscale("log")
    axes.plot([1.0, 2.0], [1e-5, 1e3])
    save(figure, tmp_path / "picture.png")
    assert not title.get_parse_math()
    assert not axes.get_xticklabels()[0].get_parse_math()
    powers = axes.get_yticklabels()
    assert any("10^{" in label.get_text() for label in powers)
    assert all(label.get_parse_math() for label in powers)
