"""How a block `sweep` becomes points."""

import numpy as np
import pytest
from pydantic import ValidationError

from plexus.deck.strategies import points
from plexus.deck.sweep import Range, Sweep


def block(**given) -> Sweep:
    return Sweep.model_validate(given)


def refused(**given) -> str:
    with pytest.raises(ValidationError) as caught:
        block(**given)
    return caught.value.errors()[0]["msg"]


def test_a_grid_has_every_combination_and_the_last_changes_fastest():
    found = points(block(parameters={"a": [1, 2], "b": ["x", "y", "z"]}))
    assert found[:3] == [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 1, "b": "z"}]
    assert len(found) == 6


def test_zip_takes_the_values_side_by_side():
    assert points(block(mode="zip", parameters={"a": [1, 2], "b": [3, 4]})) == [
        {"a": 1, "b": 3},
        {"a": 2, "b": 4},
    ]
    assert "a has 1, b has 2" in refused(mode="zip", parameters={"a": [1], "b": [3, 4]})
    assert "ranks has 1" in refused(mode="zip", parameters={"a": [1, 2]}, ranks=[1])


def test_a_list_is_taken_as_it_stands():
    members = [{"a": 1}, {"b": {"type": "gamg"}}]
    assert points(block(mode="list", members=members)) == members


@pytest.mark.parametrize("mode", ["random", "latin_hypercube"])
def test_drawn_points_are_in_range_and_repeatable(mode):
    axes = {"a": {"min": 2, "max": 4}, "b": {"min": 1, "max": 1000, "scale": "log"}, "c": ["x", "y"]}
    sweep = block(mode=mode, samples=50, seed=3, parameters=axes)
    found = points(sweep)
    assert found == points(sweep)
    assert found != points(sweep.model_copy(update={"seed": 4}))
    assert all(2 <= p["a"] <= 4 and 1 <= p["b"] <= 1000 and p["c"] in ("x", "y") for p in found)
    assert 0.3 < np.mean([np.log10(p["b"]) / 3 for p in found]) < 0.7


def test_more_random_samples_begin_with_the_same_ones():
    axes = {"a": {"min": 0, "max": 1}, "b": {"min": 0, "max": 1}}
    few, many = (points(block(mode="random", samples=n, parameters=axes)) for n in (5, 20))
    assert many[:5] == few


def test_a_latin_hypercube_has_one_value_in_each_part_of_each_axis():
    axes = {name: {"min": 0, "max": 1} for name in "abc"}
    found = points(block(mode="latin_hypercube", samples=20, parameters=axes))
    for name in axes:
        assert sorted(int(20 * p[name]) for p in found) == list(range(20))
    assert len({tuple(np.argsort([p[name] for p in found])) for name in axes}) == 3, "axes are shuffled apart"


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"min": 0, "max": 1, "count": 3}, [0, 0.5, 1]),
        ({"min": 0.1, "max": 0.5, "count": 5}, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ({"min": 1, "max": 100, "count": 3, "scale": "log"}, [1, 10, 100]),
        ({"min": "1 mm", "max": "3 mm", "count": 3}, ["1 mm", "2 mm", "3 mm"]),
        ({"min": "1 mm", "max": "1 cm", "count": 2}, [0.001, 0.01]),
        ({"min": 1, "max": 4, "count": 6, "whole": True}, [1, 2, 3, 4]),
        ({"min": 4, "max": 32, "count": 4, "scale": "log", "whole": True}, [4, 8, 16, 32]),
    ],
)
def test_ranges(given, values):
    found = Range.model_validate(given).values()
    assert found == values
    assert [type(v) for v in found] == [type(v) for v in values]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "nothing varies"),
        ({"parameters": {"a": []}}, "needs at least 1 items"),
        ({"parameters": {"a": {"min": 1, "max": 2}}}, "needs count"),
        ({"parameters": {"a": {"min": 2, "max": 1, "count": 2}}}, "max 1 is not larger than min 2"),
        ({"parameters": {"a": {"min": 0, "max": 1, "count": 2, "scale": "log"}}}, "positive min"),
        ({"parameters": {"a": {"min": "1 mm", "max": "1 parrot", "count": 2}}}, "parrot"),
        ({"parameters": {"a": {"min": "1 parrot", "max": "2 parrot", "count": 2}}}, "parrot"),
        ({"parameters": {"a b": [1]}}, "no deck path"),
        ({"parameters": {"sweep.seed": [1]}}, "nothing that a member could vary"),
        ({"parameters": {"a": [1]}, "samples": 3}, "draws no samples"),
        ({"mode": "random", "parameters": {"a": [1]}}, "needs samples"),
        ({"mode": "random", "samples": 3}, "needs parameters"),
        ({"mode": "random", "samples": 3, "parameters": {"a": {"min": 1, "max": 2, "count": 3}}}, "no count"),
        ({"mode": "list"}, "needs members"),
        ({"mode": "list", "members": [{"a": 1}], "parameters": {"a": [1]}}, "not from parameters"),
        ({"members": [{"a": 1}]}, "belong to list"),
        ({"parameters": {n: list(range(200)) for n in "abc"}}, "8000000 members"),
        ({"parameters": {"a": {"min": 0, "max": 1, "count": 10**6}}}, "<= 100000"),
    ],
)  # fmt: skip
def test_wrong_blocks(given, why):
    assert why in refused(**given)


def test_the_size_needs_no_points():
    assert block(parameters={"a": [1, 2], "b": [1, 2, 3]}, seeds=4, ranks=[1, 2]).size() == 48
    assert block(mode="zip", parameters={"a": [1, 2]}, ranks=[1, 2]).size() == 2
    assert block(mode="random", samples=7, parameters={"a": [1]}).size() == 7
    assert block(ranks=[1, 2, 4]).size() == 3


def test_draws_are_the_numbers_of_a_sample():
    found = points(block(mode="draws", sample="warmth", samples=3))
    assert found == [{"samples.warmth.number": n} for n in range(3)]
    assert "needs sample" in refused(mode="draws", samples=3)
    assert "needs samples" in refused(mode="draws", sample="warmth")
    assert "no parameters" in refused(mode="draws", sample="warmth", samples=3, parameters={"a": [1]})
    assert "sample belongs to draws" in refused(
        mode="random", samples=3, sample="w", parameters={"a": [1, 2]}
    )
