"""What ``plexus run`` writes is what ``plexus_post`` reads, whatever the number of ranks."""

import numpy as np
import pytest
from crew import plexus

import plexus_post
from plexus_post.cli import main
from plexus_post.nematics import spectrum
from plexus_post.nematics.nematic import Nematic, Statistics

DECK = """
plexus: 1
about: {title: Cooling bar}
mesh: {type: box, cell: CELL, cells: [8, 4], size: [2 m, 1 m]}
physics: {type: heat, degree: DEGREE, material: {conductivity: 1, density: 1, specific_heat: 1}}
boundary: [{on: left, temperature: 300 K}]
initial: {temperature: 300 + 20*x}
time: {stepper: theta, end: 0.5 s, step: 0.1 s}
quantities: {mean: {type: mean, of: temperature}}
verification: [{quantity: mean, reference: 315, tolerance: 0.05, source: guess}]
output: [{type: fields, every: 2 steps, fields: [temperature, heat_flux]}]
"""


FLUID = """
plexus: 1
about: {title: Active suspension}
mesh: {type: periodic, cells: [24, 20], size: [10, 8]}
physics: {type: active_fluid, order: 1, alpha: -3, amplitude: 3}
closure: bingham
time: {stepper: sbdf2, end: 5, step: 0.05}
output:
  - {type: fields, every: 0.5 s, fields: [velocity, vorticity, order, director, nematic]}
  - {type: spectrum, every: 0.5 s, fields: [velocity]}
"""


def test_an_active_fluid_is_read_as_a_nematic(tmp_path, capsys):
    (tmp_path / "fluid.yaml").write_text(FLUID)
    done = plexus(tmp_path, "run", "fluid.yaml", "-o", "run", ranks=2)
    assert done.code == 0, done.err
    run = plexus_post.open(tmp_path / "run")
    nematic = Nematic(run)
    assert nematic.box.cells == (24, 20)
    # what the run wrote beside its fields is what we find in them
    found = Statistics.of(nematic)
    written = run.series("spectra/velocity")
    columns = [f"shell_{k}" for k in found.shells]
    np.testing.assert_allclose(found.energy, 0.5 * written[columns].to_numpy(), rtol=1e-6, atol=1e-14)
    derived = spectrum.vorticity(nematic.velocity(8), nematic.box.lengths)
    np.testing.assert_allclose(nematic.vorticity(8), derived, atol=1e-6 * np.abs(derived).max())
    by_director = nematic.tensor(8)
    nematic.box.run.fields.pop("director")
    np.testing.assert_allclose(nematic.tensor(8), by_director, atol=1e-6)
    plus, minus = found.history.counts.T
    assert found.order[-1] > 0.5 and (plus == minus).all() and plus.any()
    assert main(["nematic", str(tmp_path / "run")]) == 0
    assert "nematic_history.png" in capsys.readouterr().out


@pytest.fixture(scope="module", params=["triangle 2", "quadrilateral 1"])
def folders(request, tmp_path_factory):
    """Run the deck on one and on two ranks."""
    cell, degree = request.param.split()
    place = tmp_path_factory.mktemp("runs")
    (place / "bar.yaml").write_text(DECK.replace("CELL", cell).replace("DEGREE", degree))
    for ranks in (1, 2):
        done = plexus(place, "run", "bar.yaml", "-o", str(ranks), ranks=ranks)
        assert done.code == 0, done.err
    return place


def test_fields_series_and_deck_are_there(folders):
    run = plexus_post.open(folders / "2")
    assert run.title == "Cooling bar"
    np.testing.assert_allclose(run.times, [0, 0.2, 0.4, 0.5])
    assert list(run.fields) == ["temperature", "heat_flux"]
    assert (run.unit("temperature"), run.unit("heat_flux")) == ("K", "W/m^2")
    start = run.at([[0.5, 0.5], [1.9, 0.1]], step=0)
    np.testing.assert_allclose(start["temperature"], [310, 338], rtol=1e-9)
    series = run.series("quantities")
    assert series.index.name == "time"
    assert series["mean"].iloc[-1] == pytest.approx(run.summary["quantities"]["mean"])
    assert "plexus" in run.provenance["versions"]


def test_two_ranks_equal_one(folders, capsys, tmp_path):
    command = ["compare", str(folders / "1"), str(folders / "2"), "--tolerance", "1e-9"]
    assert main([*command, "--fields", "temperature", "-o", str(tmp_path / "out")]) == 0
    assert "temperature" in capsys.readouterr().out


def test_everything_can_be_shown(folders, capsys):
    folder = str(folders / "2")
    assert main(["info", folder]) == 0
    assert main(["compare", "--verification", folder]) == 0
    assert main(["plot", folder]) == 0
    made = capsys.readouterr().out
    assert {"temperature.png", "heat_flux.png", "overview.png"} <= {
        line.split("/")[-1] for line in made.split()
    }
