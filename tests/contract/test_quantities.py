"""What every quantity promises: a unit, the same value on all numbers of ranks and whenever it is asked."""

import math
from copy import deepcopy

import pytest
from hosts import (
    KINDS,
    accepted,
    composed,
    deck_of,
    host,
    of_discretisation,
    offered,
    quantity_decks,
    quantity_label,
    served,
    shareable,
)

from plexus import registry
from plexus.deck.units import parse_unit

MEMBERS = registry.names("quantity")
ALL = [(name, d) for name in MEMBERS for d in KINDS]
PAIRS = offered("quantity")
ROUNDING = {"reaction": 1e-4}
"""What is left where larger numbers cancel: a body's only support bears nothing, by forces E u near 1e9 N."""
pairs = pytest.mark.parametrize(("name", "discretisation"), PAIRS)


def deck(name, discretisation):
    return deck_of("quantity", name, discretisation)


def same(one, two):
    return one == two or (math.isnan(one) and math.isnan(two))


@pytest.mark.parametrize("name", MEMBERS)
def test_goes_with_some_discretisation(name):
    assert any(n == name for n, _ in PAIRS), f"no discretisation offers what quantity.{name} needs"


@pairs
def test_tells_its_unit(name, discretisation, tmp_path):
    run = composed(deck(name, discretisation), tmp_path)
    unit = run.quantities["it"].unit(run)
    assert isinstance(unit, str)
    if unit:
        parse_unit(unit)  # raises where it is none


@pairs
def test_asking_twice_gives_the_same_and_changes_nothing(name, discretisation, tmp_path):
    run = composed(deck(name, discretisation), tmp_path)
    run.observers = []
    run.execute()
    it, values = run.quantities["it"], run.state.values
    before, first = deepcopy(values), float(it.evaluate(run))
    # a mean over a time that has not begun is no number yet
    assert same(float(it.evaluate(run)), first)
    assert run.state.values is values
    assert all(bool((before[k] == v).all()) for k, v in values.items())
    # a second one, asked for the first time, knows nothing of the first
    other = registry.build("quantity", run.deck.quantities["it"])
    other.prepare(run)
    assert same(float(other.evaluate(run)), first)


@pairs
def test_two_ranks_agree_with_one(name, discretisation, jobs):
    data = deck(name, discretisation)
    if not shareable(data):
        pytest.skip("its mesh is not shared between ranks")
    one, two = (jobs.summary(quantity_label(data), n)["quantities"][name] for n in (1, 2))
    assert two == pytest.approx(one, rel=1e-7, abs=ROUNDING.get(name, 1e-9), nan_ok=True)


@pytest.mark.parametrize(("name", "discretisation"), [p for p in ALL if p not in PAIRS])
def test_is_refused_where_what_it_needs_is_not_offered(name, discretisation):
    physics = next(iter(of_discretisation(discretisation)))
    assert name not in served("quantity", physics)
    block = next(d["quantities"]["it"] for n, o in PAIRS if n == name for d in [quantity_decks(n, o)[0]] if d)
    words = KINDS[discretisation].cls.words
    assert f"'{name}' is not for {physics}, which works {words}" in accepted(
        host(physics) | {"quantities": {"it": block}}
    )
