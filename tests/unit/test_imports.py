"""No module needs itself: no circle of imports when the program runs, those inside functions included."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "plexus": ROOT / "src/plexus",
    "plexus_kernels": ROOT / "kernels/plexus_kernels",
    "plexus_post": ROOT / "postprocess/plexus_post",
}
KNOWN: dict[frozenset[str], str] = {
    frozenset({"plexus.deck.expressions", "plexus.deck.property", "plexus.deck.values"}): (
        "pydantic asks a value's class how to read it, and the reader makes objects of that class"
    ),
    frozenset({"plexus.deck.params", "plexus.deck.slots"}): (
        "a block may hold blocks: the model of a slot asks for the models of its members, which are models"
    ),
}
"""Circles that are harmless, each with its reason; this list may only become shorter."""


@cache
def modules() -> dict[str, Path]:
    """Return all modules by their names."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text())


def at_run_time(node: ast.AST):
    """Yield all nodes that are executed, which those behind `if TYPE_CHECKING` are not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from (n for other in child.orelse for n in (other, *at_run_time(other)))
        else:
            yield child
            yield from at_run_time(child)


def imported(name: str) -> set[str]:
    """Return the modules of ours that a module imports when it is loaded or when its functions run."""
    found = set()
    for node in at_run_time(tree(name)):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name}: imports are absolute"
            inside = {f"{node.module}.{a.name}" for a in node.names}
            # a name of a package that is a module is that module; others stand in the package itself
            submodules = inside & modules().keys()
            found |= submodules
            if len(submodules) < len(inside):
                found.add(node.module)
    return (found & modules().keys()) - {name}


@cache
def graph() -> dict[str, set[str]]:
    return {name: imported(name) for name in modules()}


def circles() -> list[frozenset[str]]:
    """Return the strongly connected sets of modules, by Tarjan's algorithm."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[frozenset[str]] = []

    def visit(name: str) -> None:
        number[name] = low[name] = len(number)
        stack.append(name)
        for other in graph()[name]:
            if other not in number:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == number[name]:
            group = [stack.pop()]
            while group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(frozenset(group))

    for name in graph():
        if name not in number:
            visit(name)
    return found


def test_imports_inside_functions_are_seen():
    assert "plexus.discretisations._elements" in graph()["plexus.discretisations.elements"]
    assert "plexus.run.run" not in graph()["plexus.quantities.base"]


def test_no_module_needs_itself():
    """A circle that is new is told; one that is gone has to leave the list, so that it stays gone."""
    found = {tuple(sorted(c)) for c in circles()}
    known = {tuple(sorted(c)) for c in KNOWN}
    assert all(len(why) > 20 for why in KNOWN.values()) and len(KNOWN) <= 2
    assert found == known, f"new: {sorted(found - known)}; gone: {sorted(known - found)}"


def test_packages_load_without_circles():
    """What `import` alone runs: a circle there fails or works by luck, depending on who comes first."""
    eager = {name: {m for m in imports if _eager(name, m)} for name, imports in graph().items()}
    seen: dict[str, int] = {}

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in seen:
            for other in eager[name]:
                visit(other, (*way, name))
            seen[name] = 1

    for name in eager:
        visit(name, ())


def _eager(name: str, other: str) -> bool:
    """Return whether an import stands outside functions."""
    for node in tree(name).body:
        named = ast.unparse(node) if isinstance(node, ast.Import | ast.ImportFrom) else ""
        package, _, last = other.rpartition(".")
        if re.match(rf"(from {re.escape(other)} |import {re.escape(other)}$)", named):
            return True
        if named.startswith(f"from {package} ") and re.search(rf"\b{last}\b", named.partition("import")[2]):
            return True
    return False


@pytest.mark.parametrize("word", ["spectral", "elements"])
def test_no_discretisation_is_named_but_where_it_is_declared(word):
    """Whoever asks for one by name, in a comparison or a table, has to be edited for the next one."""
    found = []
    for name in modules():
        if not name.startswith("plexus."):
            continue
        for node in at_run_time(tree(name)):
            strings = [
                n for n in ast.iter_child_nodes(node) if isinstance(n, ast.Constant) and n.value == word
            ]
            if strings and not _declares(node):
                found.append(f"{name}:{strings[0].lineno} {ast.unparse(node)[:80]}")
    assert found == []


def _declares(node: ast.AST) -> bool:
    """Return whether a node says what a member is: its registration, its example, a physics' attribute."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) == "register"
    if isinstance(node, ast.Dict):
        return [ast.literal_eval(k) for k in node.keys if k is not None] == ["type"]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        return ast.unparse(target) in ("discretisation", "USUAL")
    return False


def test_runs_are_typed():
    """Who is given a run says so; anything else hides what it asks of it."""
    found = [
        f"{name}:{arg.lineno}"
        for name in modules()
        for node in ast.walk(tree(name))
        if isinstance(node, ast.arguments)
        for arg in (*node.posonlyargs, *node.args, *node.kwonlyargs)
        if arg.arg == "run" and name.startswith("plexus.") and _untyped(arg)
    ]
    assert found == []


def _untyped(arg: ast.arg) -> bool:
    return arg.annotation is None or ast.unparse(arg.annotation) == "Any"
