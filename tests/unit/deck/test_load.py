"""Files to a deck: includes, overrides, references, origins, effective deck, broadcasting."""

import json
import pickle
from pathlib import Path

import pytest

from plexus.deck.effective import to_data
from plexus.deck.load import Deck, load
from plexus.deck.override import split
from plexus.errors import DeckError

DECK = """\
plexus: 1
about: {title: a test, needs: ">=0.1"}
parameters: {k0: 3, length: 2 m, n: 4, label: steel}
mesh: {type: box, cell: triangle, size: [1, "${length/2}"], cells: ["${n}", "${2*n - 1}"]}
physics: {type: heat, material: {name: "${label} no. ${n}", conductivity: "k0 * (1 + 0.01*temperature)",
  density: 7800, specific_heat: 500}}
boundary:
  - {on: left, temperature: 27 degC}
  - {on: [right, top], convection: {coefficient: 500 W/(m^2 K), ambient: "600 K + 2 K/m*x"}}
initial: {temperature: 300}
solver: {temperature: cg+gamg, default: {on_failure: lu}}
time: {end: 3 h, step: 1 min, stepper: theta, adaptive: {max: 2 min}}
quantities: {peak: {type: maximum, of: temperature}}
output: [{type: fields, every: 10 steps, fields: [temperature]}, {type: checkpoint, every: 30 min wall}]
verification: [{quantity: peak, reference: 100 degC, tolerance: 0.01, source: nobody}]
"""


@pytest.fixture
def deck(tmp_path) -> Path:
    path = tmp_path / "deck.yaml"
    path.write_text(DECK)
    return path


def errors(path, *overrides):
    with pytest.raises(DeckError) as caught:
        load(path, overrides)
    return [str(p) for p in caught.value.problems]


def test_values(deck):
    d = load(deck)
    assert d.name == "deck"
    assert d.mesh.type == "box"
    assert d.mesh.size == (1.0, 1.0)
    assert d.mesh.cells == (4, 7)
    assert d.physics.material.name == "steel no. 4"
    assert d.constants == {"k0": 3.0, "length": 2.0, "n": 4.0}
    (value,) = d.boundary[0].values["temperature"]
    assert value.constant == pytest.approx(300.15)
    assert d.boundary[1].on.names == ("right", "top")
    assert d.boundary[1].terms["convection"].coefficient.constant == 500.0
    assert d.solver_for("temperature").preconditioner.type == "gamg"
    assert d.solver_for("other").on_failure.ksp == "preonly"
    assert (d.time.end, d.time.step, d.time.adaptive.max) == (10800.0, 60.0, 120.0)
    assert d.output[0].every.value == 10
    assert d.output[1].every.kind == "wall"
    assert d.verification[0].reference == pytest.approx(373.15)
    with pytest.raises(ValueError, match="frozen"):
        d.time.end = 3


def test_plain_data_give_the_same_deck(deck):
    d = load(deck, ["time.end=2 h"])
    again = Deck.from_plain(json.loads(json.dumps(d.plain())))
    assert to_data(again) == to_data(d)
    assert again.overrides == ("time.end=2 h",)
    assert again.origins == d.origins
    assert again.path == d.path


def test_effective_deck_loads_as_the_same_deck(deck, tmp_path):
    d = load(deck, ["time.end=2 h"])
    text = d.effective_yaml()
    other = tmp_path / "effective.yaml"
    other.write_text(text)
    assert to_data(load(other)) == to_data(d)
    assert "end: 7200.0  # command line:1:10" in text
    assert f"step: 60.0  # {deck}:12:24" in text
    assert "tolerance: 0.001  # default" in text
    assert f"type: gamg  # {deck}:11:23" in text


