"""A deck's text as a tree of nodes, each of which knows its place.

PyYAML's event parser (libyaml where it is there) is used, and the tree is built without recursion, so
that no text can exhaust the stack. Scalars follow the YAML 1.2 core schema: ``no`` and ``12:30:00`` are
text, ``1e-3`` and ``0o17`` are numbers. Tags, merge keys, duplicate keys and several documents are
refused; anchors and aliases are allowed while the expanded deck stays below `Budget.values`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from plexus.errors import DeckError, Mark, Problem
from plexus.fileformat import special

MAX_DEPTH = 40
MAX_BYTES = 8_000_000
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# YAML 1.2 core: only these words are null and truth; yes, no, on and off are text.
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {w: w[0] in "tT" for w in ("true", "True", "TRUE", "false", "False", "FALSE")}
# Only the parser of this loader is used; no tag is ever resolved and no object constructed.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Scalar = str | int | float | bool | None


@dataclass
class Node:
    """A value with the place of the value and, inside a mapping, of its key.

    ``value`` is a dict of nodes, a list of nodes, or a scalar.
    """

    value: Any
    mark: Mark
    key_mark: Mark | None = None
    before: int | None = None
    """Characters between mark and text, 1 for a quote; None where the file has another text."""


@dataclass
class Budget:
    """Limits on one deck with everything that it includes."""

    values: int = 100_000
    files: int = 200
    problems: list[Problem] = field(default_factory=list)
    silent: set[Mark] = field(default_factory=set)
    """Places whose value is missing because another value is wrong: no further message about them."""

    def complain(self, mark: Mark | None, message: str, path: str = "") -> None:
        """Note a problem and go on, so that all problems are reported at once."""
        self.problems.append(Problem(mark, path, message))

    def spend(self, mark: Mark) -> None:
        """Count one value.

        Raises
        ------
        DeckError
            If the deck has too many values, e.g. through nested aliases.
        """
        self.values -= 1
        if self.values < 0:
            raise DeckError(
                [*self.problems, Problem(mark, "", "the deck expands to more than 100000 values")]
            )


def scalar(text: str) -> Scalar:
    """Return the value of a plain scalar by the YAML 1.2 core schema."""
    if text in _WORDS:
        return _WORDS[text]
    # No double has that many digits; Python would convert the integer in quadratic time.
    if len(text) > 400:
        return text
    if _INT.fullmatch(text):
        # Octal is 0o17; 017 is seventeen, as YAML 1.2 has it and YAML 1.1 had not.
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if text.lower() in (".inf", "+.inf", "-.inf"):
        return -math.inf if text[0] == "-" else math.inf
    return math.nan if text.lower() == ".nan" else text


def read_text(path: Path, mark: Mark | None) -> str:
    """Return the text of a deck file.

    Raises
    ------
    DeckError
        If the file cannot be read, is too large or is not UTF-8; at ``mark``, the place that named it.
    """
    try:
        what = special(path)
        # whoever starts the run may hand a pipe over; a deck that names one, or a device, is not followed
        if what == "a folder" or (what and mark):
            raise DeckError([Problem(mark, "", f"{path} is {what}, not a deck")])
        with path.open("rb") as file:
            # what calls itself empty, in /proc, may never end
            most = 0 if mark and not path.stat().st_size else MAX_BYTES + 1
            data = file.read(most)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DeckError([Problem(mark, "", f"cannot read {path}: {reason}")]) from error
    if len(data) > MAX_BYTES:
        raise DeckError([Problem(mark, "", f"{path} is larger than {MAX_BYTES} bytes: not a deck")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The place is counted in bytes of the line, the best that can be said of undecodable text.
        before = data[: error.start]
        place = Mark(str(path), before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise DeckError([Problem(place, "", "the file is not UTF-8 text")]) from error


def parse(text: str, file: str, budget: Budget) -> Node:
    """Return the tree of one YAML document.

    Raises
    ------
    DeckError
        If the text is not YAML at all; smaller problems are noted in ``budget``.
    """
    builder = _Builder(file, budget)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(file, place.line + 1, place.column + 1) if place else None
        raise DeckError([*budget.problems, Problem(mark, "", f"not YAML: {_explain(error)}")]) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        mark = Mark(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise DeckError([*budget.problems, Problem(mark, "", "not YAML: unprintable character")]) from error
    return builder.root or Node({}, Mark(file, 1, 1))


def _explain(error: yaml.MarkedYAMLError) -> str:
    text = ", ".join(part for part in (error.context, error.problem) if part)
    hint = {
        "found character that cannot start any token": "; a tab, '@' or '`' cannot start a value, quote it",
        "mapping values are not allowed": "; quote a text that contains ': '",
        "did not find expected key": "; look at the indentation",
    }
    return text + next((h for k, h in hint.items() if k in text), "")


def _before(event: Any) -> int | None:
    """Return the characters before a scalar's text if it stands in the file as it is read, on one line."""
    before = int(event.style in ("'", '"'))
    start, end = event.start_mark, event.end_mark
    same = start.line == end.line and end.column - start.column == len(event.value) + 2 * before
    return before if same else None


