"""A kind of learned part brings its own fields; the common ones hold for all, kelvin included."""

import sys

import pytest
import torch

from plexus import registry
from plexus.bundles import container, fields, kinds, store
from plexus.bundles.golden import Pair, replay
from plexus.errors import InputError

BUNDLE = """
from plexus.bundles.fields import finite
from plexus.bundles.kinds import Own
from plexus.errors import InputError

def check(metadata):
    if finite("energy.floor", metadata["energy"]["floor"]) < 0:
        raise InputError("energy.floor: must not be negative")

OWN = Own({"energy": (dict, ("floor",)), "training": (dict, ("paths",))}, check)
"""


def law():
    """Return the metadata of a thermal law, which has neither grid nor box."""
    port = {"shape": "vector", "location": "quadrature", "scale": 1.0}
    return {
        "kind": "conduction",
        "type": "conductor",
        "ports": {
            "inputs": [
                port | {"name": "gradient", "unit": "K/m"},
                port | {"name": "T", "unit": "kelvin", "shape": "scalar"},
            ],
            "outputs": [port | {"name": "flux", "unit": "W/m^2", "scale": 1e3}],
        },
        "architecture": {"name": "conductor", "hyper": {}, "parameters": 1},
        "units": "SI",
        "normalisation": {"T": {"value": 300.0, "unit": "K"}},
        "domain": {"cells": [], "size": [], "unit": "m", "end_points": []},
        "training": {
            "generator": "paths", "version": "1", "seeds": [], "seed": 0, "deck": {}, "paths": 5,
            "parameters": {"conductivity": {"low": 20.0, "high": 50, "unit": "W/(m K)"}},
        },
        "validation": [{"case": "ramp", "metric": "flux", "value": 0.01, "baselines": {"fourier": 0.2}}],
        "energy": {"floor": 0.0},
        "licence": "CC0-1.0",
    }  # fmt: skip


WEIGHTS = {"k": torch.tensor([-40.0], dtype=torch.float64)}


def answer(weights):
    return lambda inputs: {"flux": weights["k"] * inputs["gradient"] * inputs["T"] / 300}


def golden():
    inputs = {
        "gradient": torch.tensor([[1.0, -2.0]]).double(),
        "T": torch.tensor([[300.0], [310.0]]).double(),
    }
    return Pair(inputs, answer(WEIGHTS)(inputs), 1e-12)


@pytest.fixture
def known(tmp_path, monkeypatch):
    """Make the kind `conduction` known, with fields of its own."""
    folder = tmp_path / "newlaws"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "_bundle.py").write_text(BUNDLE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(registry.KINDS, "conduction", ("newlaws", "laws"))
    yield
    for name in ("newlaws", "newlaws._bundle"):
        sys.modules.pop(name, None)


def test_a_law_in_kelvin_is_sealed_and_replayed(tmp_path, known):
    path = tmp_path / "law.safetensors"
    bundle = store.load(path, store.save(path, law(), WEIGHTS, golden()))
    assert bundle.metadata["ports"]["inputs"][1]["unit"] == "kelvin"
    assert set(bundle.weights) == {"k"} and torch.equal(bundle.weights["k"], WEIGHTS["k"])
    assert replay("conductor", bundle.golden, answer(bundle.weights)) == 0
    with pytest.raises(InputError, match="golden: conductor answers"):
        replay("conductor", bundle.golden, answer({"k": bundle.weights["k"] * (1 + 1e-9)}))


def test_fields_of_the_kind_are_demanded(known):
    assert fields.required("conduction")["training"][1][-1] == "paths"
    assert "box" not in fields.required("conduction")
    for field, change, message in (
        ("energy", None, "energy: missing"),
        ("energy", {}, r"energy\.floor: missing"),
        ("energy", {"floor": -1.0}, r"energy\.floor: must not be negative"),
        (
            "training",
            {k: v for k, v in law()["training"].items() if k != "paths"},
            r"training\.paths: missing",
        ),
    ):
        metadata = law()
        metadata[field] = change
        if change is None:
            del metadata[field]
        with pytest.raises(InputError, match=message):
            store.pack(metadata, WEIGHTS, golden())


def test_a_kind_without_a_module_has_the_common_fields_only(tmp_path, monkeypatch):
    assert fields.required("stepper") == fields.FIELDS
    assert kinds.own("nothing of the kind") == kinds.Own()
    path = tmp_path / "law.safetensors"
    store.save(path, law(), WEIGHTS, golden())
    assert container.read(path).metadata["kind"] == "conduction"


def test_a_closure_alone_has_a_box_and_a_guard():
    own = set(kinds.own("closure").fields)
    assert {"box", "guard", "stepping", "properties"} <= own
    assert own & set(fields.FIELDS) == {"training"}


def test_units_are_compared_by_meaning():
    fields.compare("ports", {"unit": "W/(m^2 K)"}, {"unit": "W K^-1 m^-2"})
    with pytest.raises(InputError, match=r"ports\.unit: the model has 'K', the bundle says 'degC'"):
        fields.compare("ports", {"unit": "K"}, {"unit": "degC"})


def test_half_precision_and_integers_survive(tmp_path):
    weights = {
        "a": torch.randn(3, 0, 2),
        "b": torch.randn(5).bfloat16(),
        "c": torch.arange(4),
        "d": torch.tensor(True),
        "e": torch.randn(2, 3, dtype=torch.complex64),
    }
    path = tmp_path / "a.safetensors"
    back = store.load(path, store.save(path, law(), weights, golden()), piece=3).weights
    assert set(back) == set(weights)
    for name, value in weights.items():
        assert back[name].dtype == value.dtype and torch.equal(back[name], value)
