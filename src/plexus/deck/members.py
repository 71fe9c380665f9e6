"""Members of a sweep: their values, their resolved decks, and what is wrong with them.

A member's deck is the sweep's deck with the member's values put in before references are resolved, so that
``${load}`` follows a varied ``parameters.load``. It has no block `sweep` of its own.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from plexus.deck.effective import to_data
from plexus.deck.load import Deck, load
from plexus.deck.override import SOURCE, split
from plexus.deck.strategies import Point, points
from plexus.deck.suggest import nearest
from plexus.deck.sweep import DRAWS
from plexus.deck.units import split_quantity
from plexus.errors import DeckError, InputError, Mark, Problem
from plexus.fileformat import MEMBER

SEED = "runtime.seed"


@dataclass(frozen=True)
class Member:
    """One run of a sweep.

    Attributes
    ----------
    index : number from 0.
    values : deck path -> value, as the deck would have it.
    ranks : number of MPI ranks, None where the sweep does not vary it.
    """

    index: int
    values: Point = field(default_factory=dict)
    ranks: int | None = None

    @property
    def name(self) -> str:
        """Name of the member's folder."""
        return MEMBER.format(index=self.index)

    def overrides(self) -> list[str]:
        """Return the values as ``-s`` texts."""
        # JSON is YAML, and its quotes keep text from being taken for something else
        return [f"{path}={json.dumps(value)}" for path, value in self.values.items()]

    def words(self) -> str:
        """Return the values as a person would name them."""
        ranks = [f"{self.ranks} rank{'s' * (self.ranks > 1)}"] if self.ranks else []
        return ", ".join([*(f"{p} = {brief(v)}" for p, v in self.values.items()), *ranks])


def brief(value: Any) -> str:
    """Return a value on a table's or message's few characters."""
    parts = split_quantity(value) if isinstance(value, str) else None
    if parts:
        text = f"{parts[0]:.6g} {parts[1]}".rstrip()
    elif isinstance(value, float):
        text = f"{value:.6g}"
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."


def expand(deck: Deck) -> list[Member]:
    """Return all members of a deck's sweep: points, each with every seed, each on every number of ranks.

    Raises
    ------
    InputError
        If the deck has no sweep.
    """
    sweep = deck.sweep
    if sweep is None:
        raise InputError(f"{deck.path}: no block `sweep`; see `plexus explain sweep`")
    seeds: list[Point] = [{SEED: seed} for seed in sweep.seed_list()] or [{}]
    found: list[Point] = points(sweep)
    ranks: Sequence[int | None] = sweep.ranks or (None,)
    if sweep.mode == "zip" and sweep.parameters and sweep.ranks:
        pairs = list(zip(found, ranks, strict=True))
    else:
        pairs = list(itertools.product(found, ranks))
    triples = ((point | seed, n) for point, n in pairs for seed in seeds)
    return [Member(i, values, n) for i, (values, n) in enumerate(triples)]


def resolve(deck: Deck, member: Member) -> Deck:
    """Return the deck of one member, read again from its file.

    Raises
    ------
    DeckError
        If the values do not make a valid deck.
    """
    made = load(deck.path, [*deck.overrides, *member.overrides()])
    # what is done with all members is nothing that one of them does
    apart: dict[str, Any] = {"sweep": None, "campaign": None}
    if getattr(made.reduce, "draws", None) is not None:
        apart["reduce"] = None
    return made.model_copy(update=apart)


def check(deck: Deck) -> list[Member]:
    """Return the members after checking that every varied path exists and every member's deck is valid.

    Raises
    ------
    DeckError
        With every problem once: at the place of the value that causes it, and with the members it concerns.
    """
    members = expand(deck)
    problems = list(_unknown_paths(deck, members))
    if not problems:
        problems = _invalid(deck, members)
    if problems:
        raise DeckError(problems)
    return members


def _unknown_paths(deck: Deck, members: Sequence[Member]) -> Iterator[Problem]:
    """Yield a problem per varied path that neither the deck nor its defaults have."""
    # as written, e.g. displacement_x on a boundary, and complete, e.g. defaults and short forms
    trees = (deck.plain()["data"], to_data(deck))
    for path in dict.fromkeys(p for m in members for p in m.values):
        missing = [_missing(tree, split(path)) for tree in trees]
        if all(missing) and path != SEED:
            at, valid = max((m for m in missing if m), key=lambda m: len(m[0]))
            hint = nearest(at, valid, 0) or "; write one down, for the members to replace"
            text = f"the deck has no value {at!r}{hint}"
            yield Problem(place(deck, path), f"sweep: {path}", text)


def _missing(tree: Any, parts: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the first part of a path that a tree lacks and the paths that are there; None if it has all."""
    here, known = tree, ""
    for part in parts:
        if isinstance(here, dict):
            names = {str(key): f"{known}.{key}".lstrip(".") for key in here}
        else:
            names = {str(i): f"{known}[{i}]" for i in range(len(here))} if isinstance(here, list) else {}
        if part not in names:
            lacking = f"{known}[{part}]" if isinstance(here, list) else f"{known}.{part}".lstrip(".")
            return lacking, list(names.values())
        here, known = here[part] if isinstance(here, dict) else here[int(part)], names[part]
    return None


def _invalid(deck: Deck, members: Sequence[Member]) -> list[Problem]:
    """Return what is wrong with the members' decks, each problem once with the members that have it."""
    found: dict[tuple[Mark | None, str, str, str], list[Member]] = {}
    # draws differ in nothing that a deck could be wrong about
    told = members[:1] if deck.sweep and deck.sweep.mode == DRAWS else members
    for member in told:
        try:
            resolve(deck, member)
        except DeckError as error:
            for problem in error.problems:
                mark, value = _cause(deck, member, problem)
                found.setdefault((mark, problem.path, value, problem.message), []).append(member)
    return [
        # without a value to blame, the first member with this problem tells all of its values
        Problem(mark, path, f"with {value or guilty[0].words()} ({_who(guilty)}): {text}")
        for (mark, path, value, text), guilty in found.items()
    ]


def _cause(deck: Deck, member: Member, problem: Problem) -> tuple[Mark | None, str]:
    """Return the place in the deck, and in words the varied value, that a problem of a member is about."""
    given, mark = len(deck.overrides), problem.mark
    if mark is not None and mark.file == SOURCE and mark.line > given:
        path, value = list(member.values.items())[mark.line - given - 1]
        return place(deck, path, value), f"{path} = {brief(value)}"
    return mark, ""


def _who(guilty: Sequence[Member]) -> str:
    return f"member {guilty[0].index}" + (f" and {len(guilty) - 1} more" if len(guilty) > 1 else "")


def place(deck: Deck, path: str, value: Any = None) -> Mark | None:
    """Return where the sweep's block gives a value to a path; None if it cannot be told."""
    sweep, block = deck.sweep, f"sweep.parameters.{path}"
    axis = sweep.parameters.get(path) if sweep else None
    number = axis.index(value) if isinstance(axis, tuple) and value in axis else 0
    names = [f"{block}[{number}]", block, "sweep.members", "sweep.seeds"]
    found = next((o for n in names for p, o in deck.origins.items() if p == n or _below(p, n)), "")
    file, _, rest = found.rpartition(":")[0].rpartition(":")
    column = found.rpartition(":")[2]
    return Mark(file, int(rest), int(column)) if rest.isdecimal() and column.isdecimal() else None


def _below(path: str, above: str) -> bool:
    return path.startswith((above + ".", above + "["))
