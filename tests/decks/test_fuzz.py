"""Mutated decks: whatever a text or a structure becomes, loading it ends as a deck or as its problems."""

import json
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plexus.deck.effective import fragment, to_data
from plexus.deck.load import load
from plexus.deck.tree import Budget, Node, parse
from plexus.errors import DeckError

ROOT = Path(__file__).parents[2]
SHIPPED = [*(ROOT / "input_decks").rglob("*.yaml"), *(ROOT / "src/plexus/templates").glob("*.yaml")]
DECKS = sorted(p for p in SHIPPED if "shared" not in p.parts)
PATIENCE = 20
"""Seconds after which a deck counts as hanging; the slowest takes some hundredths of one."""
TOKENS = [
    "${",
    "}",
    "${n}",
    "${1/0}",
    "${9**9**9}",
    "&a ",
    "*a",
    "!!python/object:x ",
    "<<: ",
    "- ",
    ": ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "'",
    '"',
    "|",
    ">",
    "\t",
    "\n",
    "  ",
    "\0",
    "\x85",
    "\ufeff",
    "é",
    "🙂",
    "\\",
    "%",
    "@",
    "---\n",
    "...\n",
    "null",
    "nan",
    "1e999",
    "-1",
    "0x",
    "9" * 400,
    "(" * 90,
    "__import__",
    "x**x**x",
    "300 K",
    "5 furlong",
    "K^9^9",
    "include: .",
    "~",
]
VALUES = [
    None,
    True,
    False,
    0,
    -1,
    1e308,
    10**400,
    float("inf"),
    "",
    " ",
    "x",
    "temperature",
    "300 K",
    "1e-3 m/s",
    "2*x + t",
    "${a}",
    "${parameters}",
    "[",
    {},
    [],
    [[]],
    {"type": "box"},
    {"type": None},
    {"type": ["x"]},
    [None] * 4,
    {"": ""},
    {"include": "x"},
    {"table": [[0, 1], [1, 2]]},
    {"regions": {"a": {"regions": {"b": 1}}}},
    "9**9**9",
    "sin(" * 40,
    "x" * 3000,
    {"on": None},
]
KEYS = [
    "type",
    "on",
    "include",
    "mesh",
    "physics",
    "degree",
    "x",
    "",
    "temperature",
    "default",
    "options",
    "1",
    "on_failure",
    "é",
]


