"""``include:`` at any mapping: the named files first, the mapping's own keys over them.

Paths are relative to the including file. Mappings merge key by key, except where both sides name
different components (``type``); everything else is replaced. Each value keeps the place it came from.
"""

from __future__ import annotations

from pathlib import Path

from plexus.deck.tree import MAX_DEPTH, Budget, Node, parse, read_text
from plexus.errors import DeckError, Mark, Problem
from plexus.fileformat import shown


def read(
    path: Path, budget: Budget, mark: Mark | None = None, chain: tuple[Path, ...] = (), depth: int = 0
) -> Node:
    """Return the tree of a deck file with all its includes merged.

    Parameters
    ----------
    path
        The file.
    budget
        Limits and the list of problems.
    mark
        The place that names the file; None for the deck itself.
    chain
        The resolved files that are being read, for cycles.
    depth
        How deep in the deck the including mapping stands.

    Raises
    ------
    DeckError
        If the file cannot be read or is not YAML.
    """
    budget.files -= 1
    if budget.files < 0:
        raise DeckError([*budget.problems, Problem(mark, "", "more than 200 included files")])
    try:
        node = parse(read_text(path, mark), shown(str(path), ""), budget)
    except DeckError as error:
        # The deck itself must be readable; a broken include is one problem among others.
        if not chain:
            raise
        budget.problems.extend(p for p in error.problems if p not in budget.problems)
        return Node({}, mark or Mark(str(path), 1, 1))
    return _expand(node, path, budget, (*chain, path.resolve()), depth)


def merge(below: Node, above: Node) -> Node:
    """Return ``above`` laid over ``below``; mappings merge, everything else is replaced."""
    if not (isinstance(below.value, dict) and isinstance(above.value, dict)):
        return above
    # Parameters of one component mean nothing to another, so two components do not mix.
    types = [n.value["type"].value for n in (below, above) if "type" in n.value]
    if len(types) == 2 and types[0] != types[1]:
        return above
    merged = dict(below.value)
    for key, child in above.value.items():
        merged[key] = merge(merged[key], child) if key in merged else child
    return Node(merged, above.mark, above.key_mark)


def _expand(node: Node, path: Path, budget: Budget, chain: tuple[Path, ...], depth: int) -> Node:
    if isinstance(node.value, list):
        node.value = [_expand(child, path, budget, chain, depth + 1) for child in node.value]
    if not isinstance(node.value, dict):
        return node
    # Taken out first: `include` is an instruction and never reaches the validation.
    names = node.value.pop("include", None)
    node.value = {key: _keyed(child, path, budget, chain, depth + 1) for key, child in node.value.items()}
    if names is None:
        return node
    base: Node | None = None
    for item in names.value if isinstance(names.value, list) else [names]:
        part = _included(item, path, budget, chain, depth)
        if part is not None:
            base = part if base is None else merge(base, part)
    if base is None:
        return node
    if not node.value:  # a mapping that only includes stands for the file, whatever the file holds
        return Node(base.value, base.mark, node.key_mark)
    if not isinstance(base.value, dict):
        budget.complain(
            names.mark, "the included file is not a mapping, so keys cannot stand beside `include`"
        )
        return node
    return merge(base, node)


def _keyed(child: Node, path: Path, budget: Budget, chain: tuple[Path, ...], depth: int) -> Node:
    # The value may come from another file, the key stands in this one.
    expanded = _expand(child, path, budget, chain, depth)
    expanded.key_mark = child.key_mark
    return expanded


def _included(item: Node, path: Path, budget: Budget, chain: tuple[Path, ...], depth: int) -> Node | None:
    if not isinstance(item.value, str) or not item.value:
        budget.complain(item.mark, "`include` takes a file name or a list of file names")
        return None
    target = path.parent / item.value
    try:
        resolved = target.resolve()
    except (OSError, ValueError, RuntimeError):  # NUL characters, loops of links
        budget.complain(item.mark, f"cannot read {item.value!r}")
        return None
    if resolved in chain:
        budget.complain(
            item.mark, f"include cycle: {item.value!r} includes itself, directly or through other files"
        )
        return None
    if len(chain) + depth > MAX_DEPTH:
        budget.complain(item.mark, f"includes nest deeper than {MAX_DEPTH} levels")
        return None
    return read(target, budget, item.mark, chain, depth)
