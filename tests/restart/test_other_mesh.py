"""A checkpoint is for the mesh and model that it was written for; as many nodes elsewhere are not enough."""

import hashlib
from pathlib import Path

import h5py
import pytest

from plexus import driver

HEAT = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [8, 4], size: [2, 1]}
physics: {type: heat, degree: 2, material: {conductivity: 1, density: 1, specific_heat: 1}}
boundary: [{on: left, temperature: 1}]
initial: {temperature: 0}
time: {stepper: theta, end: 0.2 s, step: 0.1 s}
output: [{type: checkpoint, every: end}]
"""
FLUID = """\
plexus: 1
mesh: {type: periodic, cells: [16, 16], size: [10, 10]}
physics: {type: active_fluid, order: 1, alpha: -3, zeta: 1}
closure: bingham
time: {stepper: sbdf2, end: 0.2 s, step: 0.1 s}
output: [{type: checkpoint, every: end}]
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of a finished run of each deck."""
    found = {}
    for name, text in (("heat", HEAT), ("fluid", FLUID)):
        folder = tmp_path_factory.mktemp(name)
        (folder / "deck.yaml").write_text(text)
        assert driver.run(folder / "deck.yaml", folder=folder / "out") == 0
        found[name] = folder
    return found


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("heat", "mesh.cells=[4, 2]", "153 points in the file, the run has 45"),
        ("heat", "mesh.cells=[4, 8]", "153 points are in other places"),
        ("heat", "mesh.size=[3, 1]", "in other places"),
        ("fluid", "mesh.cells=[8, 8]", "256 points in the file, the run has 64"),
        ("fluid", "mesh.cells=[32, 8]", "256 points are in other places"),
        ("fluid", "mesh.size=[10, 11]", "in other places"),
        (
            "fluid",
            "physics={type: active_fluid, order: 6}",
            "moments has 4 numbers per point, the run needs 14",
        ),
    ],
)
def test_another_mesh_or_model_is_refused(runs, name, change, told, capsys):
    folder, closure = runs[name], ["closure=none"] if "order" in change else []
    with pytest.raises(SystemExit, match="2"):
        driver.run(folder / "deck.yaml", [change, *closure, "time.end=0.3 s"], folder / "out", "latest")
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("name", ["heat", "fluid"])
def test_the_same_mesh_goes_on(runs, name):
    folder = runs[name]
    assert driver.run(folder / "deck.yaml", ["time.end=0.3 s"], folder / "out", "latest") == 0


def test_a_model_of_fewer_fields_goes_on_from_one_of_more(tmp_path):
    """Temperatures of a thermoelastic run serve heat conduction, whose own checkpoints hold nothing else."""
    elastic = ["physics.type=thermoelasticity", "physics.geometry=plane_strain"]
    elastic += ["physics.material.young_modulus=1", "physics.material.poisson_ratio=0.3"]
    (tmp_path / "deck.yaml").write_text(HEAT)
    changes = [*elastic, "time.adaptive={tolerance: 1e-2}"]
    assert driver.run(tmp_path / "deck.yaml", changes, tmp_path / "out") == 0
    more = ["time.end=0.4 s", "time.adaptive={tolerance: 1e-2}"]
    assert driver.run(tmp_path / "deck.yaml", more, tmp_path / "out", "latest") == 0
    with h5py.File(sorted((tmp_path / "out").glob("checkpoint_*.h5"))[-1]) as file:
        assert set(file["arrays/state"]) == {"temperature"}
        assert all(set(age) == {"temperature"} for age in file["arrays/history"].values())


@pytest.mark.parametrize("stepper", ["bdf2", "theta"])
def test_another_physics_begins_without_the_memory_of_its_unknown(stepper, tmp_path):
    """Steps of bdf2, and the error estimates of theta, know the earlier states of the new unknown only."""
    (tmp_path / "deck.yaml").write_text(HEAT)
    marching = ["time.adaptive={tolerance: 1e-2}", f"time.stepper={stepper}"]
    assert driver.run(tmp_path / "deck.yaml", marching, tmp_path / "out") == 0
    text = HEAT.replace(
        "material: {conductivity: 1, density: 1, specific_heat: 1}", "coefficient: 1, field: c"
    )
    (tmp_path / "deck.yaml").write_text(text.replace("heat", "diffusion").replace("temperature", "c"))
    assert driver.run(tmp_path / "deck.yaml", [*marching, "time.end=0.4 s"], tmp_path / "out", "latest") == 0
    with h5py.File(sorted((tmp_path / "out").glob("checkpoint_*.h5"))[-1]) as file:
        assert set(file["arrays/state"]) == {"c"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Folder of a finished run on a file of Gmsh, one of whose groups has got another name since."""
    folder = tmp_path_factory.mktemp("drawn")
    source = Path(__file__).parents[1] / "unit" / "mesh" / "data" / "triangle1.msh"
    (folder / "part.msh").write_bytes(source.read_bytes())
    box = "type: box, cell: triangle, cells: [8, 4], size: [2, 1]"
    text = HEAT.replace(box, "type: gmsh, file: part.msh")
    (folder / "deck.yaml").write_text(text.replace("on: left", "on: floor"))
    assert driver.run(folder / "deck.yaml", folder=folder / "out") == 0
    (folder / "part.msh").write_bytes(source.read_bytes().replace(b"roof", b"loft"))
    return folder, hashlib.sha256(source.read_bytes()).hexdigest()


def test_another_file_with_the_same_points_is_told(drawn, capfd):
    folder, sum_before = drawn
    assert driver.run(folder / "deck.yaml", ["time.end=0.3 s"], folder / "out", "latest") == 0
    assert f"another file with the same points, sum {sum_before[:16]}… -> " in capfd.readouterr().out


def test_another_file_than_the_deck_names_is_no_mesh_to_go_on_with(drawn, capfd):
    folder, sum_before = drawn
    with pytest.raises(SystemExit, match="2"):
        driver.run(
            folder / "deck.yaml", ["time.end=0.5 s", f"mesh.sha256={sum_before}"], folder / "out", "latest"
        )
    assert "is not the file that this deck was written for" in capfd.readouterr().err
