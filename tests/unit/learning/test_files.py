"""Data of other programs: formats, units, rows that cannot be used, and what is said of them."""

import csv_tables as tables
import numpy as np
import pytest
from mpi4py import MPI

from plexus.bundles import store
from plexus.errors import DeckError
from plexus.io.piece import piece
from plexus.io.vtkhdf import FieldsFile
from plexus.io.vtkhdf_layout import column
from plexus.learning.data import _tables
from plexus.mesh.lattice import build_box
from plexus.spaces.lagrange import Space


def loss_of(told):
    return told["quantities"]["loss.0"]


def message(tmp_path):
    import json

    return json.loads((tmp_path / "out" / "summary.json").read_text())["message"]


def test_a_table_is_learned(trained, tmp_path):
    """The quadratic closure is within reach of the network: beside it Bingham's, the fallback, is far off."""
    data = tables.csv(tmp_path / "a.csv", tables.table())
    other = tables.csv(tmp_path / "b.csv", tables.table(seed=1))
    more = f"train.validation={{type: files, files: [{other}]}}"
    whole = f"train.validation.columns={tables.block(data).partition('columns: ')[2].rpartition(', time')[0]}"
    told = trained(tables.block(data), "[{type: fit, steps: 30, optimizer: lbfgs}]", more, whole)
    row = told["validation"][0]
    assert row["case"] == {"file": "b.csv"} and row["value"] < 0.05 * row["baselines"]["bingham"]
    assert row["baselines"]["quadratic"] < 1e-20 and row["fallback"] < 0.1
    meta = store.load(tmp_path / "out" / "bundle.safetensors").metadata
    assert meta["training"]["generator"] == "files" and set(meta["training"]["files"]) == {"a.csv"}
    assert meta["training"]["frames"] == 400
    # another part that needs no training is better, and this is the last that is said
    last = told["said"].strip().splitlines()[-1]
    assert "no better than a classical part" in last and "quadratic" in last


def test_a_validation_that_the_fallback_answers_is_told(trained, tmp_path):
    """States outside of the training's range: the rival's error is that of the fallback, and no verdict."""
    data = tables.csv(tmp_path / "a.csv", tables.table())
    far = {n: v if n == "t" else 3 * v for n, v in tables.table(seed=1).items()}
    far = {n: np.concatenate([v, tables.table(seed=2)[n]]) for n, v in far.items()}
    other = tables.csv(tmp_path / "b.csv", far)
    told = trained(
        tables.block(data),
        "[{type: fit, steps: 3, optimizer: lbfgs}]",
        f"train.validation={{type: files, files: [{other}]}}",
    )
    shares = [row["fallback"] for row in told["validation"]]
    assert shares[0] > 0.1 and shares[1:] == shares[:-1]
    kept = store.load(tmp_path / "out" / "bundle.safetensors").metadata["validation"]
    assert [row["fallback"] for row in kept] == shares
    assert "train.validation: columns, time as in train.data" in told["said"]
    last = told["said"].strip().splitlines()[-1]
    assert "does not judge the part" in last and "no better than" not in last


def test_formats_are_the_same_numbers(trained, tmp_path):
    table = tables.table()
    text = trained(tables.block(tables.csv(tmp_path / "a.csv", table)), name="csv")
    numbers = trained(tables.block(tables.hdf5(tmp_path / "a.h5", table), prefix="run/"), name="h5")
    fields = trained(tables.block(tables.vtkhdf(tmp_path / "a.vtkhdf", table), time="time"), name="vtk")
    assert loss_of(text) == loss_of(numbers) == loss_of(fields)


def test_two_files_are_one_table(trained, tmp_path):
    table = tables.table()
    halves = [{n: v[part] for n, v in table.items()} for part in (slice(150), slice(150, None))]
    files = [tables.csv(tmp_path / f"{n}.csv", half) for n, half in enumerate(halves)]
    one = trained(tables.block(tables.csv(tmp_path / "a.csv", table)), name="one")
    assert loss_of(trained(tables.block(*files), name="two")) == loss_of(one)


def test_units_are_converted(trained, tmp_path):
    """The strain rate is one over a time; 60 per minute is one per second."""
    table = tables.table()
    plain = trained(tables.block(tables.csv(tmp_path / "a.csv", table)), name="plain")
    per_minute = {n: 60 * v if n.startswith("e_") else v for n, v in table.items()}
    units = {"e_re": "1/min", "e_im": "1/min", "t": "s"}
    for name, write, prefix in (("b.csv", tables.csv, ""), ("b.h5", tables.hdf5, "run/")):
        data = tables.block(write(tmp_path / name, per_minute, units), prefix=prefix)
        assert loss_of(trained(data, name=f"out_{name}")) == pytest.approx(loss_of(plain), rel=1e-9)


@pytest.mark.parametrize(
    ("units", "more", "text"),
    [
        ({"e_re": "K"}, "", "column e_re is in K, the part takes 1/s"),
        ({"t": "m"}, "", "column t is in m, the part takes s"),
        ({"e_re": "furlongs"}, "", "e_re"),
    ],
)
def test_units_of_another_kind_are_refused(trained, tmp_path, units, more, text):
    with pytest.raises(SystemExit) as stop:
        trained(tables.block(tables.csv(tmp_path / "a.csv", tables.table(9), units)))
    assert stop.value.code == 2 and text in message(tmp_path) and "a.csv" in message(tmp_path)


