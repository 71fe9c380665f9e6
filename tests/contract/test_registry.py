"""Promises that every registered component keeps; registering one is what tests it."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from plexus import registry
from plexus.deck.context import Context
from plexus.deck.describe import documentation, fields, rows
from plexus.deck.discretisation import made_for
from plexus.deck.explain import explain, listing
from plexus.deck.jsonschema import deck_schema
from plexus.deck.params import Params
from plexus.deck.tree import Budget, parse
from plexus.protocols import FieldSpec, WeakPhysics

ROOT = Path(__file__).parents[2]
MEMBERS = [(kind, name) for kind in registry.KINDS for name in registry.names(kind)]
FORBIDDEN = ("petsc4py", "mpi4py", "torch", "h5py", "slepc4py", "gmsh", "plexus_kernels")


@cache
def schema():
    return deck_schema()


def validator(part):
    """Return a validator for one definition of the schema."""
    whole = {"$ref": f"#/$defs/{part}", "$defs": schema()["$defs"]}
    return jsonschema.Draft202012Validator(whole)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


def module(kind, name):
    return sys.modules[registry.component(kind, name).cls.__module__]


def example(kind, name, folder):
    """Return the component's example without `type`; files that it names are made in the folder."""
    data = dict(module(kind, name).EXAMPLE)
    assert data.pop("type", name) == name
    for name_of_file in [*(data[key] for key in ("file", "deck") if key in data), *data.get("files", ())]:
        target = folder / name_of_file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    return data


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_member_is_registered_under_its_file_name(kind, name):
    component = registry.component(kind, name)
    assert issubclass(component.params, Params)
    assert module(kind, name).__name__.rpartition(".")[2] == name
    assert "type" not in component.params.model_fields, "the slot sets `type`, it is no parameter"


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_every_parameter_is_described(kind, name):
    for row in rows(registry.component(kind, name).params):
        assert row.tip, f"{row.name} needs a description"
        assert len(row.tip) <= 120, f"{row.name}: one line"


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_physical_defaults_name_their_source(kind, name):
    """A default with a unit, other than zero and one, is a number from somewhere: it says from where."""
    silent = [
        row.name
        for row in rows(registry.component(kind, name).params)
        if row.unit not in ("", "1", "s")
        and row.default not in ("required", "none", "0", "1", "[]")
        and not row.source
    ]
    assert silent == []


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_documentation_says_what_it_is(kind, name):
    text = documentation(registry.component(kind, name))
    first = text.splitlines()[0]
    assert 10 <= len(first) <= 120
    assert first.endswith((".", ":")) or "=" in first
    if kind in ("physics", "boundary"):
        assert "ource:" in text or "doi:" in text, "where do the equations come from?"


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_example_validates(kind, name, tmp_path):
    data = example(kind, name, tmp_path)
    params = registry.component(kind, name).params.model_validate(data, context=Context(folder=tmp_path))
    assert set(params.model_fields_set) == set(data)


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_unknown_parameter_is_refused(kind, name, tmp_path):
    data = example(kind, name, tmp_path) | {"zzyzx": 1}
    with pytest.raises(ValueError, match="unknown key"):
        registry.component(kind, name).params.model_validate(data, context=Context(folder=tmp_path))


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_schema_accepts_the_example(kind, name, tmp_path):
    data = example(kind, name, tmp_path)
    if kind != "boundary":
        data = {"type": name, **data}
    data = json.loads(json.dumps(data))
    validator(f"{kind}.{name}").validate(data)
    if kind != "boundary":
        validator(kind).validate(data)
    assert not validator(f"{kind}.{name}").is_valid(data | {"zzyzx": 1})


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_explain_shows_everything(kind, name):
    text = explain(f"{kind}.{name}")
    component = registry.component(kind, name)
    assert documentation(component).splitlines()[0] in text
    for row in rows(component.params):
        assert row.name in text
    for spec, _ in fields(component):
        assert f"  {spec.name}: " in text


@pytest.mark.parametrize("name", registry.names("physics"))
def test_physics_names_its_fields_without_a_mesh(name):
    component = registry.component("physics", name)
    params = component.params.model_validate(
        {k: v for k, v in module("physics", name).EXAMPLE.items() if k != "type"}
    )
    specs = list(component.cls.fields(params))
    assert all(isinstance(s, FieldSpec) for s in specs)
    here = made_for(name)
    told = list(here.fields(component.cls(params)))
    assert {spec.name for spec in specs} <= {spec.name for spec, _ in told}
    assert all(isinstance(spec, FieldSpec) for spec, _ in told)


@pytest.mark.parametrize("name", [n for n in registry.names("physics") if made_for(n).physics is WeakPhysics])
def test_equations_fit_the_registry(name):
    component = registry.component("physics", name)
    model = component.cls(
        component.params.model_validate(
            {k: v for k, v in module("physics", name).EXAMPLE.items() if k != "type"}
        )
    )
    for equation in model.equations:
        assert set(equation.boundary_terms) <= set(registry.names("boundary"))
        assert equation.time_order in (0, 1)
        unknowns = [spec.name for spec in equation.fields]
        assert equation.fields[0] == equation.field and set(equation.evolving) <= set(unknowns)
        assert (equation.time_order > 0) == bool(equation.evolving)
        assert len(unknowns) == 1 or not equation.boundary_terms, "a block takes no boundary terms"


def test_listing_names_everything():
    text = listing()
    for kind, name in MEMBERS:
        assert name in text
        assert f"{kind}.{name}" in listing(kind)


def test_no_member_starts_mpi_or_loads_torch():
    """All members are imported in one fresh process."""
    code = (
        "import sys; from plexus import registry\n"
        "for kind in registry.KINDS:\n"
        "    for name in registry.names(kind): registry.component(kind, name)\n"
        f"print([m for m in {FORBIDDEN!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


SHIPPED = [*(ROOT / "input_decks").rglob("*.yaml"), *(ROOT / "src/plexus/templates").glob("*.yaml")]
DECKS = sorted(p for p in SHIPPED if "shared" not in p.parts)


@pytest.mark.parametrize("path", DECKS, ids=lambda p: p.stem)
def test_schema_accepts_every_shipped_deck(path):
    data = json.loads(json.dumps(plain(parse(path.read_text(), str(path), Budget()))))
    errors = [
        f"{e.json_path}: {e.message[:200]}"
        for e in jsonschema.Draft202012Validator(schema()).iter_errors(data)
    ]
    assert errors == []


def plain(node):
    """Return a tree as plain data."""
    if isinstance(node.value, dict):
        return {k: plain(v) for k, v in node.value.items()}
    return [plain(v) for v in node.value] if isinstance(node.value, list) else node.value


@pytest.mark.parametrize(
    "text", ["mesh: {type: boxx}", "mesh: {type: box, cells: [1, 2]}", "solvr: {}", "time: {end: []}"]
)
def test_schema_refuses(text):
    data = plain(parse("plexus: 1\nphysics: heat\nmesh: box\n", "f", Budget())) | plain(
        parse(text, "f", Budget())
    )
    assert not jsonschema.Draft202012Validator(schema()).is_valid(data)
