"""The house rules that can be counted: sizes, comments, documentation, forbidden calls."""

import ast
import io
import re
import statistics
import tokenize
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "kernels", "postprocess")
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
FORBIDDEN_CALLS = {"eval", "exec", "yaml.load", "torch.load", "torch.save", "os.system", "os.popen"}


@cache
def sources() -> dict[str, str]:
    """Path relative to the root -> text, of every source file."""
    files = [p for folder in FOLDERS for p in sorted((ROOT / folder).rglob("*.py"))]
    return {str(p.relative_to(ROOT)): p.read_text() for p in files}


@cache
def trees() -> dict[str, ast.Module]:
    """Path -> syntax tree."""
    return {path: ast.parse(text) for path, text in sources().items()}


def functions() -> dict[str, int]:
    """Place and name -> number of lines of every function."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        f"{path}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    }


def quantile(values: list[int], share: float) -> int:
    """Return the value below which a share of all values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def test_files_are_short():
    lengths = {p: len(t.splitlines()) for p, t in sources().items() if not p.endswith("__init__.py")}
    assert {p: n for p, n in lengths.items() if n > 600} == {}
    assert statistics.median(lengths.values()) <= 150
    assert quantile(list(lengths.values()), 0.9) <= 400


def test_functions_are_short():
    lengths = functions()
    assert {p: n for p, n in lengths.items() if n > 60} == {}
    assert statistics.median(lengths.values()) <= 12


def test_comments_are_neither_missing_nor_everywhere():
    """3 to 12 % of the lines; the texts below constants and fields count as comments too."""
    comments = lines = 0
    for text in sources().values():
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        comments += sum(t.type == tokenize.COMMENT for t in tokens)
        lines += sum(bool(line.strip()) for line in text.splitlines())
    comments += sum(_attribute_texts(tree) for tree in trees().values())
    assert 0.03 <= comments / lines <= 0.12, f"{comments / lines:.1%}"


def _attribute_texts(tree: ast.Module) -> int:
    """Return the lines of text below assignments."""
    count = 0
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for before, after in pairwise(body if isinstance(body, list) else []):
            named = isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr)
            if named and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
                count += after.end_lineno - after.lineno + 1
    return count


def test_every_public_name_is_documented():
    missing = []
    for path, tree in trees().items():
        if ast.get_docstring(tree) is None and sources()[path].strip():
            missing.append(path)
        missing += [
            f"{path}:{node.lineno} {node.name}" for node in _public(tree) if ast.get_docstring(node) is None
        ]
    assert missing == []


def _public(node: ast.AST) -> list[ast.ClassDef | ast.FunctionDef]:
    """Return public classes and functions of a module, and public methods of its public classes."""
    found = []
    for child in getattr(node, "body", []):
        if isinstance(child, ast.ClassDef | ast.FunctionDef) and not child.name.startswith("_"):
            found.append(child)
            if isinstance(child, ast.ClassDef):
                found += _public(child)
    return found


def test_nothing_executes_text_or_unpickles():
    found = []
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {a.name.split(".")[0] for a in node.names} | {
                    (getattr(node, "module", "") or "").split(".")[0]
                }
                found += [f"{path}:{node.lineno} imports {n}" for n in names & FORBIDDEN_IMPORTS]
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                shell = any(k.arg == "shell" and ast.unparse(k.value) != "False" for k in node.keywords)
                pickle = any(
                    k.arg == "allow_pickle" and ast.unparse(k.value) != "False" for k in node.keywords
                )
                if name in FORBIDDEN_CALLS or shell or pickle:
                    found.append(f"{path}:{node.lineno} {ast.unparse(node)[:60]}")
    assert found == []


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_left_for_later(word):
    assert [p for p, t in sources().items() if re.search(rf"\b{word}\b", t)] == []


def test_post_processing_and_kernels_stand_alone():
    """plexus_post may know plexus.fileformat only, plexus_kernels nothing of plexus."""
    allowed = {"postprocess": {"plexus.fileformat"}, "kernels": set()}
    for folder, names in allowed.items():
        for path, tree in trees().items():
            if not path.startswith(folder):
                continue
            for node in ast.walk(tree):
                modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                known = {m for m in modules if m == "plexus" or m.startswith("plexus.")}
                assert known <= names, f"{path}:{node.lineno}"


def test_test_modules_have_names_of_their_own():
    """Pytest imports test modules by their file names."""
    names = [p.name for p in (ROOT / "tests").rglob("*.py") if p.name not in ("conftest.py", "__init__.py")]
    assert sorted(names) == sorted(set(names))
