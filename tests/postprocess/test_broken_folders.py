"""Broken result folders: one sentence and exit code 2, or what is left is shown; never a traceback.

``PLEXUS_FOLDERS`` is the number of folders damaged at random (default 60), ``PLEXUS_SEED`` repeats them:

    PLEXUS_FOLDERS=500 .venv/bin/python -m pytest tests/postprocess/test_broken_folders.py -k random
"""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from broken_folders import Post, broken, told

import plexus_post
from plexus_post.errors import PostError

COUNT = int(os.environ.get("PLEXUS_FOLDERS", "60"))
SEED = int(os.environ.get("PLEXUS_SEED", "20261129"))
DECK = """\
plexus: 1
about: {title: Bar}
mesh: {type: box, cell: quadrilateral, cells: [6, 3], size: [2 m, 1 m]}
physics: {type: heat, material: {conductivity: 1, density: 1, specific_heat: 1}}
boundary: [{on: left, temperature: 300 K}]
initial: {temperature: 300 + 20*x}
time: {stepper: theta, end: 0.3 s, step: 0.1 s}
quantities: {mean: {type: mean, of: temperature}}
verification: [{quantity: mean, reference: 315, tolerance: 0.05, source: guess}]
output:
  - {type: fields, every: 1 steps, fields: [temperature, heat_flux]}
  - {type: probe, points: [[1, 0.5]]}
"""


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return the folder of a run."""
    place = tmp_path_factory.mktemp("sound")
    (place / "bar.yaml").write_text(DECK)
    command = [sys.executable, "-m", "plexus", "run", "bar.yaml", "-o", "run"]
    subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=1200)
    with h5py.File(place / "elsewhere.h5", "w") as file:
        file["VTKHDF/Points"] = np.zeros((3, 3))
    (place / "secret.txt").write_text("about: {title: SECRET}\n")
    return place / "run"


@pytest.fixture(scope="module")
def post():
    """Return a process that runs ``plexus-post``."""
    made = Post()
    yield made
    made.close()


def text(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def entry(name, *path_and_value):
    """Return what sets an entry of a JSON file."""
    *path, key, value = path_and_value

    def work(folder):
        content = json.loads((folder / name).read_text())
        place = content
        for part in path:
            place = place[part]
        place[key] = value
        (folder / name).write_text(json.dumps(content))

    return work


def cut(name, share):
    def work(folder):
        raw = (folder / name).read_bytes()
        (folder / name).write_bytes(raw[: int(share * len(raw))])

    return work


def hdf5(name, change):
    def work(folder):
        with h5py.File(folder / name, "r+", locking=False) as file:
            change(file, folder)

    return work


def put(name, change):
    """Return what gives a dataset other content; ``change`` makes it from the old one."""

    def work(file, _):
        values = file[name][()]
        attributes = dict(file[name].attrs)
        del file[name]
        file[name] = change(values)
        file[name].attrs.update(attributes)

    return work


def instead(name, link):
    def work(file, folder):
        del file[name]
        file[name] = link(folder)

    return work


def first(value):
    """Return what changes the first number of a dataset."""

    def change(values):
        values = values.copy()
        values.flat[0] = value
        return values

    return change


def linked(name, target):
    def work(folder):
        (folder / name).unlink()
        (folder / name).symlink_to(target(folder))

    return work


FIELDS, SERIES, SUMMARY = "fields.vtkhdf", "series.h5", "summary.json"
VTK, T = "VTKHDF", "VTKHDF/PointData/temperature"
ALL, FIELD = ("info", "export", "probe", "compare", "plot"), ("info", "export", "probe")
BROKEN = {
    "no summary": ((), lambda folder: (folder / SUMMARY).unlink(), ""),
    "no fields": (("export", "probe"), lambda folder: (folder / FIELDS).unlink(), "no field data"),
    "no series": ((), lambda folder: (folder / SERIES).unlink(), ""),
    "an empty summary": (("info",), text(SUMMARY, b""), "not readable as JSON"),
    "half a summary": (("info",), cut(SUMMARY, 0.5), "not readable as JSON"),
    "a summary that is a list": (("info",), text(SUMMARY, b"[1, 2]"), "it holds no entries"),
    "a summary in another code": (("info",), text(SUMMARY, b'{"status": "\xff\xfe"}'), "no UTF-8"),
    "a deep summary": (("info",), text(SUMMARY, b"[" * 100000), "not readable as JSON"),
    "quantities as a list": (("info",), entry(SUMMARY, "quantities", [1]), "quantities holds [1]"),
    "a quantity as a text": (("info",), entry(SUMMARY, "quantities", "mean", "warm"), "quantities/mean"),
    "a phase without time": (("info",), entry(SUMMARY, "phases", "solve", {}), "phases/solve has no entry"),
    "a solver as a number": (("info",), entry(SUMMARY, "solver", "temperature", 3), "solver/temperature"),
    "a verification of texts": (("info",), entry(SUMMARY, "verification", ["good"]), "verification/0"),
    "a quantity that is none": (("info",), entry(SUMMARY, "not_finite", [{"at": ["x", 3]}]), "not_finite"),
    "a progress of texts": ((), entry("progress.json", "t", "late"), ""),
    "a deck that is none": (("info", "plot"), text("deck.yaml", b"a: [1"), "not readable as YAML"),
    "a deck that is a list": (("info", "plot"), text("deck.yaml", b"- 1\n"), "not a deck"),
    "a title without its block": (("info", "plot"), text("deck.yaml", b"about: Bar\n"), "not a deck"),
    "a deck elsewhere": (("info", "plot"), linked("deck.yaml", lambda f: "../../secret.txt"), "a link to"),
    "a log elsewhere": (("report",), linked("log.txt", lambda f: "../../secret.txt"), "a link to"),
    "fields without bytes": (ALL, text(FIELDS, b""), "not a complete HDF5 file"),
    "half the fields": (ALL, cut(FIELDS, 0.5), "not a complete HDF5 file"),
    "no HDF5": (ALL, text(FIELDS, b"no fields at all"), "not a complete HDF5 file"),
    "fields are a folder": (ALL, lambda f: ((f / FIELDS).unlink(), (f / FIELDS).mkdir()), "no such file"),
    "no points": (ALL, hdf5(FIELDS, lambda file, _: file.pop(f"{VTK}/Points")), "no Points"),
    "flat points": (ALL, hdf5(FIELDS, put(f"{VTK}/Points", np.ravel)), "Points has another form"),
    "a point without a place": (ALL, hdf5(FIELDS, put(f"{VTK}/Points", first(np.nan))), "has no place"),
    "a cell of strange points": (ALL, hdf5(FIELDS, put(f"{VTK}/Connectivity", first(999))), "not there"),
    "a cell before all": (ALL, hdf5(FIELDS, put(f"{VTK}/Offsets", first(-40))), "outside of the links"),
    "a strange kind of cell": (ALL, hdf5(FIELDS, put(f"{VTK}/Types", first(77))), "VTK type 77"),
    "no times": (ALL, hdf5(FIELDS, put(f"{VTK}/Steps/Values", first(np.nan))), "a time is no number"),
    "texts as temperatures": (FIELD, hdf5(FIELDS, put(T, lambda v: b"warm")), "another form"),
    "few temperatures": (FIELD, hdf5(FIELDS, put(T, lambda v: v[:7])), "truncated"),
    "values elsewhere": (
        FIELD, hdf5(FIELDS, instead(T, lambda f: h5py.ExternalLink("../elsewhere.h5", "VTKHDF/Points"))),
        "a link to elsewhere",
    ),
    "a loop": (ALL, hdf5(FIELDS, lambda file, _: file.__setitem__("VTKHDF/loop", file["/"])), "there twice"),
    "negative sizes": (ALL, hdf5(FIELDS, put(f"{VTK}/NumberOfCells", first(-3))), "damaged"),
    "steps far away": (FIELD, hdf5(FIELDS, put(f"{VTK}/Steps/PointOffsets", lambda v: v + 999)), "truncated"),
    "half a series": (("info", "plot"), cut(SERIES, 0.5), "not a complete HDF5 file"),
    "a changed history": (("info", "plot"), hdf5(SERIES, put("quantities/mean", first(1.0))), "not those"),
    "a history of texts": (("info",), hdf5(SERIES, put("quantities/mean", lambda v: [b"a"] * 3)), "damaged"),
}  # fmt: skip
"""What is broken -> commands that cannot do without it, the damage, words of the sentence."""


def commands(folder, original, out):
    """Return the commands that a folder is shown to."""
    return {
        "info": ["info", folder],
        "export": ["export", folder, out / "out.npz"],
        "probe": ["probe", folder, "--point", "1,0.5", "--history"],
        "compare": ["compare", folder, original],
        "plot": ["plot", folder, "-o", out / "pictures"],
        "report": ["report", folder, "-o", out / "report.html"],
    }


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_folder_is_told_in_a_sentence(case, sound, post, tmp_path):
    refusing, damage, words = BROKEN[case]
    folder = tmp_path / "run"
    shutil.copytree(sound, folder)
    shutil.copy(sound.parent / "elsewhere.h5", tmp_path)
    (tmp_path / "secret.txt").write_text("about: {title: SECRET}\n")
    if case in ("a deck elsewhere", "a log elsewhere"):
        shutil.copy(sound.parent / "secret.txt", tmp_path.parent)
    damage(folder)
    for name, command in commands(folder, sound, tmp_path).items():
        if name not in ("info", "export", *refusing):
            continue
        answer = post.ask(*command)
        assert not told(answer), (name, told(answer))
        if name in refusing:
            assert answer["code"] == 2 and words in answer["err"], (name, answer)


def test_a_sound_folder_is_shown(sound, post, tmp_path):
    for command in commands(sound, sound, tmp_path).values():
        assert post.ask(*command) == {"code": 0, "err": "", "traceback": ""}


def tables(folder):
    """Return all histories of a run as numbers, whichever type they are stored in."""
    file = plexus_post.open(folder).series_file
    frames = {t: file.table(t).reset_index() for t in file.columns}
    return {t: {c: frames[t][c].astype(float).tolist() for c in file.columns[t]} for t in frames}


def test_random_damage_ends_in_a_sentence(sound, post, tmp_path):
    """No traceback, no crash; and histories are those that were written, or refused."""
    right = tables(sound)
    for n in range(COUNT):
        dice = random.Random(f"{SEED} folder {n}")
        folder = tmp_path / "run"
        how = broken(sound, folder, dice, sound.parent / "elsewhere.h5")
        for name, command in commands(folder, sound, tmp_path).items():
            # pictures take a second or two each
            if name in ("plot", "report") and n % 20:
                continue
            answer = post.ask(*command)
            assert not told(answer), f"{n} of seed {SEED}, {how}, {name}: {told(answer)}"
        # a link is followed, as users have them: what it leads to is read
        if "series.h5" in how and "linked" not in how and Path(folder / "series.h5").is_file():
            try:
                found = tables(folder)
            except PostError:
                continue
            assert repr(found) == repr(right), f"{n} of seed {SEED}: other rows were taken for those of {how}"
