"""``${...}``: arithmetic over numbers and references to other values of the deck.

A bare name is looked up among the ``parameters``, then at the root; ``a.b[0]`` walks from the root. A
value that is one ``${...}`` keeps its type (whole numbers stay whole); inside longer text it is written
out. Quantities such as ``2 m`` count as their SI value in arithmetic, whose result has its unit, too; they
keep their text when they are referenced alone, in brackets where an expression goes on around them.
Only scalars can be referenced.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from plexus.deck import functions
from plexus.deck.dimensions import Meaning, meaning
from plexus.deck.suggest import nearest
from plexus.deck.syntax import ExpressionError, parse
from plexus.deck.tree import Budget, Node
from plexus.deck.unitnames import spelled
from plexus.deck.units import Quantity, UnitError, parse_unit, split_quantity

MAX_CHAIN, MAX_TEXT, EXACT = 50, 4000, 2**53
_MARK = re.compile(r"\$\{([^{}]*)\}")
_OPERATORS: dict[type[ast.AST], Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Mod: operator.mod, ast.FloorDiv: operator.floordiv, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_OPERATOR = "+-*/^(),<>="
_EXTRA = (ast.Attribute, ast.Subscript)


class _Broken(Exception):
    """A referenced value is wrong; that has been reported at its own place."""


def substitute(root: Node, budget: Budget) -> None:
    """Replace every ``${...}`` in the tree; problems are noted at the value that contains them.

    Values that only depend on a wrong one are added to ``budget.silent``.
    """
    paths = dict(_texts(root))
    resolver = _Resolver(root, budget, {id(node): path for path, node in paths.items()})
    for node in paths.values():
        with suppress(_Broken):
            resolver.resolve(node)


def _texts(root: Node) -> Iterator[tuple[str, Node]]:
    """Yield deck path and node of every text, in the order of the deck."""
    stack: list[tuple[str, Node]] = [("", root)]
    while stack:
        path, node = stack.pop()
        match node.value:
            case dict():
                stack += reversed([(f"{path}.{key}".lstrip("."), c) for key, c in node.value.items()])
            case list():
                stack += reversed([(f"{path}[{i}]", child) for i, child in enumerate(node.value)])
            case str():
                yield path, node


class _Resolver:
    """Resolves nodes on demand, so that references may point anywhere."""

    def __init__(self, root: Node, budget: Budget, paths: dict[int, str]):
        self.root, self.budget, self.paths = root, budget, paths
        self.open: list[int] = []
        self.broken: set[int] = set()
        given = root.value.get("parameters") if isinstance(root.value, dict) else None
        self.parameters = given.value if given and isinstance(given.value, dict) else {}

    def resolve(self, node: Node) -> Any:
        """Return the value of a scalar node after its own ``${...}`` are replaced.

        Raises
        ------
        _Broken
            If that is impossible; the reason has been noted.
        """
        # Each wrong value is told once, where it stands; what depends on it stays silent.
        if id(node) in self.broken:
            raise _Broken
        text = node.value
        if not isinstance(text, str) or "${" not in text:
            return text
        self.open.append(id(node))
        try:
            if len(self.open) > MAX_CHAIN:
                raise ExpressionError(f"references nest deeper than {MAX_CHAIN}")
            node.value, node.before = self.text(text), None
        except (ExpressionError, UnitError, _Broken) as error:
            self.broken.add(id(node))
            node.value = None
            self.budget.silent.add(node.mark)
            if not isinstance(error, _Broken):
                self.budget.complain(node.mark, str(error), self.paths.get(id(node), ""))
            raise _Broken from None
        finally:
            self.open.pop()
        return node.value

    def text(self, text: str) -> Any:
        whole = _MARK.fullmatch(text.strip())
        if whole:
            return self.value(whole[1])
        result = _MARK.sub(lambda m: self.written(m), text)
        # What is left over was opened and never closed, or holds braces.
        if "${" in result:
            raise ExpressionError(f"{text[:60]!r}: '${{' without its '}}'")
        if len(result) > MAX_TEXT:
            raise ExpressionError(f"the text grows beyond {MAX_TEXT} characters")
        return result

    def written(self, match: re.Match[str]) -> str:
        """Return a value as a longer text has it; a quantity in brackets where it is calculated with."""
        value = self.value(match[1])
        before, after = match.string[: match.start()].rstrip(), match.string[match.end() :].lstrip()
        # in 2*${L}^2 the power is that of the length, not of its millimetres; in a title it is just a text
        reckoned = (not before or before[-1] in _OPERATOR) and (not after or after[0] in _OPERATOR)
        if reckoned and not self.words():
            if isinstance(value, Quantity):
                return f"({float(value)!r} {value.text})"
            if isinstance(value, str) and split_quantity(value):
                return f"({value})"
        return _written(value)

    def words(self) -> bool:
        """Return whether the value that is being replaced is meant for people, or a name."""
        path = self.paths.get(self.open[-1], "") if self.open else ""
        return path.startswith("about.") or path.rpartition(".")[2] in ("name", "description", "source")

    def value(self, source: str) -> Any:
        tree = parse(source, self.means_something, _EXTRA)
        if isinstance(tree, (ast.Name, ast.Attribute, ast.Subscript)):
            return self.reference(tree, source)
        try:
            return self.compute(tree, source)
        except (ArithmeticError, ValueError, TypeError) as error:
            if isinstance(error, (ExpressionError, UnitError)):
                raise
            raise ExpressionError(f"'${{{source}}}' cannot be computed: {error}") from error

    def means_something(self, name: str) -> bool:
        return name in self.parameters or name in self.root.value or name in functions.ARITY

    def reference(self, tree: ast.expr, source: str) -> Any:
        if isinstance(tree, ast.Name) and tree.id in functions.CONSTANTS and tree.id not in self.parameters:
            return functions.CONSTANTS[tree.id]
        node = self.find(tree, source)
        if id(node) in self.open:
            raise ExpressionError(f"'${{{source}}}' refers to itself, directly or through other values")
        if isinstance(node.value, (dict, list)):
            raise ExpressionError(
                f"'${{{source}}}' is a mapping or a list; only single values can be referenced"
            )
        return self.resolve(node)

    def find(self, tree: ast.expr, source: str) -> Node:
        match tree:
            case ast.Name(id=name):
                # Parameters first: ${n} is the short way to write ${parameters.n}.
                here = self.parameters if name in self.parameters else self.root.value
                key: Any = name
            case ast.Attribute(value=inner, attr=attr):
                here, key = self.find(inner, source).value, attr
            case ast.Subscript(value=inner, slice=ast.Constant(value=index)):
                here, key = self.find(inner, source).value, index
            case _:
                raise ExpressionError(f"'${{{source}}}': expected a name such as mesh.size[0]")
        if isinstance(here, dict) and key in here:
            return here[key]
        if isinstance(here, list) and isinstance(key, int) and 0 <= key < len(here):
            return here[key]
        valid = (
            [*here, *(self.parameters if here is self.root.value else ())] if isinstance(here, dict) else []
        )
        raise ExpressionError(
            f"'${{{source}}}': nothing is called {str(key)!r}{nearest(str(key), valid, 12)}"
        )

    def compute(self, tree: ast.expr, source: str) -> Any:
        def visit(node: ast.expr) -> Any:
            match node:
                case ast.Constant(value=value) if isinstance(value, (int, float)) and not isinstance(
                    value, bool
                ):
                    return value
                case ast.Name() | ast.Attribute() | ast.Subscript():
                    found = self.reference(node, source)
                    number = _number(found, source)
                    # what the reference stands for, for the unit of the whole
                    node.quantity = _quantity(found, number)  # type: ignore[union-attr]
                    return number
                case ast.UnaryOp(op=ast.USub(), operand=a):
                    return -visit(a)
                case ast.UnaryOp(op=ast.UAdd(), operand=a):
                    return visit(a)
                case ast.BinOp(left=a, op=ast.Pow(), right=b):
                    return _power(visit(a), visit(b))
                case ast.BinOp(left=a, op=op, right=b):
                    return _exact(_OPERATORS[type(op)](visit(a), visit(b)))
                case ast.Compare(left=a, ops=[op], comparators=[b]):
                    return _OPERATORS[type(op)](visit(a), visit(b))
                case ast.IfExp(test=test, body=a, orelse=b):
                    return visit(a) if visit(test) else visit(b)
                case ast.Call(func=ast.Name(id=name), args=args) if name in functions.ARITY:
                    return functions.call(name, _arguments(name, [visit(a) for a in args]))
            raise ExpressionError(f"'${{{source}}}': only arithmetic, references and functions are allowed")

        result = visit(tree)
        if isinstance(result, complex) or not math.isfinite(result):
            raise ExpressionError(f"'${{{source}}}' is not a finite real number")
        return _with_unit(result, meaning(source, tree, {}, lambda name: None, strict=True), source)


def _arguments(name: str, values: list[Any]) -> list[Any]:
    arity = functions.ARITY[name]
    if (arity is None and len(values) < 2) or (arity is not None and len(values) != arity):
        raise ExpressionError(f"{name} takes {arity or 'two or more'} arguments")
    return values


def _exact(value: Any) -> Any:
    """Return integers beyond 2^53 as floats, so that numbers stay small."""
    return float(value) if isinstance(value, int) and abs(value) > EXACT else value


def _power(a: Any, b: Any) -> Any:
    # Computed as float first: a float overflows at once where an integer power would go on for hours.
    value = float(a) ** float(b)
    whole = isinstance(a, int) and isinstance(b, int) and b >= 0 and abs(value) <= EXACT
    return int(value) if whole else value


def _number(value: Any, source: str) -> Any:
    if isinstance(value, bool) or value is None:
        raise ExpressionError(f"'${{{source}}}': {value!r} is not a number")
    if isinstance(value, str):
        parts = split_quantity(value)
        if not parts:
            raise ExpressionError(f"'${{{source}}}': {value[:40]!r} is not a number")
        # In arithmetic a quantity is its SI value.
        unit = parse_unit(parts[1])
        return parts[0] * unit.factor + unit.offset
    return value


def _quantity(found: Any, number: float) -> float:
    """Return the number with the unit of the text that it came from."""
    if isinstance(found, Quantity):
        return found
    parts = split_quantity(found) if isinstance(found, str) else None
    return Quantity(number, parse_unit(parts[1]), found) if parts else number


def _with_unit(result: Any, known: Meaning, source: str) -> Any:
    """Return a number with its unit in SI, where that is known and can be written."""
    if known.points is not None and not any(abs(known.points - n) < 1e-9 for n in (0, 1)):
        raise ExpressionError(f"'${{{source}}}' adds up temperatures in degC; a difference is written in K")
    if known.free or len(known.dims) != 1 or any(e != int(e) for d in known.dims for e in d):
        return result
    unit = spelled(*known.dims)
    return result if unit == "1" else Quantity(result, parse_unit(unit), unit)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
