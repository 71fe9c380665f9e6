"""What a reduced model was made of stands beside its file, and `check` judges a deck by it without HDF5."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from copy import deepcopy

import pytest
import yaml
from rom.runs import COMM, plain, started, together

from plexus import registry
from plexus.cli import main
from plexus.io import seal
from plexus.reduction.facts import read
from plexus.runtime import context
from plexus.runtime.first import on_first

DECK = {
    "plexus": 1,
    "parameters": {"stiff": "200 GPa"},
    "tables": {"pull": {"times": [0, 1, 2], "values": ["0 MPa", "350 MPa", "0 MPa"], "period": 2}},
    "mesh": {"type": "box", "cell": "quadrilateral", "cells": [4, 3], "size": [1, 0.6]},
    "physics": {
        "type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1,
        "law": {"type": "chaboche", "young_modulus": "stiff", "poisson_ratio": 0.3, "yield_stress": "10 MPa",
                "back_stresses": [{"modulus": "100 GPa", "recall": 1000}],
                "viscosity": {"drag": "300 MPa", "exponent": 30}},
    },
    "boundary": [{"on": "left", "displacement": [0, 0]}, {"on": "right", "traction": ["pull(t)*(1 - y)", 0]}],
    "time": {"stepper": "quasistatic", "step": 0.5, "cycles": 1},
    "solver": {"displacement": {"snes_rtol": 1e-11, "preconditioner": "mumps"}},
}  # fmt: skip
LAW = DECK["physics"]["law"]


def written(folder, **blocks):
    """Return the file of the deck with other blocks; those that are mappings add to its own."""
    data = deepcopy(DECK)
    for key, block in blocks.items():
        data[key] = {**data.get(key, {}), **block} if isinstance(block, dict) else block
    (folder / "deck.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    return str(folder / "deck.yaml")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Reduce the deck; return the folder of the model."""
    folder = tmp_path_factory.mktemp("facts")
    assert main(["reduce", written(folder, reduce={}), "-o", str(folder / "made")]) == 0
    return folder / "made"


@pytest.fixture
def copy(made, tmp_path):
    """Return a copy of model and facts."""
    for name in ("rom.h5", "rom.json"):
        shutil.copy(made / name, tmp_path)
    return tmp_path


def test_a_model_is_calibrated_in_a_run_folder_elsewhere(tmp_path, monkeypatch):
    """The command is given where the user stands, and its folder is not one beside the deck."""
    (tmp_path / "decks").mkdir()
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "decks", reduce={"calibration": [{"boundary.1.traction.0": "pull(t)*(1.1 - y)"}]})
    assert main(["reduce", "decks/deck.yaml", "-o", "runs/made"]) == 0
    assert len(json.loads((tmp_path / "runs/made/rom.json").read_text())["ratios"]) == 1


def rom(folder, **more):
    return {"type": "galerkin", "file": str(folder / "rom.h5"), **more}


def test_facts_tell_what_it_was_made_of(made):
    told = json.loads((made / "rom.json").read_text())
    assert told["mesh"]["cells"] == 12 and told["mesh"]["nodes"] == 20 and told["mesh"]["points"] == 48
    assert told["supports"] == {"left": ["x", "y"]} and told["loads"] == {"right": ["x"]}
    assert told["duals"] == {"p": 1} and told["tables"] == {"pull": 2} and told["fields"]["stress"] == "Pa"
    assert told["material"]["parameters"] == {"stiff": 2e11} and told["degree"] == 1
    assert told["modes"] > 0 and told["seconds"]["wall"] > 0 and not told["prescribed"]
    assert "names" not in told and (made / "rom.json").stat().st_size < 10_000


@pytest.mark.mpi
@pytest.mark.pair
def test_ranks_write_the_facts_of_one_and_a_run_takes_them(tmp_path_factory):
    folder = together(tmp_path_factory.mktemp("ranks"))
    full = plain(folder, {**DECK, "reduce": {}})
    registry.build("reduction", full.reduce).make(full, context.create(COMM, folder))
    told = on_first(COMM, lambda: read(folder / "rom.h5"))
    assert [told["mesh"][key] for key in ("cells", "nodes", "points")] == [12, 20, 48]
    assert told["seconds"]["ranks"] == COMM.size
    started(folder, plain(folder, {**DECK, "rom": rom(folder)}))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"physics": {"law": {**LAW, "poisson_ratio": 0.2}}},
         [r":\d+:\d+: physics.law.poisson_ratio: .*0.3 -> 0.2"]),
        ({"parameters": {"stiff": "100 GPa"}}, [r"parameters.stiff: .*made of another material"]),
        ({"physics": {"law": LAW, "degree": 2}}, ["physics.degree: .*elements of degree 1"]),
        ({"physics": {"law": LAW, "locking": "b_bar"}}, ["physics.locking: .*none -> b_bar"]),
        ({"physics": {"law": LAW, "geometry": "axisymmetric"}}, ["physics.geometry: .*plane_strain -> axi"]),
        ({"mesh": {"cells": [5, 3]}}, ["mesh: .*12 quadrilateral cells there, 15 quadrilateral cells here"]),
        ({"boundary": [{"on": "left", "displacement_x": 0}, {"on": "bottom", "displacement_y": 0}]},
         [r"boundary\[1\]: .*bottom is free there, held along y here",
          r"boundary\[0\]: .*left is held along x, y there, held along x here"]),
        ({"boundary": [*DECK["boundary"], {"on": "top", "pressure": "1 MPa"}]},
         [r"boundary\[2\]: .*has not seen a load on top \(normal\); `rom.new_shapes"]),
        ({"boundary": [DECK["boundary"][0], {"on": "right", "traction": [0, "pull(t)"]}]},
         [r"boundary\[1\]: .*has not seen a load on right \(y\)"]),
        ({"boundary": [{"on": "left", "displacement": ["1e-6*t", 0]}]},
         ["a value other than zero on left .x"]),
        ({"physics": {"law": LAW, "temperature": "300 + t"}}, ["physics.temperature: .*not seen a temp"]),
        ({"physics": {"law": LAW, "body_force": [0, "1e6*t"]}}, [r"physics.body_force: .*on the body \(y\)"]),
        ({"rom": {"duals": "gappy"}}, ["rom.duals: .*no basis of .*, which gappy needs"]),
        ({"rom": {"indicator": {"of": "plastic_strain"}}},
         ["rom.indicator.of: .*no basis of plastic_strain; there is p"]),
        ({"rom": {"indicator": {"coverage": 0.9}}}, ["rom.indicator.coverage: .*needs 9 trajectories"]),
    ],
)  # fmt: skip
def test_check_names_what_the_model_does_not_serve(made, tmp_path, capsys, more, told):
    file = written(tmp_path, **{**more, "rom": rom(made, **more.get("rom", {}))})
    assert main(["check", file]) == 2
    err = capsys.readouterr().err
    assert all(re.search(rf"deck\.yaml:\d+:\d+: .*{line}|deck\.yaml{line}", err) for line in told), err


