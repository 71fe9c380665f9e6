"""Text of an expression to a checked syntax tree.

Only the listed ``ast`` nodes pass and nothing is ever handed to ``eval``. Length, depth and number of
nodes are limited, so that parsing and evaluating are bounded. ``^`` is the power, and a number followed
by a unit (``2 MPa * ramp(t)``) becomes its SI value, which its node remembers as a `Quantity`.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable

from plexus.deck.units import NUMBER, Quantity, is_unit, named_unit, parse_unit, split_quantity

MAX_LENGTH, MAX_DEPTH, MAX_NODES = 2000, 60, 600
COORDINATES = ("x", "y", "z", "t")
_WORD = r"[A-Za-zµμΩ°Å%][A-Za-zµμΩ°Å]*"
# A number directly followed by a name is never valid arithmetic, so it can only be a quantity. The look-
# behind keeps the 2 of `x2` and of `1.2` from starting one.
_UNIT_START = re.compile(rf"(?<![\w.])((?>{NUMBER[5:]}))[ ]*(?={_WORD})")
_FACTOR = re.compile(rf"({_WORD})((?:\^|\*\*)(?:\(-?\d\)|-?\d))?")
# A bracket after `/` that holds nothing but names, powers and products, as in W/(m^2 K).
_GROUP = re.compile(r"\([A-Za-zµμΩ°Å%0-9 */^·-]{1,40}\)")
# A minus that is a sign: nothing, an opening bracket or another operator before it.
_SIGN = re.compile(r"(?:^|[(,*/^<>=+-])\s*-\s*$")
_WORDS = ("and", "or", "not", "if", "else")
# No attributes, no subscripts, no comprehensions, no strings: nothing reaches an object's inside.
_ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.IfExp, ast.Name,
    ast.Constant, ast.Load, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.Mod, ast.FloorDiv,
    ast.UAdd, ast.USub, ast.Not, ast.And, ast.Or, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
)  # fmt: skip


class ExpressionError(ValueError):
    """A text is not an allowed expression."""


def parse(
    text: str, reserved: Callable[[str], bool] = lambda name: False, extra: tuple[type[ast.AST], ...] = ()
) -> ast.expr:
    """Return the syntax tree of an expression.

    Parameters
    ----------
    text
        The expression.
    reserved
        Whether a name is never read as a unit after ``*`` or ``/`` (a parameter, a constant).
    extra
        Further node types to allow.

    Raises
    ------
    ExpressionError
        If the text is too long, too deep, or uses anything but arithmetic.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"expression is longer than {MAX_LENGTH} characters")
    source = _Source(text, reserved)
    try:
        tree = ast.parse(source.text, mode="eval").body
    # Deep brackets make the parser itself give up, with an error that depends on the Python version.
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "too complicated"
        raise ExpressionError(f"{_short(text)} is not an expression: {reason}{_hint(text)}") from error
    _check(tree, (*_ALLOWED, *extra), text)
    return source.annotated(tree)


def names_in(text: str) -> set[str]:
    """Return the words of a text that may be names, those of units and functions among them."""
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", text))


def place(text: str, root: ast.expr, node: ast.expr) -> tuple[int, str]:
    """Return where a part of a parsed expression begins in its text, counted from 0, and its text."""
    marks: list[tuple[int, int]] = getattr(root, "marks", [(0, 0)])

    def at(position: int) -> int:
        found = [m for m in marks if m[0] <= position][-1]
        return min(found[1] + position - found[0], len(text))

    if getattr(node, "literal", False):
        # its number stands behind the bracket that is not in the text
        return at(node.col_offset - 1), vars(node)["quantity"].text
    start = at(node.col_offset)
    return start, text[start : at(node.end_col_offset or node.col_offset)].strip()


def _hint(text: str) -> str:
    # YAML ends an entry of a list or mapping in one line at each comma, inside of round brackets too
    if text.count("(") == text.count(")"):
        return ""
    return "; in a list or mapping in one line, an expression with a comma needs quotes"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _check(tree: ast.AST, allowed: tuple[type[ast.AST], ...], text: str) -> None:
    # Level by level instead of recursively, so that a deep tree is refused before anything recurses.
    level, count = [tree], 0
    for _ in range(MAX_DEPTH):
        for node in level:
            if not isinstance(node, allowed):
                raise ExpressionError(
                    f"{_short(text)}: {type(node).__name__.lower()} is not allowed in an expression"
                )
            if isinstance(node, ast.Call) and (node.keywords or not isinstance(node.func, ast.Name)):
                raise ExpressionError(f"{_short(text)}: only plain calls such as sin(x) are allowed")
        count += len(level)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            break
    if level or count > MAX_NODES:
        raise ExpressionError(f"{_short(text)}: too complicated; group long sums with brackets")


