"""``-s a.b.c=value``: values from the command line laid over the deck's tree."""

from __future__ import annotations

import re
from typing import Any

from plexus.deck.tree import MAX_DEPTH, Budget, Node, parse
from plexus.errors import DeckError, Mark, Problem

SOURCE = "command line"
_PATH = re.compile(r"[^.\[\]=\s]+(\[\d{1,6}\]|\.[^.\[\]=\s]+)*")


def apply(root: Node, overrides: list[str], budget: Budget) -> None:
    """Write each ``path=value`` into the tree, in order; the n-th one has line n of "command line".

    A path is keys and list indices joined by dots (``output.0.every`` or ``output[0].every``). Missing
    mappings are made; an index equal to the length of a list appends. A component in short form
    (``preconditioner: gamg``) becomes ``{type: gamg}`` when one of its parameters is set.
    """
    for number, text in enumerate(overrides, start=1):
        path, sign, value = text.partition("=")
        parts = split(path)
        # Column of the value, counted from the start of the option's text.
        mark = Mark(SOURCE, number, len(path) + 2)
        if not sign or not parts:
            budget.complain(Mark(SOURCE, number, 1), f"-s {text!r}: expected path=value, e.g. time.end=3")
            continue
        try:
            node = parse(value, SOURCE, budget)
        except DeckError as error:
            budget.problems.append(Problem(mark, path, error.problems[-1].message))
            continue
        _relocate(node if value.strip() else Node(None, mark), mark)
        _place(root, parts, node if value.strip() else Node(None, mark), budget, mark)


def split(path: str) -> list[str]:
    """Return the keys and indices of a path such as ``output[0].every``; empty if it is not a path."""
    parts = path.strip().replace("[", ".").replace("]", "").split(".")
    return parts if _PATH.fullmatch(path.strip()) and len(parts) <= MAX_DEPTH else []


def _relocate(node: Node, mark: Mark) -> None:
    """Give every value of an override the place of the override."""
    node.mark, children = mark, node.value
    nested = children.values() if isinstance(children, dict) else children
    for child in nested if isinstance(children, (dict, list)) else ():
        _relocate(child, mark)
        child.key_mark = mark


def _place(root: Node, parts: list[str], value: Node, budget: Budget, mark: Mark) -> None:
    value.key_mark = mark
    here = root
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        path = ".".join(parts[: depth + 1])
        # The short form of a component has no parts; as a mapping it has.
        if isinstance(here.value, str) and depth:
            here.value = {"type": Node(here.value, here.mark, here.mark)}
        if here.value is None:
            here.value = {}
        key: Any = part
        if isinstance(here.value, list):
            if not (part.isdecimal() and len(part) < 7) or int(part) > len(here.value):
                budget.complain(mark, f"expected an index from 0 to {len(here.value)}", path)
                return
            key = int(part)
            # One past the end appends; anything further away would leave holes.
            if key == len(here.value):
                here.value.append(Node(None, mark))
        elif not isinstance(here.value, dict):
            budget.complain(mark, f"{here.value!r} has no parts that could be set", path)
            return
        if last:
            here.value[key] = value
        else:
            if isinstance(here.value, dict) and key not in here.value:
                here.value[key] = Node({}, mark, mark)
            here = here.value[key]
