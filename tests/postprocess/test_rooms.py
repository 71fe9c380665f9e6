"""Pictures are found by their files: a newcomer adds one file to a room and edits no list."""

import h5py
import numpy as np
import pytest
from post_samples import run_folder

import plexus_post
from plexus_post import members
from plexus_post.cli import main
from plexus_post.commands import commands
from plexus_post.nematics import fields as nematic_fields
from plexus_post.pictures import histories
from plexus_post.pictures.scenes import Scene, views
from plexus_post.recipes import recipes

FIELD = """
from dataclasses import replace

def fields(scene):
    return ("swirl", "phase") if "swirl" in scene.run.fields else ()

def view(scene, name):
    return replace(scene.view(name), about="a swirl", map="twilight")
"""

HISTORY = """
def suits(history):
    return history.family == "orbits" and history.columns == ["a", "b"]

def draw(history, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(history.table["b"].sum()))
    return path
"""


@pytest.fixture
def newcomers(tmp_path, monkeypatch):
    """A picture of fields in the nematics' room, one of tables in the pictures' own."""
    for package, name, text in ((nematic_fields, "swirl", FIELD), (histories, "orbits", HISTORY)):
        place = tmp_path / name
        place.mkdir()
        (place / f"_{name}.py").write_text("raise RuntimeError('a file with an underscore is no member')\n")
        (place / f"{name}.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(place)])


def swirling(points, time):
    return {"swirl": points[:, 0], "phase": points[:, 1], "temperature": points[:, 0]}


def test_a_picture_of_a_special_field_is_one_file(tmp_path, newcomers):
    scene = Scene(plexus_post.open(run_folder(tmp_path / "run", fields=swirling)), 2)
    found = {v.name: v for v in views(scene)}
    assert set(found) == {"swirl", "temperature", "rank"}, (
        "the first field's picture stands for all of a kind"
    )
    assert (found["swirl"].about, found["swirl"].map, found["temperature"].map) == ("a swirl", "twilight", "")
    assert [v.name for v in views(scene, ["phase"])] == ["phase"]


def test_a_picture_of_a_special_table_is_one_file(tmp_path, newcomers):
    folder = run_folder(tmp_path / "run")
    with h5py.File(folder / "series.h5", "w") as file:
        for name in ("orbits/moon", "orbit"):
            for column, values in {"time": [0.0, 1.0], "a": [1.0, 2.0], "b": [3.0, 4.5]}.items():
                file[f"{name}/{column}"] = values
    assert main(["plot", str(folder)]) == 0
    assert (folder / "pictures/orbits_moon.png").read_text() == "7.5"
    assert (folder / "pictures/orbit.png").read_bytes().startswith(b"\x89PNG")


def test_every_member_has_what_its_protocol_says():
    for module in members.of_rooms("fields"):
        assert callable(module.fields) and callable(module.view)
    for module in members.of_rooms("histories"):
        assert callable(module.suits) and callable(module.draw)
    every = [*commands(), *recipes()]
    assert all(m.HELP and callable(m.arguments) and callable(m.run) for _, m in every)
    assert [n for n, _ in every[:7]] == ["info", "plot", "compare", "report", "scaling", "export", "probe"]
    assert len({n for n, _ in every}) == len(every)


def test_the_director_is_drawn_as_rods_into_the_order(tmp_path):
    def ordered(points, time):
        angle = np.arctan2(points[:, 1], points[:, 0])
        director = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
        return {"order": 0.5 + 0 * angle, "director": -director, "velocity": director}

    scene = Scene(plexus_post.open(run_folder(tmp_path / "run", fields=ordered)), 0)
    found = {v.name: v for v in views(scene)}
    assert set(found) == {"order", "velocity", "rank"}
    assert (found["order"].fold, found["velocity"].fold) == (2, 1)
    x, y = scene.grid.points[:, :2].T
    twice = 2 * np.arctan2(y, x)
    np.testing.assert_allclose(found["order"].arrows[:, 0], np.cos(twice), atol=1e-12)
    np.testing.assert_allclose(found["order"].arrows[:, 1], np.sin(twice), atol=1e-12)