@contextmanager
def patience(seconds: int) -> Iterator[None]:
    """Fail when the block takes more time of the processor; what others do on it does not count."""

    def late(number, frame):
        raise TimeoutError(f"a deck took more than {seconds} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def judge(path: Path) -> bool:
    """Load a deck; return whether it is good. Anything but a deck or a DeckError with places is a defect."""
    with patience(PATIENCE):
        try:
            deck = load(path)
        except DeckError as error:
            assert error.problems
            for problem in error.problems:
                assert problem.mark is not None, problem
                assert problem.mark.line >= 1
                assert problem.mark.column >= 1
                assert problem.message
                assert "\n" not in str(problem), problem
            return False
        again = path.with_name("effective.yaml")
        again.write_text(deck.effective_yaml())
        assert to_data(load(again)) == to_data(deck)
        return True


def mutate_text(text: str, rng: random.Random) -> str:
    """Return the text with some pieces deleted, doubled, moved, or replaced by tokens."""
    for _ in range(rng.randint(1, 4)):
        i, j = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        j = min(j, i + rng.choice((1, 1, 3, 10, 60)))
        lines = text.splitlines(keepends=True)
        match rng.randrange(6):
            case 0:
                text = text[:i] + text[j:]
            case 1:
                text = text[:i] + rng.choice(TOKENS) + text[i:]
            case 2:
                text = text[:i] + rng.choice(TOKENS) + text[j:]
            case 3:
                text = text[:j] + text[i:]
            case 4 if len(lines) > 1:
                a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
                lines[a], lines[b] = lines[b], lines[a]
                text = "".join(lines)
            case _:
                word = rng.choice(text.split() or [""])
                text = text.replace(word, word[:-1] if rng.random() < 0.5 else rng.choice(TOKENS), 1)
    return text


def plain(node: Node):
    """Return a tree as plain data."""
    if isinstance(node.value, dict):
        return {k: plain(v) for k, v in node.value.items()}
    return [plain(v) for v in node.value] if isinstance(node.value, list) else node.value


def places(data, path=()) -> list[tuple]:
    """Return the paths of all values inside data."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [(*path, k) for k, _ in items] + [p for k, v in items for p in places(v, (*path, k))]


def mutate_structure(data, rng: random.Random):
    """Return the data with some values replaced, removed, renamed, wrapped or exchanged."""
    for _ in range(rng.randint(1, 3)):
        found = places(data)
        if not found:
            return data
        *above, key = rng.choice(found)
        parent = data
        for part in above:
            parent = parent[part]
        match rng.randrange(6):
            case 0:
                parent[key] = rng.choice(VALUES)
            case 1:
                del parent[key]
            case 2 if isinstance(parent, dict):
                name = rng.choice(KEYS) if rng.random() < 0.5 else str(key)[:-1]
                parent[name] = parent.pop(key)
            case 3:
                parent[key] = [parent[key]] if rng.random() < 0.5 else {rng.choice(KEYS): parent[key]}
            case 4:
                *other, last = rng.choice(found)
                source = data
                for part in (*other, last):
                    source = source[part] if isinstance(source, (dict, list)) and _has(source, part) else None
                parent[key] = json.loads(json.dumps(source))
            case _:
                value = parent[key]
                if isinstance(value, str):
                    parent[key] = mutate_text(value, rng)
                elif isinstance(value, (int, float)):
                    parent[key] = rng.choice(
                        (-value, value * 1e300, str(value), value + 0.5, f"{value} kg", f"${{{value}}}")
                    )
    return data


def _has(source, part) -> bool:
    return part in source if isinstance(source, dict) else isinstance(part, int) and part < len(source)


SHIPPED = (".yaml", ".msh", ".safetensors", ".csv", ".h5", ".vtkhdf", ".frd", ".mtx")
"""Endings of decks and of what they name."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder laid out like the repository's, so that relative includes and meshes are found."""
    root = tmp_path_factory.mktemp("fuzz")
    for path in sorted((ROOT / "input_decks").rglob("*")):
        target = root / path.relative_to(ROOT)
        if path.is_file() and path.suffix in SHIPPED:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    return root


def home(folder: Path, deck: Path) -> Path:
    """Return where a mutation of a deck is written."""
    inside = folder / deck.relative_to(ROOT).parent if deck.is_relative_to(ROOT / "input_decks") else folder
    return inside / "mutated.yaml"


# The template for Gmsh meshes waits for the user's mesh.
@pytest.mark.parametrize("deck", [d for d in DECKS if d.stem != "gmsh"], ids=lambda p: p.stem)
def test_shipped_decks_are_good(deck, folder):
    assert judge(_copy(deck, folder))


def _copy(deck: Path, folder: Path) -> Path:
    path = home(folder, deck)
    path.write_text(deck.read_text())
    return path


@settings(
    max_examples=1100, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(deck=st.sampled_from(DECKS), seed=st.integers(0, 2**32))
def test_mutated_text(folder, deck, seed):
    path = home(folder, deck)
    path.write_text(mutate_text(deck.read_text(), random.Random(seed)), errors="surrogatepass")
    judge(path)


@settings(
    max_examples=1100, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(deck=st.sampled_from(DECKS), seed=st.integers(0, 2**32))
def test_mutated_structure(folder, deck, seed):
    path = home(folder, deck)
    data = mutate_structure(plain(parse(deck.read_text(), "deck", Budget())), random.Random(seed))
    path.write_text(fragment(data) if isinstance(data, dict) and data else json.dumps(data))
    judge(path)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_arbitrary_text(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "arbitrary.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    judge(path)