class _Source:
    """What Python parses: quantities are numbers in brackets, ``^`` is ``**``.

    ``^`` is replaced in the text, not in the tree: as Python's exclusive or it would bind weaker than +.
    """

    def __init__(self, text: str, reserved: Callable[[str], bool]):
        self.parts: list[str] = []
        self.length = 0
        self.marks: list[tuple[int, int]] = []
        """Beginnings of the pieces, in what is parsed and in the text."""
        self.quantities: dict[int, Quantity] = {}
        """Place of the bracket in what is parsed -> quantity."""
        position = len(text) - len(text.lstrip())
        search = position
        while match := _UNIT_START.search(text, search):
            end = _unit_end(text, match.end(), reserved)
            if end > match.end():
                self._quantity(text, position, match.start(), end)
                position = end
            search = end
        self._plain(text[position:].rstrip(), position)
        self.text = "".join(self.parts)

    def _add(self, piece: str, start: int) -> None:
        self.marks.append((self.length, start))
        self.parts.append(piece)
        # places in a tree are counted in bytes
        self.length += len(piece.encode())

    def _plain(self, piece: str, start: int) -> None:
        for part in re.split(r"(\^)", piece.replace("\n", " ")):
            self._add("**" if part == "^" else part, start)
            start += len(part)

    def _quantity(self, text: str, position: int, start: int, end: int) -> None:
        number, unit = split_quantity(text[start:end]) or (0.0, "")
        value, plain = parse_unit(unit), text[position:start]
        # -5 degC is five degrees below zero, not minus 278.15 K
        if value.offset and _SIGN.search(text[:start]):
            number, plain = -number, (plain.rstrip()[:-1] + "+").ljust(len(plain))
        self._plain(plain, position)
        found = Quantity(number * value.factor + value.offset, value, text[start:end])
        if not abs(found) < math.inf:
            raise ExpressionError(f"{text[start:end]!r} is not a finite number")
        self.quantities[self.length] = found
        self._add(f"({float(found)!r})", start)

    def annotated(self, tree: ast.expr) -> ast.expr:
        """Return the tree with the quantity at each number that has a unit."""
        tree.marks = self.marks  # type: ignore[attr-defined]
        for node in ast.walk(tree) if self.quantities else ():
            if isinstance(node, (ast.Constant, ast.UnaryOp)) and node.col_offset - 1 in self.quantities:
                node.quantity = self.quantities[node.col_offset - 1]  # type: ignore[union-attr]
                node.literal = True  # type: ignore[union-attr]
        return tree


def _unit_end(text: str, start: int, reserved: Callable[[str], bool]) -> int:
    """Return where the unit that begins at ``start`` ends; operators continue it only without spaces."""
    end = _first_end(text, start)
    while end > start and end < len(text):
        # `2 m/s*t`: after m the operator touches a unit name and continues the unit; at `*t` it does not,
        # because t is the time. `2 m * x` has spaces, so the unit ends at m.
        step = 1 if text[end] in "*/· " and text[end : end + 2] != "**" else 0
        if not step:
            break
        bracket = _GROUP.match(text, end + 1) if text[end] == "/" else None
        if bracket and is_unit(bracket[0]):
            end = bracket.end()
            continue
        after = _next_end(text, end + 1, reserved)
        if after == end + 1:
            break
        end = after
    return end


def _name_at(text: str, start: int) -> re.Match[str] | None:
    """Return a name with its power, unless it is a word of the language or a function's name."""
    match = _FACTOR.match(text, start)
    follower = text[match.end() : match.end() + 1] if match else ""
    return match if match and match[1] not in _WORDS and follower not in ("(", "_") else None


def _first_end(text: str, start: int) -> int:
    match = _name_at(text, start)
    if not match:
        return start
    named_unit(match[1])  # directly after a number only a unit makes sense: its error is the message
    return match.end()


def _next_end(text: str, start: int, reserved: Callable[[str], bool]) -> int:
    match = _name_at(text, start)
    if not match or match[1] in COORDINATES or reserved(match[1]) or not is_unit(match[1]):
        return start
    # `5 K/min*t` is a rate, `5 K/min (t, 3)` divides by a function
    return start if text[match.end() :].lstrip().startswith("(") else match.end()
