"""Units through every operation of an expression, worked out once when the deck is read.

    [a + b] = [a] = [b],    [a b] = [a] [b],    [a^n] = n [a],    [sin a] = [a] = 1

A bare number takes on the unit that its place needs: 10 in ``300 K + 10*x`` is 10 K/m, as in a formula of
SI numbers. Beside a quantity that the deck states (``0.5*rho*g*x`` with rho = 7800 kg/m^3) a factor is a pure
number. In an expression that states no unit at all, x, y, z and t are numbers, too. ``degC`` is a point of a
scale, not a difference: the points in a sum are counted, and where a temperature is meant one must be left.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from plexus.deck.functions import ARITY, CONSTANTS
from plexus.deck.syntax import COORDINATES, ExpressionError, place
from plexus.deck.unitnames import Dimension, spelled
from plexus.deck.units import Quantity, UnitError, parse_unit

NONE: Dimension = (0,) * 7
KELVIN: Dimension = parse_unit("K").dimension
MOST = 16
"""Possible units of one part beyond which it is taken to fit everywhere."""


@dataclass(frozen=True)
class Meaning:
    """What is known of the unit of a part of an expression.

    Attributes
    ----------
    dims : possible dimensions; empty where nothing is known.
    free : it takes on any unit in a sum and as the whole.
    loose : it holds a bare number that takes on a unit in a product as well.
    kind : where the dimension comes from.
    points : how many temperatures above absolute zero are added up; None where that is open.
    value : its value if it is a constant.
    """

    dims: frozenset[Dimension] = frozenset({NONE})
    free: bool = True
    loose: bool = False
    kind: Literal["number", "variable", "stated"] = "number"
    points: float | None = None
    value: float | None = None

    @property
    def pure(self) -> bool:
        """Whether it can be a pure number."""
        return self.free or NONE in self.dims

    def __str__(self) -> str:
        """Return the unit in words: ``in K``, ``a pure number``."""
        names = sorted(spelled(d) for d in self.dims)
        return "a pure number" if self.free or names == ["1"] else f"in {' or '.join(names)}"


PURE = Meaning()
UNKNOWN = Meaning(frozenset(), True, True, "variable")


def number(value: float | None = None) -> Meaning:
    """Return the meaning of a bare number."""
    return Meaning(loose=True, value=value)


def variable(unit: str, soft: bool = False) -> Meaning:
    """Return the meaning of a name with a unit; ``soft``: it counts as a number of that unit."""
    try:
        dimension = parse_unit(unit).dimension
    except UnitError:
        return UNKNOWN
    if dimension == NONE:
        return replace(PURE, kind="variable")
    points = 1.0 if dimension == KELVIN else None
    return Meaning(frozenset({dimension}), soft, soft, "variable", points)


def coherent(unit: str) -> bool:
    """Return whether numbers in a unit are SI values."""
    try:
        found = parse_unit(unit)
    except UnitError:
        return True
    return (found.factor, found.offset) == (1.0, 0.0)


def quantity(found: Quantity) -> Meaning:
    """Return the meaning of a stated quantity."""
    points = 1.0 if found.unit.offset else None
    return Meaning(frozenset({found.unit.dimension}), False, False, "stated", points, float(found))


def meaning(
    text: str, tree: ast.expr, parameters: Mapping[str, float], unit: Callable[[str], str | None],
    strict: bool = False,
) -> Meaning:  # fmt: skip
    """Return what an expression means.

    Parameters
    ----------
    text, tree
        The expression, its syntax tree.
    parameters
        Names that are bound; a `Quantity` has a unit, other numbers are bare.
    unit
        Unit of a name, None where it is not known.
    strict
        Whether coordinates have units in an expression that states none, too.

    Raises
    ------
    ExpressionError
        If the units of two parts contradict each other, with both parts, their units and the place.
    """
    return _Walk(text, tree, parameters, unit, strict).node(tree)


def stated_in(tree: ast.expr, parameters: Mapping[str, float]) -> list[Quantity]:
    """Return the quantities that an expression states itself or through its parameters."""
    found = [
        getattr(getattr(n, "table", n), "quantity", None) or parameters.get(getattr(n, "id", ""))
        for n in ast.walk(tree)
    ]
    return [q for q in found if isinstance(q, Quantity)]


def misfit(text: str, tree: ast.expr, parameters: Mapping[str, float], found: Meaning, target: str) -> str:
    """Return why an expression does not fit a place whose unit is ``target``; empty if it does."""
    wanted = parse_unit(target).dimension
    if not found.free and wanted not in found.dims:
        stated = (q for q in stated_in(tree, parameters) if q.unit.dimension in found.dims)
        own = next((q.text.lstrip("+-0123456789.eE ") or q.text for q in stated), "")
        unit = own or " or ".join(sorted(spelled(d) for d in found.dims))
        expected = target if wanted != NONE else "a pure number"
        return f"unit {unit!r} does not fit: expected {expected}, in expression {text!r}"
    quantities = stated_in(tree, parameters)
    if quantities and not coherent(target):
        return f"{target} is not of SI, as quantities in {text!r} are: write numbers without units"
    celsius = any(q.unit.offset for q in quantities)
    if wanted != KELVIN or not celsius or found.points is None or abs(found.points - 1) < 1e-9:
        return ""
    if abs(found.points) < 1e-9:
        return f"{text!r} is a difference of two temperatures where a temperature is meant"
    return f"{text!r} adds up {found.points:g} temperatures in degC; a difference is written in K: 10 K"


class _Walk:
    """Finds the meaning of each node from those below it."""

    def __init__(self, text: str, tree: ast.expr, parameters: Mapping[str, float], unit: Any, strict: bool):
        self.text, self.tree, self.parameters, self.unit = text, tree, parameters, unit
        stated = stated_in(tree, parameters)
        self.soft = not strict and not any(q.unit.dimension != NONE for q in stated)
        self.stated = bool(stated)
        self.celsius = any(q.unit.offset for q in stated)
        self.known: dict[int, Meaning] = {}

    def node(self, node: ast.expr) -> Meaning:
        # a part is looked at by its sum and as a whole: found once, or the work doubles with each level
        if id(node) not in self.known:
            self.known[id(node)] = self.find(node)
        return self.known[id(node)]

    def find(self, node: ast.expr) -> Meaning:
        if hasattr(node, "table"):
            unit = node.table.quantity
            return number() if unit is None else replace(quantity(unit), value=None)
        if hasattr(node, "quantity"):
            found = node.quantity
            return quantity(found) if isinstance(found, Quantity) else number(float(found))
        match node:
            case ast.Constant(value=int() | float() as value):
                return number(float(value))
            case ast.Name():
                return self.named(node)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self.sum(node)
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return self.product(node)
            case ast.BinOp(left=a, op=ast.Pow(), right=b):
                return self.power(a, b)
            case ast.BinOp(left=a, op=op, right=b):
                rest = self.alike([a, b])
                return rest if isinstance(op, ast.Mod) else PURE
            case ast.UnaryOp(op=ast.Not(), operand=a):
                self.node(a)
                return PURE
            case ast.UnaryOp(op=op, operand=a):
                return self.node(a) if isinstance(op, ast.UAdd) else _scaled(self.node(a), -1.0)
            case ast.Compare(left=a, comparators=others):
                self.alike([a, *others], points=True)
                return PURE
            case ast.BoolOp(values=values):
                for part in values:
                    self.node(part)
                return PURE
            case ast.IfExp(test=test, body=a, orelse=b):
                self.node(test)
                return self.alike([a, b], points=True)
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.call(name, args)
        return UNKNOWN

    def name(self, name: str) -> Meaning:
        if name in self.parameters:
            value: Any = self.parameters[name]
            if callable(value):  # a drawn field
                return variable(value.params.unit)
            return quantity(value) if isinstance(value, Quantity) else number(float(value))
        if name in CONSTANTS:
            return number(CONSTANTS[name])
        if name in COORDINATES:
            return variable("s" if name == "t" else "m", self.soft)
        unit = self.unit(name)
        return UNKNOWN if unit is None else variable(unit)

    def named(self, node: ast.Name) -> Meaning:
        """Return the meaning of a name, which must be in SI beside quantities, as these are."""
        unit = None if node.id in self.parameters else self.unit(node.id)
        if self.stated and unit is not None and not coherent(unit):
            raise self.refuse(
                node, f"{node.id} is in {unit}, which is not of SI: write numbers without units"
            )
        return self.name(node.id)

    def refuse(self, node: ast.expr, text: str) -> ExpressionError:
        at, _ = place(self.text, self.tree, node)
        return ExpressionError(f"{text}, at character {at + 1} of {self.text!r}")

    def said(self, node: ast.expr) -> str:
        return repr(place(self.text, self.tree, node)[1])

    def alike(self, nodes: Sequence[ast.expr], points: bool = False) -> Meaning:
        """Return the common meaning of parts that are added, compared or chosen from."""
        found = [self.node(n) for n in nodes]
        common, first = found[0], nodes[0]
        for node, part in zip(nodes[1:], found[1:], strict=True):
            if not (common.free or part.free or common.dims & part.dims):
                text = f"{self.said(first)} is {common}, {self.said(node)} {part}: they do not go together"
                raise self.refuse(node, text)
            if (
                points
                and self.celsius
                and None not in (common.points, part.points)
                and common.points != part.points
            ):
                text = f"{self.said(first)} and {self.said(node)}: a temperature and a difference of two"
                raise self.refuse(node, f"{text} do not go together; a difference is written in K")
            if common.free and not part.free:
                first = node
            common = _joined(common, part)
        return replace(common, value=None)

    def sum(self, node: ast.BinOp) -> Meaning:
        common = self.alike([node.left, node.right])
        a, b = self.node(node.left), self.node(node.right)
        if isinstance(node.op, ast.Sub):
            b = _scaled(b, -1.0)
        points = None if a.points is None or b.points is None else a.points + b.points
        value = None if a.value is None or b.value is None else a.value + b.value
        return replace(common, points=points, value=value)

    def product(self, node: ast.BinOp) -> Meaning:
        factors = [(n, self.node(n), sign) for n, sign in _factors(node)]
        parts = [part if sign > 0 else _power(part, Fraction(-1)) for _, part, sign in factors]
        constants = [p.value for p in parts]
        result = _product(parts)
        stretched = [(n, p) for n, p, sign in factors if sign > 0 and p.points == 1.0 and p.kind == "stated"]
        if stretched and KELVIN in result.dims and None in constants and _one_unit(parts):
            named = self.said(stretched[0][0])
            raise self.refuse(
                stretched[0][0], f"{named} is a temperature: what is stretched is a difference, in K"
            )
        return result

    def power(self, a: ast.expr, b: ast.expr) -> Meaning:
        base, exponent = self.node(a), self.node(b)
        if not exponent.pure:
            raise self.refuse(b, f"the exponent {self.said(b)} is {exponent}: it must be a pure number")
        if exponent.value is None:
            if not base.pure:
                raise self.refuse(a, f"{self.said(a)} is {base}: its exponent must be a plain number")
            return replace(PURE, loose=base.loose)
        if abs(exponent.value) > MOST:
            return UNKNOWN
        return self.raised(base, Fraction(exponent.value).limit_denominator(1000))

    def raised(self, base: Meaning, exponent: Fraction) -> Meaning:
        """Return a power; in a formula of SI numbers, as empirical laws are, it takes on any unit."""
        result = _power(base, exponent)
        return replace(result, free=True, loose=True) if self.soft and exponent != 1 else result

    def call(self, name: str, args: Sequence[ast.expr]) -> Meaning:
        match name:
            case "abs":
                return replace(self.node(args[0]), value=None)
            case "sqrt":
                return self.raised(self.node(args[0]), Fraction(1, 2))
            case "min" | "max":
                return self.alike(args, points=True)
            case "where":
                self.node(args[0])
                return self.alike(args[1:], points=True)
            case "atan2":
                self.alike(args)
                return PURE
            case "sign" | "heaviside":
                self.node(args[0])
                return PURE
        for arg in args[: ARITY.get(name, 0)]:
            part = self.node(arg)
            # ramp(t) runs for one second: its ends 0 and 1 are numbers that take on the unit of time
            if part.pure or (name == "ramp" and part == variable("s")):
                continue
            raise self.refuse(arg, f"{name} takes a pure number, {self.said(arg)} is {part}")
        return PURE


def _one_unit(parts: Sequence[Meaning]) -> bool:
    """Return whether all but one factor are pure numbers."""
    return sum(NONE not in p.dims for p in parts) == 1


def _factors(node: ast.expr, sign: int = 1) -> list[tuple[ast.expr, int]]:
    """Return the factors of a product with the sign of their exponent."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        below = sign if isinstance(node.op, ast.Mult) else -sign
        return _factors(node.left, sign) + _factors(node.right, below)
    return [(node, sign)]


