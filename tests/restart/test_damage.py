"""Damaged files from which a run or a training would go on: each is refused in a sentence, or holds the same.

``PLEXUS_DAMAGES=5000 pytest -s tests/restart/test_damage.py`` damages as many of each kind.
"""

import json
import shutil
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from damage import COUNTS, DAMAGES, SEED, campaign
from mpi4py import MPI

from plexus.bundles import container
from plexus.errors import InputError
from plexus.io import checkpoint
from plexus.learning import memo
from plexus.runtime import sound

FACTS = {
    "run": {"clock": {"t": 1.5, "step": 3}, "words": "äöü" * 50},
    "deck": {"a": [1, 2, None]},
    "nan": "x",
}
DECK = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [4, 4]}
physics: {type: heat, degree: 1, material: {conductivity: 1, density: 1, specific_heat: 1}}
boundary: [{on: left, temperature: "sin(3*t)"}]
initial: {temperature: "x*y"}
time: {stepper: theta, end: 0.4 s, step: 0.1 s}
quantities: {mean: {type: mean, of: temperature}}
output: [{type: checkpoint, every: 1 steps}, {type: fields, every: 1 steps}]
"""
BUNDLE = Path(__file__).parents[1] / "contract" / "bundles"


def content() -> tuple[dict[str, np.ndarray], checkpoint.Content]:
    """Return names and content of a checkpoint; one array holds round numbers only, as at a start."""
    random, n, m = np.random.default_rng(1), COUNTS["nodes"], COUNTS["points"]
    arrays = {"state/u": np.ones((n, 40)), "history/0/u": random.normal(size=(n, 3))}
    arrays["internal/p"] = random.normal(size=(m, 2))
    sets = {"state/u": "nodes", "history/0/u": "nodes", "internal/p": "points"}
    ids = {name: np.arange(count) for name, count in COUNTS.items()}
    return ids, checkpoint.Content(FACTS, arrays, sets)


def sealed(folder: Path) -> Path:
    """Write a checkpoint."""
    path = folder / "checkpoint_00000003.h5"
    ids, what = content()
    checkpoint.write(path, MPI.COMM_SELF, ids, what, "0123456789abcdef")
    return path


def unsealed(folder: Path) -> Path:
    """Write a checkpoint as earlier versions did."""
    path = folder / "checkpoint_00000003.h5"
    ids, what = content()
    what.arrays["state/u"] = np.random.default_rng(2).normal(size=what.arrays["state/u"].shape)
    text = json.dumps({"facts": what.facts, "sets": what.sets}).encode()
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        for key, rows in {**{f"ids/{k}": v for k, v in ids.items()},
                          **{f"arrays/{k}": v for k, v in what.arrays.items()}}.items():  # fmt: skip
            file[key] = rows
            file[key].attrs["checksum"] = checkpoint.checksum(MPI.COMM_SELF, 0, rows)
        file["plexus/facts"] = np.bytes_(text)
        about = {"format_version": np.int64(1), "kind": np.bytes_(b"checkpoint")}
        file["plexus"].attrs.update(about | {"crc": np.int64(zlib.crc32(text))})
    return path


def report(kind: str, count: int, told: dict[str, int]) -> None:
    """Print what became of the files."""
    outcomes = ", ".join(f"{what} {n}" for what, n in sorted(told.items()))
    print(f"\n{kind}: {count} damaged files (seed {SEED}): {outcomes}")


@pytest.mark.parametrize("kind", ["checkpoint", "unsealed"])
def test_damaged_checkpoints(kind, tmp_path):
    source = {"checkpoint": sealed, "unsealed": unsealed}[kind](tmp_path)
    (tmp_path / "copies").mkdir()
    (tmp_path / "elsewhere").mkdir()
    stranger = unsealed(tmp_path / "elsewhere")
    # a file without a seal is looked at by a process of its own
    count = DAMAGES if kind == "checkpoint" else DAMAGES // 10
    report(kind, count, campaign(kind, source, tmp_path / "copies", count, stranger))


def test_damaged_trainings(tmp_path):
    network = torch.nn.Linear(7, 5, dtype=torch.float64)
    facts = {"position": {"stage": 1}, "scales": {"a": 1.5}, "deck": "plexus: 1\n" * 40}
    path = tmp_path / memo.NAME
    memo.write(path, facts, {f"network/{k}": v for k, v in network.state_dict().items()})
    (tmp_path / "copies").mkdir()
    report("training", DAMAGES, campaign("training", path, tmp_path / "copies", DAMAGES, None))


def test_damaged_bundles(tmp_path):
    (tmp_path / "copies").mkdir()
    path = next(iter(sorted(BUNDLE.glob("*.safetensors"))))
    report("bundle", DAMAGES, campaign("bundle", path, tmp_path / "copies", DAMAGES, None))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Folder of a finished run with histories and fields."""
    from plexus import driver

    folder = tmp_path_factory.mktemp("run")
    (folder / "deck.yaml").write_text(DECK)
    assert driver.run(folder / "deck.yaml", folder=folder / "out") == 0
    return folder


