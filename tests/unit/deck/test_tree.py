"""YAML text to nodes: YAML 1.2 scalars, places, and what is refused."""

import math

import pytest

from plexus.deck.tree import Budget, Node, parse
from plexus.errors import DeckError


def plain(node: Node):
    if isinstance(node.value, dict):
        return {k: plain(v) for k, v in node.value.items()}
    return [plain(v) for v in node.value] if isinstance(node.value, list) else node.value


def read(text: str):
    budget = Budget()
    node = parse(text, "f", budget)
    return plain(node), [str(p) for p in budget.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1.", 1.0),
        (".5", 0.5),
        ("+3", 3),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("1_000", "1_000"),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("12:30:00", "12:30:00"),
        ("2020-01-01", "2020-01-01"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("'1'", "1"),
        ('"null"', "null"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("0b1", "0b1"),
        ("=", "="),
        ("1e3", 1000.0),
        ("- a", ["a"]),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    result, problems = read(f"k: {text}" if not text.startswith("- ") else f"k:\n {text}")
    assert result == {"k": value}
    assert type(result["k"]) is type(value)
    assert problems == []


def test_places_count_from_one():
    node = parse("a:\n  - {b: 1}\n  - c\n", "f", Budget())
    inner = node.value["a"].value
    assert str(node.value["a"].key_mark) == "f:1:1"
    assert str(inner[0].value["b"].mark) == "f:2:9"
    assert str(inner[1].mark) == "f:3:5"


@pytest.mark.parametrize(
    ("text", "place", "phrase"),
    [
        ("a: 1\nb: 2\na: 3", "f:3:1", "duplicate key 'a'"),
        ("a: !!python/object:os.system x", "f:1:4", "tags"),
        ("a: !foo {b: 1}", "f:1:4", "tags"),
        ("<<: {a: 1}", "f:1:1", "merge keys"),
        ("[a]: 1", "f:1:1", "a key must be text"),
        ("a: *b", "f:1:4", "alias"),
        ("a: &a [*a]", "f:1:8", "alias"),
    ],
)
def test_refused(text, place, phrase):
    _, problems = read(text)
    assert len(problems) == 1
    assert problems[0].startswith(place + ":")
    assert phrase in problems[0]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("a: [1", "not YAML"),
        ("a: b: c", "not YAML"),
        ("\ta: 1", "not YAML"),
        ("a: 1\n---\nb: 2", "one YAML document"),
        ("a: \x00", "not YAML"),
        ("- " * 5000 + "a", "nested deeper"),
        ("[" * 5000, "nested deeper"),
        ("a: @x", "not YAML"),
        ("%FOO bar\na: 1: 2", "not YAML"),
        ('"unclosed', "not YAML"),
    ],
)
def test_not_yaml(text, phrase):
    with pytest.raises(DeckError, match=phrase) as caught:
        parse(text, "f", Budget())
    assert str(caught.value).startswith("f:")


def test_aliases_copy_and_stay_bounded():
    assert read("a: &x [1, 2]\nb: *x")[0] == {"a": [1, 2], "b": [1, 2]}
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    with pytest.raises(DeckError, match="more than 100000 values"):
        parse(laughs, "f", Budget())
    chain = "a0: &a0 [[[[[[[[x]]]]]]]]\n" + "".join(f"a{i}: &a{i} [[[[*a{i - 1}]]]]\n" for i in range(1, 500))
    with pytest.raises(DeckError, match="nested deeper"):
        parse(chain, "f", Budget())


def test_anchored_keys_and_empty_documents():
    assert read("&k a: 1\nb: *k")[0] == {"a": 1, "b": None} or read("&k a: 1\nb: *k")[1]
    assert read("")[0] == {}
    assert read("# only a comment\n")[0] == {}