def test_check_takes_what_it_serves_and_says_what_it_does_not_know(copy, capsys):
    pressed = [*DECK["boundary"], {"on": "top", "pressure": "1 MPa"}]
    assert main(["check", written(copy, rom=rom(copy))]) == 0
    assert main(["check", written(copy, rom=rom(copy, new_shapes="respond"), boundary=pressed)]) == 0
    assert "warning" not in capsys.readouterr().out
    (copy / "rom.json").unlink()
    assert main(["check", written(copy, rom=rom(copy), boundary=pressed)]) == 0
    assert "rom.file: there is no rom.json beside it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text[:300], "damaged, or not what `plexus reduce` has written"),
        (lambda text: "[" * 100_000, "damaged, or not what"),
        (lambda text: text.replace('"poisson_ratio": 0.3', '"poisson_ratio": 0.2'), "altered since"),
    ],
)
def test_facts_that_were_altered_are_refused(copy, capsys, change, told):
    path = copy / "rom.json"
    path.write_text(change(path.read_text()))
    assert main(["check", written(copy, rom=rom(copy))]) == 2
    assert f"rom.json: {told}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["series.h5", "deck.yaml", "checkpoint_00000001.h5", "summary.h5"])
def test_a_model_takes_no_name_of_another_file(tmp_path, capsys, name):
    assert main(["check", written(tmp_path, reduce={"file": name})]) == 2
    assert "reduce.file: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "run"])
def test_facts_of_another_model_are_refused(copy, capsys, command):
    path, digest = copy / "rom.h5", seal.identity(copy / "rom.h5").encode()
    path.write_bytes(path.read_bytes().replace(digest, digest[::-1], 1))
    words = [command, written(copy, rom=rom(copy)), *(["-o", str(copy / "run")] if command == "run" else [])]
    # a run leaves by its guard
    try:
        code = main(words)
    except SystemExit as left:
        code = left.code
    assert code == 2 and "rom.json: belongs to another rom.h5" in capsys.readouterr().err


@pytest.mark.parametrize("facts", [True, False])
def test_a_model_that_is_cut_short_is_told_by_check(copy, capsys, facts):
    path = copy / "rom.h5"
    path.write_bytes(path.read_bytes()[:-1000])
    if not facts:
        (copy / "rom.json").unlink()
    assert main(["check", written(copy, rom=rom(copy))]) == 2
    assert "rom.h5: the file is damaged (it is truncated" in capsys.readouterr().err


def test_check_reads_facts_without_hdf5_and_mpi(made, tmp_path):
    file = written(tmp_path, rom=rom(made))
    code = (
        "import sys; sys.modules.update({'h5py': None, 'mpi4py.MPI': None, 'petsc4py': None, 'torch': None});"
        f"from plexus.cli import main; sys.exit(main(['check', {file!r}]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_cycles_that_a_run_does_not_have_are_told(made, tmp_path, capsys):
    assert main(["check", written(tmp_path, rom=rom(made, refresh=[1, 4]))]) == 0
    assert "rom.refresh: the run never comes to cycle 4: it ends after 1" in capsys.readouterr().out


@pytest.mark.parametrize("more", [{"correct": True}, {"refresh": [True]}, {"indicator": {"tolerance": True}}])
def test_true_is_no_number(made, tmp_path, capsys, more):
    assert main(["check", written(tmp_path, rom=rom(made, **more))]) == 2
    assert "expected a number, not true" in capsys.readouterr().err


def test_a_cycle_that_is_named_again_is_refused_and_their_order_is_free(made, tmp_path, capsys):
    assert main(["check", written(tmp_path, rom=rom(made, refresh=[4, 2, 4]))]) == 2
    told = r"deck\.yaml:\d+:\d+: rom\.refresh: cycle 4 is named more than once"
    assert re.search(told, capsys.readouterr().err)
    assert main(["check", written(tmp_path, rom=rom(made, refresh=[4, 2]))]) == 0
