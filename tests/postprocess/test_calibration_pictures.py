"""Pictures of calibrations: bands, courses, fields with what the data have seen, readings, spectrum."""

import json

import h5py
import numpy as np
import pytest
from post_samples import annulus, write_fields

import plexus_post
from plexus_post.cli import main
from plexus_post.pictures.calibration import calibration


@pytest.fixture
def fit(tmp_path):
    """Write the folder of a fit; return the writer, which takes controls and readings."""

    def write(controls, readings, spectrum=(100.0, 2.0, 0.5, 0.0)):
        (tmp_path / "summary.json").write_text(json.dumps({"status": "done"}))
        with h5py.File(tmp_path / "calibration.h5", "w") as file:
            file.create_group("controls")
            for name, (facts, data) in controls.items():
                for key, values in data.items():
                    file[f"controls/{name}/{key}"] = values
                file[f"controls/{name}"].attrs.update(facts)
                for course in file.get(f"controls/{name}/courses", {}).values():
                    course.attrs["unit"] = "K"
            for key, values in readings.items():
                file[f"data/{key}"] = values
            file["data"].attrs.update({"of": ["temperature"], "unit": ["K"]})
            file["history"], file["spectrum"] = [[50.0, 90, 10], [3, 5, 0.1]], np.array(spectrum)
        return tmp_path

    return write


def readings(count, times=None):
    time = np.full(count, np.nan) if times is None else np.asarray(times, dtype=float)
    measured = 300.0 + np.arange(count)
    return {
        "measured": measured, "computed": measured + 1, "deviation": np.full(count, 0.5), "time": time,
        "places": np.tile([0.5, 0.5, 0.0], (count, 1)), "entry": np.zeros(count, dtype=int),
    }  # fmt: skip


def test_a_table_has_its_band_and_residuals_are_in_deviations(fit, drawn):
    numbers = {"values": [1.0, 3.0, 2.0], "start": [2.0] * 3, "std": [0.1, 0.2, 0.5], "before": [1.0] * 3,
               "seen": [0.9] * 3, "knots": [0.0, 10.0, 20.0]}  # fmt: skip
    folder = fit({"h": ({"unit": "W/(m^2 K)", "location": "own"}, numbers)}, readings(3, [0, 1, 2]))
    assert main(["plot", str(folder)]) == 0
    (axes,) = drawn["calibration_h.png"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("t [s]", "h [W/(m² K)]")
    band = axes.collections[0].get_paths()[0].vertices
    at_end = band[band[:, 0] == 20, 1]
    assert at_end.max() == pytest.approx(2 + 1.96 * 0.5) and at_end.min() == pytest.approx(2 - 1.96 * 0.5)
    _, below = drawn["calibration_readings.png"].axes
    assert below.lines[0].get_ydata() == pytest.approx(2.0), "one kelvin too much at half a kelvin"
    assert len(drawn["calibration_history.png"].axes) == 2


def test_readings_of_a_steady_run_are_fitted_over_measured(fit, drawn):
    """All at one time, which is no axis."""
    folder = fit({}, readings(3, [0.0] * 3))
    calibration(plexus_post.open(folder), folder / "pictures")
    above, below = drawn["calibration_readings.png"].axes
    assert below.get_xlabel() == "measured temperature [K]" and above.lines[1].get_xdata()[0] == 300


def test_the_overview_tells_what_was_fitted(fit, capsys):
    folder, k = fit({}, readings(3)), {"unit": "W/(m K)", "values": [2.5], "std": [0.125], "unseen": 0}
    told = {"rms": 0.9, "measurements": 3, "iterations": 4, "reason": "it is at rest"}
    told["controls"] = {"k": k, "h": {"smallest": 1.0, "largest": 4.0}}
    (folder / "summary.json").write_text(json.dumps({"status": "done", "calibration": told}))
    assert main(["info", str(folder)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "k 2.5 ± 0.125 W/(m K) 0" in said and "h 1 to 4" in said
    assert "0.9 standard deviations rms over 3 measurements; it is at rest (4 iterations)" in said


def test_the_spectrum_tells_seen_directions_from_others(fit, drawn):
    one = {"values": [2.5], "start": [1.0], "std": [0.1], "before": [np.inf], "seen": [1.0]}
    folder = fit({"k": ({"unit": "W/(m K)", "location": "own"}, one)}, readings(4))
    assert main(["plot", str(folder)]) == 0
    (axes,) = drawn["calibration_spectrum.png"].axes
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["seen by the data: 2", "not seen by the data: 1", "as much as was known before"]
    assert axes.get_xlabel() == "direction (1 more have λ = 0)"
    assert axes.get_title("left") == "The data determine 1.99 of 4 directions"
    assert drawn["calibration_numbers.png"].axes[0].get_title("left") == "k = 2.5 ± 0.1 W/(m K)"


def test_a_function_is_drawn_over_its_input(fit, drawn):
    course = {"courses/temperature/at": [300.0, 400.0], "courses/temperature/values": [1.0, 2.0],
              "courses/temperature/start": [1.5, 1.5], "courses/temperature/std": [0.1, np.inf]}  # fmt: skip
    weights = {"values": [0.1, 0.2], "start": [0.0, 0.0]}
    folder = fit({"k": ({"unit": "1", "location": "own"}, weights | course)}, readings(3))
    assert main(["plot", str(folder)]) == 0
    (axes,) = drawn["calibration_k.png"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("temperature [K]", "k")
    assert axes.lines[1].get_ydata().tolist() == [1.0, 2.0]


@pytest.mark.parametrize("location", ["node", "cell"])
def test_a_field_is_drawn_on_the_mesh_in_any_order(tmp_path, fit, drawn, location):
    points, cells = annulus()
    write_fields(tmp_path / "fields.vtkhdf", points, cells, "quad", parts=2)
    places = (points if location == "node" else points[cells].mean(1))[::-1, :2]
    values = 1 + places[:, 0]
    numbers = {"values": values, "start": 0 * values + 1, "std": 0.1 * values, "before": 0 * values + 1,
               "seen": values / 3, "places": places}  # fmt: skip
    folder = fit({"k": ({"unit": "W/(m K)", "location": location}, numbers)}, readings(3))
    calibration(plexus_post.open(folder), tmp_path / "pictures")
    figure = drawn["calibration_k.png"]
    titles = [axes.get_title("left") for axes in figure.axes[:3]]
    assert titles == ["Fitted k", "Standard deviation of k", "What the data have seen of k"]
    assert figure.axes[3].get_ylabel().startswith("k [W/(m K)]")
    if location == "cell":
        # cells near to the y axis have the smallest values
        drawn_values = figure.axes[0].collections[0].get_array()
        assert len(np.unique(drawn_values)) == len(np.unique(values))


def test_a_field_without_a_mesh_is_dots(fit, drawn):
    places = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    numbers = {"values": [1.0, 2.0, 3.0], "start": [1.0] * 3, "places": places}
    folder = fit({"k": ({"unit": "1", "location": "node"}, numbers)}, readings(3))
    assert main(["plot", str(folder)]) == 0
    np.testing.assert_allclose(drawn["calibration_k.png"].axes[0].collections[0].get_offsets(), places)


def test_a_damaged_file_is_one_sentence(fit, capsys):
    folder = fit({}, readings(3))
    (folder / "calibration.h5").write_bytes(b"nothing")
    assert main(["plot", str(folder)]) == 2
    assert "calibration.h5: not a complete HDF5 file" in capsys.readouterr().err