def test_components_of_vectors(tmp_path):
    path = tmp_path / "v.yaml"
    path.write_text(
        "plexus: 1\nmesh: {type: box, cell: triangle, cells: [4, 4]}\n"
        "physics: {type: elasticity, geometry: plane_strain,\n"
        "  material: {young_modulus: 210 GPa, poisson_ratio: 0.3}}\n"
        "boundary:\n  - {on: left, displacement: [0, null]}\n  - {on: right, displacement_y: 1 mm}\n"
        "  - {on: top, displacement: 0}\n  - {on: bottom, displacement_x: 0, displacement_y: x}\n"
    )
    values = [c.values["displacement"] for c in load(path).boundary]
    texts = [[v and v.text for v in value] for value in values]
    assert texts == [["0.0", None], [None, "0.001"], ["0.0", "0.0"], ["0.0", "x"]]
    other = tmp_path / "w.yaml"
    other.write_text(load(path).effective_yaml())
    assert to_data(load(other)) == to_data(load(path))


def test_include_merges_and_keeps_places(tmp_path, deck):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "material.yaml").write_text("name: common\nconductivity: 7 W/(m K)\n")
    (tmp_path / "parts" / "solver.yaml").write_text(
        "temperature: {ksp: cg, preconditioner: {type: gamg, threshold: 0.1}}\n"
    )
    deck.write_text(
        "include: [base.yaml]\nphysics:\n  type: heat\n"
        "  material: {include: parts/material.yaml, name: mine}\n"
        "solver: {include: parts/solver.yaml, temperature: {preconditioner: {type: jacobi}}}\n"
    )
    (tmp_path / "base.yaml").write_text("plexus: 1\nmesh: {type: box, cell: triangle, cells: [4, 4]}\n")
    d = load(deck)
    assert d.physics.material.name == "mine"
    assert d.physics.material.conductivity.constant == 7
    assert d.solver["temperature"].ksp == "cg"
    assert d.solver["temperature"].preconditioner.type == "jacobi"
    assert d.origins["physics.material.conductivity"] == f"{tmp_path / 'parts' / 'material.yaml'}:2:15"
    assert d.origins["mesh.cells[0]"] == f"{tmp_path / 'base.yaml'}:2:43"


def test_include_bombs_end(tmp_path):
    for i in range(30):  # each file includes the next one twice: 2^30 reads without a limit
        (tmp_path / f"b{i}.yaml").write_text(
            f"a: {{include: b{i + 1}.yaml}}\nb: {{include: b{i + 1}.yaml}}\n"
        )
    (tmp_path / "b30.yaml").write_text("c: 1\n")
    assert any("more than 200 included files" in e for e in errors(tmp_path / "b0.yaml"))
    for i in range(60):
        (tmp_path / f"d{i}.yaml").write_text("{a: " * 30 + f"{{include: d{i + 1}.yaml}}" + "}" * 30)
    assert any("nest deeper" in e for e in errors(tmp_path / "d0.yaml"))


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("include: {a: 1}", "takes a file name"),
        ("include: [3]", "takes a file name"),
        ("include: .", "is a folder"),
        ('include: "a\\0b"', "cannot read"),
        ("include: other.yaml\na: 1", "not a mapping"),
    ],
)
def test_include_refused(tmp_path, text, phrase):
    (tmp_path / "other.yaml").write_text("[1, 2]")
    (tmp_path / "deck.yaml").write_text(text)
    assert any(phrase in e for e in errors(tmp_path / "deck.yaml"))


def test_overrides(deck):
    d = load(
        deck,
        [
            "mesh.cells[0]=9",
            "time.end=5 s",
            "time.adaptive=null",
            "solver.temperature.preconditioner=jacobi",
            "runtime.seed=3",
            "output[0].every=2 steps",
            "output.1.every=3 steps",
            "solver.default.rtol=1e-3",
            "output[2]={type: progress}",
            "time.stepper.theta=0.5",
            "about.keywords=[a, b]",
        ],
    )
    assert d.mesh.cells == (9, 7)
    assert d.time.adaptive is None
    assert (d.solver["temperature"].ksp, d.solver["temperature"].preconditioner.type) == ("cg", "jacobi")
    assert d.runtime.seed == 3
    assert [o.type for o in d.output] == ["fields", "checkpoint", "progress"]
    assert d.time.stepper.theta == 0.5
    assert d.about.keywords == ("a", "b")
    assert d.origins["mesh.cells[0]"] == "command line:1:15"


