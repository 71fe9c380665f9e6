"""What every discretisation promises: that its systems offer what it says, and sentences where it refuses."""

import pytest
from hosts import accepted, composed, example, host, of_discretisation, served

from plexus import registry
from plexus.deck.discretisation import serves
from plexus.deck.schema import Deck
from plexus.protocols import Implicit

MEMBERS = registry.names("discretisation")
members = pytest.mark.parametrize("name", MEMBERS)
CHOSEN = ("mesh", "stepper", "quantity", "output", "controller")
"""Kinds whose members go with some discretisations only."""


def made(name):
    component = registry.component("discretisation", name)
    return component.cls(component.params())


@members
def test_has_words_for_messages(name):
    here = made(name)
    assert here.words.startswith(("on ", "in ", "at ", "as ", "by ", "without ")) and len(here.words) < 40
    assert set(here.blocks) <= set(Deck.model_fields)
    assert all(len(why) > 10 and not why.endswith(".") for why in here.blocks.values())
    assert set(here.usual) <= set(registry.names("output"))
    for output, changed in here.usual.items():
        registry.component("output", output).params.model_validate(changed)


@members
def test_has_a_physics_and_what_that_needs(name):
    assert of_discretisation(name), f"no physics is made for {name}"
    for physics in of_discretisation(name):
        assert made(name).mesh is None or served("mesh", physics)
        assert served("stepper", physics) and served("controller", physics)
        assert served("quantity", physics) and served("output", physics)


@members
def test_systems_offer_what_it_says(name, tmp_path):
    """Each of the protocols, by the system or by the evaluation of its fields; others are not offered."""
    here = made(name)
    for physics in of_discretisation(name):
        run = composed(host(physics), tmp_path)
        has = {p for p in here.offers if isinstance(run.system, p) or isinstance(run.fields, p)}
        assert has == here.offers, f"{physics}: {[p.__name__ for p in here.offers - has]}"


@members
def test_a_block_that_it_cannot_have_is_refused_with_the_reason(name):
    here = made(name)
    physics = of_discretisation(name)[0]
    blocks = {"boundary": [{"on": "left"}], "solver": {"default": "lu"}, "mesh": {"type": "interval"}}
    for block, why in here.blocks.items():
        data = host(physics) | {block: blocks.get(block, {"type": "none"})}
        assert f"{physics} works {here.words}: {why}" in accepted(data), block


@members
@pytest.mark.parametrize("kind", CHOSEN)
def test_what_does_not_go_with_it_is_refused(name, kind):
    here = made(name)
    physics = of_discretisation(name)[0]
    others = [n for n in registry.names(kind) if not serves(kind, n, here)]
    for other in others:
        block, data = example(kind, other), host(physics)
        changed = {
            "mesh": lambda d, b: d | {"mesh": b},
            "stepper": lambda d, b: d | {"time": d["time"] | {"stepper": b}},
            "controller": lambda d, b: d | {"time": d["time"] | {"controller": b}},
            "quantity": lambda d, b: d | {"quantities": {"it": b}},
            "output": lambda d, b: d | {"output": [b]},
        }[kind](data, block)
        assert f"'{other}' is not for {physics}, which works {here.words}" in accepted(changed), other
    assert set(others) != set(registry.names(kind)) or here.mesh is None


@members
def test_a_march_needs_the_block_time(name):
    here, physics = made(name), of_discretisation(name)[0]
    data = {k: v for k, v in host(physics).items() if k != "time"}
    said = accepted(data)
    assert ("marches in time: the deck needs a block `time`" in said) != here.steady, said


def needs(stepper):
    return registry.component("stepper", stepper).cls.needs


@members
def test_an_ensemble_is_its_members(name, tmp_path):
    """One leading axis of the state for all that take the block: each member goes on as if it were alone."""
    here = made(name)
    if "ensemble" in here.blocks:
        return  # its refusal is tested above
    for physics in of_discretisation(name):
        # what is solved to a tolerance is the same up to that
        exact = [n for n in served("stepper", physics) if needs(n) is not Implicit]
        data = host(physics)
        data = data | {"time": data["time"] | {"stepper": example("stepper", exact[0])}}
        ends = []
        for number, count in ((3, 3), *((k, 1) for k in (3, 4, 5))):
            block = {"members": count, "first": number, "perturbation": 0.01, "seed": 2}
            run = composed(data | {"ensemble": block}, tmp_path)
            run.observers = []
            run.execute()
            ends.append(run.state.values)
        whole, *alone = ends
        for unknown, values in whole.items():
            assert len(values) == 3 and (values[0] != values[1]).any(), (physics, unknown)
            for k, single in enumerate(alone):
                away = (values[k] - single[unknown][0]).abs().max()
                assert away <= 1e-12 * values[k].abs().max(), (physics, unknown, k)