def _scaled(part: Meaning, factor: float) -> Meaning:
    points = None if part.points is None else part.points * factor
    return replace(part, points=points, value=None if part.value is None else part.value * factor)


def _joined(a: Meaning, b: Meaning) -> Meaning:
    """Return the meaning of two parts that are in one unit."""
    if not (a.dims and b.dims):
        return UNKNOWN
    points = a.points if a.points == b.points else None
    if a.free and b.free:
        kind = a.kind if a.kind != "number" else b.kind
        return Meaning(_few(a.dims | b.dims), True, a.loose or b.loose, kind, points)
    if a.free or b.free:
        firm = b if a.free else a
        return replace(firm, points=points)
    kind = a.kind if a.kind == "variable" else b.kind
    return Meaning(a.dims & b.dims, False, False, kind, points)


def _few(dims: frozenset[Dimension]) -> frozenset[Dimension]:
    return dims if len(dims) <= MOST else frozenset()


def _product(parts: Sequence[Meaning]) -> Meaning:
    value: float | None = 1.0
    for part in parts:
        value = None if value is None or part.value is None else value * part.value
    dims = frozenset({NONE})
    for part in parts:
        pairs = itertools.product(dims, part.dims)
        dims = _few(frozenset(tuple(x + y for x, y in zip(a, b, strict=True)) for a, b in pairs))
    if not dims:
        return replace(UNKNOWN, value=value)
    stated = any(p.kind == "stated" and p.dims != {NONE} for p in parts)
    loose = not stated and any(p.loose for p in parts)
    points = _points([p for p in parts if p.points is not None], parts)
    if dims != {NONE}:
        kind: Literal["stated", "variable"] = "stated" if stated else "variable"
        return Meaning(dims, loose, loose, kind, points, value)
    # a ratio is a pure number; a percentage stays what it is
    share = not loose and all(p.dims == {NONE} for p in parts) and any(p.kind == "stated" for p in parts)
    return Meaning(dims, not share, loose, "stated" if share else "number", None, value)


def _points(scaled: Sequence[Meaning], parts: Sequence[Meaning]) -> float | None:
    """Return the points of a temperature times constants."""
    others = [p.value for p in parts if p.points is None]
    if len(scaled) != 1 or None in others or scaled[0].points is None:
        return None
    factor = 1.0
    for value in others:
        factor *= value or 0.0
    return scaled[0].points * factor


def _power(part: Meaning, exponent: Fraction) -> Meaning:
    dims = frozenset(tuple(exponent * e for e in d) for d in part.dims)
    value = None
    if part.value is not None:
        try:
            result = part.value ** float(exponent)
            value = result if isinstance(result, float) else None
        except ArithmeticError:
            value = None
    return replace(part, dims=dims, points=None, value=value)
