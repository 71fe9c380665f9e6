"""Reading a deck: file and overrides to a validated `Deck`, or all problems at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from plexus.deck import include, override
from plexus.deck.params import Params
from plexus.deck.schema import Deck
from plexus.deck.substitute import substitute
from plexus.deck.tree import Budget, Node
from plexus.errors import DeckError, Mark, Problem

__all__ = ["Deck", "load", "read_block"]

Block = TypeVar("Block", bound=Params)
_CHARACTER = re.compile(r", at character (\d+) of ")
"""How a message tells its place inside an expression."""


def load(path: str | Path, overrides: Sequence[str] = ()) -> Deck:
    """Return the validated deck.

    Parameters
    ----------
    path
        The deck's file.
    overrides
        Texts ``a.b.c=value`` that replace or add values.

    Raises
    ------
    DeckError
        With every problem of the deck and of the files it includes, each at its place.
    """
    path, budget = Path(path), Budget()
    root = include.read(path, budget)
    if not isinstance(root.value, dict):
        raise DeckError([*budget.problems, Problem(root.mark, "", "a deck is a mapping of keys to values")])
    override.apply(root, list(overrides), budget)
    substitute(root, budget)
    origins = {name: str(node.mark) for name, node in _leaves(root)}
    plain = {"data": _plain(root), "path": str(path), "origins": origins, "overrides": list(overrides)}
    try:
        deck = Deck.from_plain(plain)
    except ValidationError as error:
        # A value that could not be read is null by now; that it is null is not news.
        reported: set[Mark | None] = {*budget.silent, *(p.mark for p in budget.problems)}
        budget.problems += _located(error, root, reported)
    if budget.problems:
        raise DeckError(sorted(dict.fromkeys(budget.problems), key=_order(path)))
    return deck


def read_block(path: Path, model: type[Block]) -> Block:
    """Return a file that holds one block, e.g. a machine's profile, under the rules for decks.

    Raises
    ------
    DeckError
        With every problem of the file, each at its place.
    """
    budget = Budget()
    root = include.read(path, budget)
    block = None
    try:
        block = model.model_validate(_plain(root))
    except ValidationError as error:
        budget.problems += _located(error, root, {*budget.silent, *(p.mark for p in budget.problems)})
    if block is None or budget.problems:
        raise DeckError(sorted(dict.fromkeys(budget.problems), key=_order(path)))
    return block


def _plain(node: Node) -> Any:
    match node.value:
        case dict():
            return {key: _plain(child) for key, child in node.value.items()}
        case list():
            return [_plain(child) for child in node.value]
    return node.value


def _leaves(node: Node, path: str = "") -> list[tuple[str, Node]]:
    match node.value:
        case dict():
            return [pair for k, c in node.value.items() for pair in _leaves(c, f"{path}.{k}".lstrip("."))]
        case list():
            return [pair for i, c in enumerate(node.value) for pair in _leaves(c, f"{path}[{i}]")]
    return [(path, node)]


def _located(error: ValidationError, root: Node, reported: set[Mark | None]) -> list[Problem]:
    """Return the problems of a validation, several at one place joined, reported places left out."""
    texts: dict[tuple[Mark, str], list[str]] = {}
    for item in error.errors(include_url=False):
        mark, path = _place(root, item["loc"], str(item["msg"]))
        if mark not in reported:
            texts.setdefault((mark, path), []).append(str(item["msg"]))
    found = [Problem(mark, path, _joined(t)) for (mark, path), t in texts.items()]
    above = {p for problem in found for p in _parents(problem.path)}
    # "expected a number" about a list is the other branch of a union where the list's items are wrong.
    # A place inside a text is told by one branch only.
    above |= {problem.path for problem in found if _CHARACTER.search(problem.message)}
    return [p for p in found if not (p.path in above and p.message.startswith("expected"))]


def _parents(path: str) -> list[str]:
    return [path[: m.start()] for m in re.finditer(r"[.\[]", path)]


def _joined(texts: list[str]) -> str:
    """Return the messages of all branches of a union as one; the more specific ones if there are any."""
    # A union reports each of its branches; "expected a list" is no help beside "unknown unit".
    distinct = list(dict.fromkeys(texts))
    specific = [t for t in distinct if not t.startswith("expected")]
    return " or ".join(specific) or "expected " + " or ".join(t.removeprefix("expected ") for t in distinct)


def _place(root: Node, loc: tuple[int | str, ...], text: str) -> tuple[Mark, str]:
    """Return mark and deck path of a location; parts that the deck does not have are union branches."""
    here, path = root, ""
    for i, part in enumerate(loc):
        value = here.value
        # Branch names of unions, and groups that the model made itself, are not in the deck: skipped.
        child = None
        if isinstance(value, dict):
            child = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            child = value[part]
        if child is None:
            if i == len(loc) - 1 and text.startswith("required but missing"):
                path = f"{path}.{part}".lstrip(".")
            continue
        path = f"{path}[{part}]" if isinstance(value, list) else f"{path}.{part}".lstrip(".")
        here = child
    if (inside := _CHARACTER.search(text)) and here.before is not None:
        shift = here.before + int(inside[1]) - 1
        return Mark(here.mark.file, here.mark.line, here.mark.column + shift), path
    # Complaints about a name point at the key, complaints about a value at the value.
    at_key = text.startswith(("unknown key", "unknown field or", "this physics does not", "no unknown"))
    return (here.key_mark if at_key and here.key_mark else here.mark), path


def _order(path: Path) -> Any:
    def key(problem: Problem) -> tuple[Any, ...]:
        mark = problem.mark
        return (
            # The deck's own lines first, then other files, each from top to bottom.
            mark is None,
            mark and mark.file != str(path),
            mark and mark.file,
            mark and mark.line,
            mark and mark.column,
        )

    return key