@pytest.mark.parametrize(
    ("override", "phrase"),
    [
        ("mesh", "expected path=value"),
        ("=3", "expected path=value"),
        ("a..b=3", "expected path=value"),
        ("mesh.cells[9]=3", "index from 0 to 2"),
        ("mesh.cells.x=3", "index from"),
        ("plexus.a=3", "has no parts"),
        ("mesh.cells=[1", "not YAML"),
        ("mesh.cell=square", "not valid here"),
        ("." * 50 + "=1", "expected path"),
        ("time.end=!!str 3", "tags"),
    ],
)
def test_overrides_refused(deck, override, phrase):
    found = errors(deck, override)
    assert any(phrase in e and e.startswith("command line:1:") for e in found), found


def test_paths():
    assert split("a.b[0].c") == ["a", "b", "0", "c"]
    assert split("a b") == split("a[") == split("a[x]") == split("") == []


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("${n}", 4),
        ("${n/2}", 2.0),
        ("${n//2}", 2),
        ("${2^n}", 16),
        ("${length}", "2 m"),
        ("${length*3}", 6.0),
        ("${mesh.cells[0]}", 4),
        ("${max(n, 7)}", 7),
        ("${sin(pi/2)}", 1.0),
        ("${3 if n > 2 else 4}", 3),
        ("${1 km + length}", 1002.0),
        ("${label}-${n}", "steel-4"),
        ("${n}", 4),
        ("${ n * 2 }", 8),
        ("${-n}", -4),
        ("${10^20}", 1e20),
        ("${2^-1}", 0.5),
    ],
)
def test_references(deck, value, result):
    d = load(deck, [f"parameters.test='{value}'"])
    assert d.parameters["test"] == result
    assert type(d.parameters["test"]) is type(result)


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        ("${mesh}", "mapping or a list"),
        ("${test}", "refers to itself"),
        ("${nn}", "did you mean 'n'"),
        ("${n", "without its"),
        ("${1/0}", "cannot be computed"),
        ("${label*2}", "is not a number"),
        ("${open('x')}", "only arithmetic"),
        ("${}", "not an expression"),
        ("${mesh.cells[7]}", "nothing is called"),
        ("${9^9^9^9}", "cannot be computed"),
        ("${(-8)^0.5}", "finite real"),
        ("${mesh['cells'].real}", "nothing is called"),
        ("${n.real}", "nothing is called"),
        ("${min(3)}", "two or more"),
        ("${[1, 2]}", "list is not allowed"),
        ("${1e308*10}", "finite"),
    ],
)
def test_references_refused(deck, value, phrase):
    found = errors(deck, f'parameters.test="{value}"')
    assert any(phrase in e for e in found), found


def test_growing_text_is_bounded(tmp_path):
    lines = "".join(f"  a{i}: ${{a{i - 1}}}${{a{i - 1}}}\n" for i in range(1, 40))
    (tmp_path / "deck.yaml").write_text("parameters:\n  a0: xxxx\n" + lines)
    assert any("grows beyond" in e for e in errors(tmp_path / "deck.yaml"))
    chain = "".join(f"  a{i}: ${{a{i + 1} + 1}}\n" for i in range(3000)) + "  a3000: 1\n"
    (tmp_path / "deck.yaml").write_text("parameters:\n" + chain)
    assert any("nest deeper than 50" in e for e in errors(tmp_path / "deck.yaml"))


def test_errors_travel_between_ranks(tmp_path):
    (tmp_path / "deck.yaml").write_text("plexus: 2\n")
    with pytest.raises(DeckError) as caught:
        load(tmp_path / "deck.yaml")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert copy.problems == caught.value.problems


def test_unreadable_files(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"plexus: 1\nabout: {title: \xe4}\n")
    assert errors(tmp_path / "latin.yaml")[0].startswith(
        f"{tmp_path / 'latin.yaml'}:2:16: the file is not UTF-8"
    )
    assert "is a folder" in errors(tmp_path)[0]
    (tmp_path / "large.yaml").write_bytes(b"#" * 9_000_000)
    assert "not a deck" in errors(tmp_path / "large.yaml")[0]