@dataclass
class _Open:
    """A container that is being read; ``key`` waits for its value."""

    node: Node
    anchor: str | None
    key: tuple[str, Mark] | None = None
    skip: bool = False


class _Builder:
    """Turns parser events into nodes with an explicit stack."""

    def __init__(self, file: str, budget: Budget):
        self.file, self.budget = file, budget
        self.root: Node | None = None
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node] = {}
        self.documents = 0

    def take(self, event: Any) -> None:
        # YAML counts from 0, editors from 1.
        mark = Mark(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
        match event:
            case yaml.ScalarEvent():
                self._tag(event, mark)
                self._scalar(event, mark)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._tag(event, mark)
                self._open({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor, mark)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                done = self.stack.pop()
                # Known only once it is complete, so an alias inside its own anchor finds nothing: no cycles.
                if done.anchor:
                    self.anchors[done.anchor] = done.node
            case yaml.AliasEvent():
                self._alias(str(event.anchor), mark)
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise DeckError([*self.budget.problems, Problem(mark, "", "a deck is one YAML document")])

    def _tag(self, event: Any, mark: Mark) -> None:
        # A lone `!` means text and names nothing.
        if event.tag not in (None, "!"):
            self.budget.complain(mark, f"YAML tags such as {event.tag[:40]!r} are not allowed in a deck")

    def _open(self, value: Any, anchor: str | None, mark: Mark) -> None:
        self._limit(len(self.stack), mark)
        node = Node(value, mark)
        if self._wants_key():
            self.budget.complain(mark, "a key must be text, not a mapping or a list")
            self.stack[-1].key, self.stack[-1].skip = ("", mark), True
            self.stack.append(_Open(node, anchor))  # its content is read and dropped
            return
        self._put(node)
        self.stack.append(_Open(node, anchor))

    def _limit(self, depth: int, mark: Mark) -> None:
        if depth >= MAX_DEPTH:
            raise DeckError(
                [*self.budget.problems, Problem(mark, "", f"nested deeper than {MAX_DEPTH} levels")]
            )

    def _wants_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].node.value, dict) and self.stack[-1].key is None

    def _scalar(self, event: Any, mark: Mark) -> None:
        if self._wants_key():
            return self._key(event.value, mark)
        # Quoted and block scalars are text whatever they look like.
        plain = event.style in (None, "") and event.tag is None
        node = Node(scalar(event.value) if plain else event.value, mark, before=_before(event))
        if event.anchor:
            self.anchors[event.anchor] = node
        return self._put(node)

    def _key(self, text: str, mark: Mark) -> None:
        top = self.stack[-1]
        top.key, top.skip = (text, mark), True
        if text in top.node.value:
            first = top.node.value[text].key_mark
            self.budget.complain(mark, f"duplicate key {text!r}, first at {first}")
        elif text == "<<":
            self.budget.complain(mark, "merge keys '<<' are not allowed; use `include:` or repeat the keys")
        else:
            top.skip = False

    def _alias(self, name: str, mark: Mark) -> None:
        node = self.anchors.get(name)
        if node is None:
            self.budget.complain(mark, f"alias *{name}: no complete anchor &{name} before it")
            node = Node(None, mark)
        elif self._wants_key():
            # An alias may stand for a key too; a container's text is empty and refused as any other key.
            return self._key(str(node.value) if not isinstance(node.value, (dict, list)) else "", mark)
        return self._put(self._copy(node, len(self.stack)))

    def _copy(self, node: Node, depth: int) -> Node:
        """Return a deep copy whose size is charged to the budget, which bounds nested aliases."""
        self.budget.spend(node.mark)
        self._limit(depth, node.mark)
        match node.value:
            case dict():
                value: Any = {}
                for key, child in node.value.items():
                    value[key] = self._copy(child, depth + 1)
                    value[key].key_mark = child.key_mark
            case list():
                value = [self._copy(child, depth + 1) for child in node.value]
            case _:
                value = node.value
        return Node(value, node.mark)

    def _put(self, node: Node) -> None:
        self.budget.spend(node.mark)
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif top.key is not None:
            key, node.key_mark = top.key
            if not top.skip:
                top.node.value[key] = node
            top.key, top.skip = None, False