@pytest.mark.parametrize(("kind", "name"), [("series", "series.h5"), ("fields", "fields.vtkhdf")])
def test_damaged_results(kind, name, run, tmp_path):
    count = DAMAGES // 10
    report(kind, count, campaign(kind, run / "out" / name, tmp_path, count, run / "out/series.h5"))


@pytest.mark.parametrize("way", ["cut", "page"])
def test_a_restart_sets_damaged_results_aside(way, run, tmp_path, capsys):
    from plexus import driver

    out = shutil.copytree(run / "out", tmp_path / "out")
    for name in ("series.h5", "fields.vtkhdf"):
        raw = (out / name).read_bytes()
        (out / name).write_bytes(raw[:1500] if way == "cut" else bytes(4096) + raw[4096:])
    assert driver.run(run / "deck.yaml", ["time.end=0.5 s"], out, "latest") == 0
    told = capsys.readouterr().out
    for name in ("series.h5", "fields.vtkhdf"):
        assert f"{name}: the file is damaged" in told and (out / "previous/1" / name).exists()
    with h5py.File(out / "series.h5") as file:
        assert file["quantities/step"][:].tolist() == [4, 5]


def test_a_lost_page_of_equal_numbers_is_seen(tmp_path):
    """The sum over words of earlier versions does not change when a page of ones becomes one of zeros."""
    ones, lost = np.ones((1024, 1)), np.ones((1024, 1))
    lost[512:] = 0
    assert checkpoint.checksum(MPI.COMM_SELF, 0, ones) == checkpoint.checksum(MPI.COMM_SELF, 0, lost)
    path, ids = tmp_path / "checkpoint_00000001.h5", {"nodes": np.arange(1024)}
    checkpoint.write(path, MPI.COMM_SELF, ids, checkpoint.Content({}, {"u": ones}, {"u": "nodes"}))
    raw = path.read_bytes()
    at = raw.find(ones.tobytes())
    path.write_bytes(raw[: at + 4096] + bytes(4096) + raw[at + 8192 :])
    with pytest.raises(InputError, match="damaged"):
        checkpoint.read(path, MPI.COMM_SELF, ids)


def test_a_training_of_an_earlier_version_is_read(tmp_path):
    from safetensors.torch import save

    path = tmp_path / memo.NAME
    path.write_bytes(save({"network/a": torch.ones(3)}, {memo.KEY: json.dumps({"position": {}})}))
    facts, tensors = memo.read(path)
    assert facts == {"position": {}} and tensors["network/a"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("shape", [[-1, -3], [True, 3], [1.5, 2], "3", None])
def test_shapes_of_tensors_are_whole_numbers(shape):
    with pytest.raises(InputError, match="weights"):
        container.tiled({"a": {"dtype": "U8", "shape": shape, "data_offsets": [0, 3]}}, 3)


def test_a_pipe_is_no_checkpoint(tmp_path):
    """Opening one would wait for somebody to write."""
    import os

    path = tmp_path / "checkpoint_00000001.h5"
    os.mkfifo(path)
    with pytest.raises(InputError, match="not a file"):
        checkpoint.about(path, MPI.COMM_SELF)


def test_numbers_in_another_file_are_refused(tmp_path):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["a"] = np.ones(3)
    made = {
        "a link": lambda f: f.__setitem__("a", h5py.ExternalLink(str(other), "a")),
        "soft": lambda f: f.__setitem__("a", h5py.SoftLink("/b")),
        "external": lambda f: f.create_dataset("a", (3,), "f8", external=[(str(other), 0, 24)]),
        "filter": lambda f: f.create_dataset("a", data=np.ones(3), chunks=(3,), compression="gzip"),
    }
    for name, make in made.items():
        path = tmp_path / f"{name}.h5"
        with h5py.File(path, "w") as file:
            make(file)
        with h5py.File(path, "r") as file, pytest.raises(InputError, match=r"a link|another file|not read"):
            sound.dataset(file, "a", 1)
        assert sound.problem(path), name
    assert sound.problem(other) is None
