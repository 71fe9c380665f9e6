"""Bundles of schema 1: read as they always were, refused by the name of the field where they are damaged."""

import json
from pathlib import Path

import pytest
import torch
from closure_cases import make, state

from plexus.bundles import container, fields, store, versions
from plexus.errors import InputError
from plexus.protocols import Setting

FOLDER = Path(__file__).parent / "bundles"
OLD = {"schema1_f2": 1, "schema1_f3_range": 2}


def changed(tmp_path, change, reseal):
    """Return a bundle of schema 1 with other metadata."""
    index, texts, numbers = container.split((FOLDER / "schema1_f3_range.safetensors").read_bytes())
    metadata = json.loads(texts[container.KEY])
    change(metadata)
    if reseal:
        metadata["digests"] = {k: fields.digest(v) for k, v in metadata.items() if k != "digests"}
    path = tmp_path / "a.safetensors"
    path.write_bytes(container.join(index, numbers, metadata))
    return path


@pytest.mark.parametrize(("name", "order"), OLD.items())
def test_an_old_bundle_answers_as_one_that_is_written_again(name, order, tmp_path):
    path, data = FOLDER / f"{name}.safetensors", state((16, 16), order)
    given = {"checkpoint": path.name, "sha256": container.read(path).sha256}
    old = make("spin_network", given, order, folder=FOLDER)
    said = {k: v for k, v in old.metadata.items() if k in fields.required("closure") and k != "schema"}
    ranges = {k: v | {"unit": "1/s"} for k, v in said["training"]["parameters"].items()}
    said["training"] = said["training"] | {"parameters": ranges}
    again = tmp_path / "again.safetensors"
    sha256 = store.save(again, said, old.network.state_dict(), old.golden(data))
    new = make("spin_network", {"checkpoint": again.name, "sha256": sha256}, order, folder=tmp_path)
    with torch.no_grad():
        for key, value in old.evaluate(data).items():
            assert torch.equal(new.evaluate(data)[key], value)
    assert (new.scales, new.guard.range) == (old.scales, old.guard.range)
    assert new.metadata["validation"] == old.metadata["validation"]


def test_what_an_old_bundle_says_is_in_the_present_form():
    found = container.read(FOLDER / "schema1_f3_range.safetensors").metadata
    ports = {port["name"]: port for side in found["ports"].values() for port in side}
    assert ports["f1"] == {
        "name": "f1", "spin": 2, "unit": "m^-2", "parity": "even", "shape": "scalar", "location": "point",
        "scale": 1.0,
    }  # fmt: skip
    assert found["box"]["strain_along"]["unit"] == "s^-1" and found["box"]["r"]["unit"] == "1"
    ranges = found["training"]["parameters"]
    assert set(ranges) == {"alpha", "beta", "zeta", "d_T", "d_R"}
    assert ranges["d_T"] == {"low": 0.05, "high": 0.05} and ranges["alpha"]["low"] < ranges["alpha"]["high"]
    assert found["domain"]["end_points"] == [False, False]
    assert store.load(FOLDER / "schema1_f3_range.safetensors").golden is None


@pytest.mark.parametrize("field", versions.FIRST)
def test_missing_and_altered_fields_are_named(tmp_path, field):
    path = changed(tmp_path, lambda m: m.pop(field), reseal=False)
    with pytest.raises(InputError, match=rf"a\.safetensors: {field}: missing"):
        container.read(path)
    if field != "schema":
        path = changed(tmp_path, lambda m: m["digests"].update({field: "0" * 32}), reseal=False)
        with pytest.raises(InputError, match=rf"{field}: altered"):
            container.read(path)


PARTS = [(name, key) for name, (_, keys) in versions.FIRST.items() for key in keys]


@pytest.mark.parametrize(("field", "key"), PARTS)
def test_missing_keys_are_named(tmp_path, field, key):
    path = changed(tmp_path, lambda m: m[field].pop(key), reseal=True)
    with pytest.raises(InputError, match=rf"{field}\.{key}: missing"):
        container.read(path)


WRONG = {
    "schema 3": (lambda m: m.update(schema=3), "schema: version 3, this Plexus reads 1 and 2"),
    "schema 0": (lambda m: m.update(schema=0), "schema: version 0, this Plexus reads 1 and 2"),
    "schema text": (lambda m: m.update(schema="1"), "schema: version '1'"),
    "schema true": (lambda m: m.update(schema=True), "schema: version True"),
    "schema 2": (lambda m: m.update(schema=2), "ports: missing"),
    "unit": (lambda m: m["box"]["r"].update(unit="1"), r"box\.r\.unit: must be three exponents"),
    "port": (lambda m: m["properties"]["inputs"][0].pop("unit"), r"properties\.inputs\.c\.unit: missing"),
    "box": (lambda m: m["box"]["r"].update(low=2.0), r"box\.r: low 2 is above"),
    "scale": (lambda m: m["normalisation"]["e"].update(value="x"),
        r"normalisation\.e\.value: must be a finite"),
    "parameters": (lambda m: m["training"].update(parameters=[]), r"training\.parameters: must be dict"),
    "row": (lambda m: m["validation"][0].pop("metric"), r"validation\[0\]\.metric: missing"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_contents_are_named(tmp_path, what):
    change, message = WRONG[what]
    path = changed(tmp_path, change, reseal=True)
    with pytest.raises(InputError, match=message):
        container.read(path)


def test_a_setting_outside_the_range_is_told(tmp_path):
    path = FOLDER / "schema1_f2.safetensors"
    given = {"checkpoint": path.name, "sha256": container.read(path).sha256}
    closure = make("spin_network", given, 1, folder=FOLDER)
    closure.prepare(Setting({"zeta": 2.0, "d_R": 0.05}))
    assert [str(b) for b in closure.beyond] == ["training.parameters.zeta: trained for 1, the run has 2"]
