"""Every registered class has the members of its kind's protocol, with the parameters that callers give."""

import inspect
from typing import Protocol

import pytest
from hosts import composed, example, host, of_discretisation

from plexus import protocols, registry
from plexus.deck.discretisation import made_for

PROTOCOLS = {
    "mesh": protocols.MeshSource,
    "discretisation": protocols.Discretisation,
    "law": protocols.Law,
    "life": protocols.Criterion,
    "potential": protocols.Potential,
    "reduction": protocols.ModelMaker,
    "rom": protocols.Reduction,
    "snapshots": protocols.SnapshotSource,
    "boundary": protocols.BoundaryTerm,
    "closure": protocols.Closure,
    "problem": protocols.Problem,
    "operator": protocols.Operator,
    "preconditioner": protocols.Preconditioner,
    "stepper": protocols.Stepper,
    "reconstruction": protocols.Reconstruction,
    "riemann": protocols.Riemann,
    "controller": protocols.Controller,
    "control": protocols.Stated,
    "measurement": protocols.Measured,
    "quantity": protocols.Quantity,
    "output": protocols.Observer,
    "sample": protocols.Sampler,
    "data": protocols.Data,
    "loss": protocols.Loss,
    "optimizer": protocols.Optimizer,
    "schedule": protocols.Schedule,
    "stage": protocols.Stage,
}
"""The protocol of each kind; that of a physics depends on its discretisation."""
MEMBERS = [(kind, name) for kind in registry.KINDS for name in registry.names(kind)]
MODELS = [name for name in registry.names("physics") if made_for(name).physics is protocols.WeakPhysics]


def protocol_of(kind, name):
    return made_for(name).physics if kind == "physics" else PROTOCOLS[kind]


def levels(protocol):
    """Return a protocol and those that it extends."""
    return [p for p in protocol.__mro__ if p not in (Protocol, object) and getattr(p, "_is_protocol", False)]


def methods(protocol):
    """Return name -> signature of the methods that a protocol spells out."""
    return {
        name: inspect.signature(getattr(member, "__func__", member))
        for level in levels(protocol)
        for name, member in vars(level).items()
        if inspect.isfunction(getattr(member, "__func__", member)) and not name.startswith("_")
    }


def attributes(protocol):
    """Return the names of the attributes and properties that a protocol spells out."""
    return {
        name
        for level in levels(protocol)
        for name in (*vars(level).get("__annotations__", {}), *vars(level))
        if not name.startswith("_") and not callable(getattr(level, name, None))
    }


def assert_fits(thing, protocol):
    """Check methods and their parameters; ``thing`` is a class or an object."""
    for method, expected in methods(protocol).items():
        found = inspect.signature(getattr(thing, method)).parameters
        given = [p for p in expected.parameters.values() if p.name not in ("self", "cls")]
        placed = [p.name for p in given if p.kind is p.POSITIONAL_OR_KEYWORD]
        named = {p.name for p in given if p.kind is p.KEYWORD_ONLY}
        names = [p for p in found if p != "self"]
        told = f"{method}({', '.join(found)})"
        assert names[: len(placed)] == placed and named <= {*names}, told
        asked = {n for n in names if found[n].default is inspect.Parameter.empty} - {*placed, *named}
        asked = {
            n
            for n in asked
            if found[n].kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        }
        assert not asked, f"{told} asks for {asked}, which no caller gives"


def test_every_kind_has_a_protocol():
    assert {*PROTOCOLS, "physics"} == set(registry.KINDS)
    every = [*PROTOCOLS.values(), *(made_for(name).physics for name in registry.names("physics"))]
    assert all(methods(protocol) for protocol in every)


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_member_has_the_methods_of_its_protocol(kind, name):
    assert_fits(registry.component(kind, name).cls, protocol_of(kind, name))


def constructed(kind, name):
    """Return a member made from its example, as those who need it make it."""
    component = registry.component(kind, name)
    given = {k: v for k, v in example(kind, name).items() if k != "type"}
    # the files that some name are not there, so that nothing can check these
    nowhere = {"file", "files", "deck"} & given.keys()
    params = component.params.model_construct(**given) if nowhere else component.params.model_validate(given)
    more = {"stepper": (None,), "controller": (0.1, 1.0), "boundary": (protocols.FieldSpec("u", "1"),)}
    return component.cls(params, *more.get(kind, ()))


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_member_has_the_attributes_of_its_protocol(kind, name):
    made = constructed(kind, name)
    missing = [a for a in attributes(protocol_of(kind, name)) if not hasattr(made, a)]
    assert not missing


@pytest.mark.parametrize("name", MODELS)
def test_equations_have_all_that_is_asked_of_them(name):
    for equation in constructed("physics", name).equations:
        assert_fits(equation, protocols.Equation)
        assert not [a for a in attributes(protocols.Equation) if not hasattr(equation, a)]


@pytest.mark.parametrize("name", registry.names("discretisation"))
def test_systems_and_fields_have_all_that_is_offered(name, tmp_path):
    """Names are what `isinstance` sees; here the parameters are compared, too."""
    for physics in of_discretisation(name):
        run = composed(host(physics), tmp_path)
        assert_fits(run.fields, protocols.Evaluation)
        for offered in made_for(physics).offers:
            assert_fits(run.system if isinstance(run.system, offered) else run.fields, offered)


@pytest.mark.parametrize("name", [n for n in registry.names("physics") if n not in MODELS])
def test_models_have_all_that_is_asked_of_them(name, tmp_path):
    if made_for(name).physics is protocols.SpectralPhysics:
        fits, made = protocols.SpectralModel, composed(host(name), tmp_path).system.model
    elif made_for(name).physics is protocols.RatesPhysics:
        fits, made = protocols.Rates, constructed("physics", name).model()
    else:
        assert not hasattr(constructed("physics", name), "model"), "say here what its models have to be"
        fits, made = protocol_of("physics", name), constructed("physics", name)
    assert_fits(made, fits)
    assert not [a for a in attributes(fits) if not hasattr(made, a)]


def test_every_protocol_is_found_in_its_module():
    assert set(protocols.__all__) == set(protocols._HOMES)
    for name in protocols.__all__:
        found = getattr(protocols, name)
        home = getattr(found, "__module__", "")
        assert not home.startswith("plexus.") or home == f"plexus.protocols.{protocols._HOMES[name]}"
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        protocols.Nothing  # noqa: B018