def test_rows_without_numbers_are_counted_and_named(trained, tmp_path):
    table = tables.table()
    whole = tables.csv(tmp_path / "whole.csv", {n: v[5:] for n, v in table.items()})
    table["f1_im"][[0, 2, 3]], table["c"][[1, 4]] = np.nan, np.nan
    told = trained(tables.block(tables.csv(tmp_path / "a.csv", table)), name="holes")
    assert "column f1_im has no number in 3 of 400 rows (lines 2, 4, 5): left out" in told["said"]
    assert "column c has no number in 2 of 400 rows (lines 3, 6): left out" in told["said"]
    assert loss_of(told) == loss_of(trained(tables.block(whole), name="whole"))


def test_times_outside_the_run_are_told(trained, tmp_path):
    table = tables.table()
    inside = tables.csv(tmp_path / "inside.csv", {n: v[:300] for n, v in table.items()})
    table["t"][300:] += 10
    told = trained(tables.block(tables.csv(tmp_path / "a.csv", table)), name="late")
    assert (
        "100 of 400 rows (lines 302, 303, 304, 305, 306, ...) at times outside the run, 0 to 4 s"
        in told["said"]
    )
    assert loss_of(told) == loss_of(trained(tables.block(inside), name="inside"))
    chosen = trained(tables.block(tmp_path / "a.csv", more=", start: 1 s, end: 2000 ms"), name="chosen")
    assert chosen["frames"] == int(((table["t"] >= 1) & (table["t"] <= 2)).sum())


def warmed(text):
    """Return a table whose second row has a word for c."""
    lines = text.splitlines()
    time, _, *rest = lines[2].split(",")
    return "\n".join([*lines[:2], ",".join([time, "warm", *rest]), *lines[3:], ""])


BROKEN = {
    "a.csv:1: no column is called 'f2_im'; did you mean 'f1_im'": lambda text: text.replace("f2_im", "other"),
    "a.csv:3: column 'c': 'warm' is not a finite number": warmed,
    "a line of names and at least one row": lambda text: text.splitlines()[0] + "\n",
}


@pytest.mark.parametrize("text", list(BROKEN))
def test_broken_tables_are_refused(trained, tmp_path, text):
    path = tables.csv(tmp_path / "a.csv", tables.table(5))
    path.write_text(BROKEN[text](path.read_text()))
    with pytest.raises(SystemExit) as stop:
        trained(tables.block(path))
    assert stop.value.code == 2 and text in message(tmp_path)


def test_files_that_are_none_are_refused(trained, tmp_path):
    for name, text in (("a.xlsx", "no format is known for .xlsx"), ("a.h5", "this is not an HDF5 file")):
        (tmp_path / name).write_text("nothing")
        with pytest.raises(SystemExit):
            trained(tables.block(tmp_path / name))
        assert text in message(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (
            "f2:",
            "f3:",
            "nothing is given for f2 of closure (spin_network); it takes c [1/m^2], f1 [1/m^2, complex]",
        ),
        (", imaginary: f2_im", "", "f2 is complex: write {name: f2_re, imaginary: …}"),
        ("{name: c}", "{name: c, imaginary: f2_im}", "c is real: leave out `imaginary`"),
        ("f2:", "f2: {name: c}, g2:", "has no such port; valid names: c, e, f1, f2"),
        ("files: [", "files: [no.csv, ", "no.csv"),
    ],
)
def test_a_deck_is_checked_before(checked, tmp_path, old, new, text):
    data = tables.block(tables.csv(tmp_path / "a.csv", tables.table(5))).replace(old, new)
    with pytest.raises(DeckError) as found:
        checked(data)
    assert text in str(found.value) and "deck.yaml:8" in str(found.value)


def test_stages_ask_for_what_data_have(checked, tmp_path):
    data = tables.block(tables.csv(tmp_path / "a.csv", tables.table(5)))
    with pytest.raises(DeckError, match=r"unrolled needs flow.* files lack; kinetic has"):
        checked(data, "[{type: unrolled}]")
    with pytest.raises(DeckError, match=r"fit needs grid, which data of type files lack; kinetic has"):
        checked(data, "[{type: fit, loss: relative_h1}]")


def test_fields_of_a_run_come_without_the_rows_that_are_reserved(tmp_path):
    """Two of five outputs are written; rows of the others hold whatever was on the disk."""
    path, ticks = tmp_path / "fields.vtkhdf", [np.linspace(0, 1, 4), np.linspace(0, 1, 3)]
    space = Space(build_box(MPI.COMM_SELF, "quadrilateral", 1, ticks, (False, False)), 1)
    fields = [column("T", "K", "scalar", "node"), column("q", "W/m^2", "vector", "node")]
    file = FieldsFile(path, MPI.COMM_SELF, piece(space), fields, 5, {})
    for k in range(2):
        flow = np.arange(3.0) * np.ones((len(space.points), 1)) + 10 * k
        file.append(k, 0.5 * k, {"T": space.points[:, :1] + k, "q": flow})
    found = _tables.read(path, ["T", "time", "q_y"])
    assert found["q_y"].unit == "W/m^2" and found["q_y"].values.tolist() == [1.0] * 12 + [11.0] * 12
    x = np.sort(space.points[:, 0])
    np.testing.assert_allclose(np.sort(found["T"].values.reshape(2, -1)), [x, x + 1])
    assert found["T"].unit == "K" and found["time"].values.tolist() == [0.0] * 12 + [0.5] * 12
