"""Times at which an expression of t jumps or has a kink: where comparisons turn, `floor` steps, `ramp` bends.

Between such times an expression is smooth. Roots of what is linear in t there are exact. Those of other
functions of t alone are looked for between samples, and beside the turning points of sin and cos of a linear
argument. Where a comparison looks at a place or a field as well, its times differ from place to place.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from plexus.deck.functions import ARITY, CONSTANTS

MOST = 10_000
"""Most times that are looked for; a wave with more is told instead."""
SAMPLES = 2048
"""Points at which a function that is not linear is looked at, over the whole interval."""
STEPS = ("heaviside", "sign", "floor")
BENDS = ("abs", "ramp", "min", "max")

Function = Callable[[float], float]
Compiler = Callable[[ast.expr], Callable[[Mapping[str, float]], float]]


@dataclass(frozen=True)
class Breaks:
    """Jumps and kinks of an expression [s], and the texts of comparisons whose times cannot be known."""

    jumps: tuple[float, ...] = ()
    kinks: tuple[float, ...] = ()
    unknown: tuple[str, ...] = ()


class TooMany(Exception):
    """More than `MOST` times."""


def breaks(
    tree: ast.expr, bound: Mapping[str, float], start: float, end: float, compiler: Compiler
) -> Breaks:
    """Return the breaks of a tree, its parameters bound to numbers, from ``start`` to ``end``.

    ``compiler`` makes a function of a part of the tree, its parameters bound.
    """
    found = _Finder(bound, start, end, compiler)
    try:
        found.visit(tree)
    except TooMany:
        text = ast.unparse(tree)
        return Breaks(unknown=(f"{text!r} changes more than {MOST:,} times",))
    jumps, kinks = found.jumps, found.kinks
    if found.free(tree) <= {"t"}:
        # a comparison may choose between two functions that meet: where(t < 10, t, 10)
        smooth = {t for t in jumps if found.meets(tree, t)}
        jumps, kinks = jumps - smooth, kinks | smooth
    return Breaks(tuple(sorted(jumps)), tuple(sorted(kinks - jumps)), tuple(dict.fromkeys(found.unknown)))


class _Finder:
    """Walks a tree and collects its breaks."""

    def __init__(self, bound: Mapping[str, float], start: float, end: float, compiler: Compiler):
        self.bound, self.start, self.end, self.compiler = bound, start, end, compiler
        self.jumps: set[float] = set()
        self.kinks: set[float] = set()
        self.unknown: list[str] = []

    def free(self, tree: ast.expr) -> set[str]:
        """Return the names that are neither parameters nor constants nor functions."""
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        return names - self.bound.keys() - CONSTANTS.keys() - ARITY.keys()

    def visit(self, tree: ast.expr) -> None:
        """Collect the breaks of a tree and of everything inside it."""
        for node in ast.walk(tree):
            if isinstance(node, ast.expr) and "t" in self.free(node):
                for steps, argument, level in _switches(node):
                    self._collect(node, steps, argument, level)

    def _collect(self, node: ast.expr, steps: bool, argument: ast.expr, level: bool) -> None:
        names = self.free(argument)
        if names == {"t"}:
            (self.jumps if steps else self.kinks).update(self.turns(argument, level))
        elif "t" in names:
            self.unknown.append(f"{ast.unparse(node)!r} changes at a time that depends on the place")

    def turns(self, argument: ast.expr, level: bool) -> set[float]:
        """Return where an argument changes sign, or with ``level`` passes an integer."""
        function, marks = self.compiled(argument), self.marks(argument)
        linear, found = self.degree(argument) < 2, set[float]()
        each = max(SAMPLES // (len(marks) - 1), 8)
        for a, b in pairwise(marks):
            find = _linear_turns if linear else _sampled_turns
            for t in find(function, a, b, level, each):
                found.add(t)
                if len(found) > MOST:
                    raise TooMany
        # a jump of the argument may change its sign as well: those are breaks of its own
        return found

    def marks(self, tree: ast.expr) -> list[float]:
        """Return the ends of the pieces on which a function of t is smooth; with waves, monotonic."""
        inner = _Finder(self.bound, self.start, self.end, self.compiler)
        inner.visit(tree)
        found = inner.jumps | inner.kinks
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="sin" | "cos" as name), args=[x]) if self.degree(x) == 1:
                    # sin turns where x/π + 1/2 is an integer, cos where x/π is one
                    quarter = 0.5 if name == "sin" else 0.0
                    half = ast.BinOp(x, ast.Div(), ast.Constant(math.pi))
                    found |= self.turns(ast.BinOp(half, ast.Add(), ast.Constant(quarter)), level=True)
        return sorted({self.start, self.end, *(t for t in found if self.start < t < self.end)})

    def degree(self, node: ast.expr) -> int:
        """Return 0 or 1 for what is constant or linear in t between its breaks, else 2."""
        match node:
            case ast.Name(id=name):
                return int(name == "t" and name not in self.bound)
            case ast.Constant() | ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return 0
            case ast.UnaryOp(operand=a):
                return self.degree(a)
            case ast.IfExp(body=a, orelse=b):
                return max(self.degree(a), self.degree(b))
            case ast.BinOp(left=a, op=op, right=b):
                return self._of_pair(op, self.degree(a), self.degree(b))
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._of_call(name, [self.degree(a) for a in args])
        return 2

    @staticmethod
    def _of_pair(op: ast.operator, a: int, b: int) -> int:
        match op:
            case ast.Add() | ast.Sub():
                return max(a, b)
            case ast.Mult():
                return min(a + b, 2)
            case ast.Div() | ast.Mod():
                return a if b == 0 else 2
            case ast.FloorDiv():
                return 0
        return 0 if a == b == 0 else 2

    @staticmethod
    def _of_call(name: str, degrees: list[int]) -> int:
        if name in STEPS:
            return 0
        if name in BENDS:
            return max(degrees)
        if name == "where":
            return max(degrees[1:])
        return 0 if not any(degrees) else 2

    def compiled(self, tree: ast.expr) -> Function:
        """Return a function of t alone; infinite or not a number outside its domain."""
        whole = self.compiler(tree)
        return lambda t: whole({"t": t})

    def meets(self, tree: ast.expr, t: float) -> bool:
        """Return whether a function of t alone is continuous at ``t``."""
        function = self.compiled(tree)
        near = 1e-9 * max(abs(t), self.end - self.start)
        a, b, c, d = (function(t + near * k) for k in (-2, -1, 1, 2))
        # what a smooth function changes over this distance is no jump
        return abs(c - b) <= 8 * (abs(b - a) + abs(d - c)) + 1e-13 * max(abs(b), abs(c))


def _switches(node: ast.expr) -> Iterator[tuple[bool, ast.expr, bool]]:
    """Yield for a node that switches: whether it jumps, the argument, whether at integers or at zero."""

    def minus(a: ast.expr, b: ast.expr) -> ast.expr:
        return ast.BinOp(a, ast.Sub(), b)

    match node:
        case ast.Compare(left=left, comparators=others):
            yield from ((True, minus(a, b), False) for a, b in pairwise([left, *others]))
        case ast.BinOp(left=a, op=ast.Mod() | ast.FloorDiv(), right=b):
            yield True, ast.BinOp(a, ast.Div(), b), True
        case ast.Call(func=ast.Name(id=name), args=args) if name in (*STEPS, *BENDS) and args:
            if name in ("min", "max"):
                yield from ((False, minus(a, b), False) for a, b in combinations(args, 2))
            else:
                yield name in STEPS, args[0], name == "floor"
            if name == "ramp":
                yield False, minus(args[0], ast.Constant(1.0)), False


def _linear_turns(f: Function, a: float, b: float, level: bool, n: int) -> Iterator[float]:
    """Yield where a line from ``a`` to ``b`` passes zero, or the integers."""
    # read inside, where one-sided values at the ends do not matter
    p, q = a + (b - a) / 4, b - (b - a) / 4
    at_p, at_q = f(p), f(q)
    slope = (at_q - at_p) / (q - p)
    if not math.isfinite(slope) or slope == 0:
        return
    if level:
        low, high = sorted((at_p + slope * (a - p), at_p + slope * (b - p)))
        slack = 1e-9 * max(1.0, abs(low), abs(high))
        first, last = math.ceil(low - slack), math.floor(high + slack)
        if last - first > MOST:
            raise TooMany
        levels: Sequence[int] = range(first, last + 1)
    else:
        levels = (0,)
    for k in levels:
        t = p + (k - at_p) / slope
        slack = 1e-12 * max(abs(a), abs(b), b - a)
        if a - slack <= t <= b + slack:
            yield _tidy(min(max(t, a), b))


def _tidy(t: float) -> float:
    """Return a rounder time beside ``t``, e.g. 0.3 for 0.3 + 5e-17."""
    rounder = float(f"{t:.14g}")
    return rounder if abs(rounder - t) <= 4 * math.ulp(t) else t


def _sampled_turns(f: Function, a: float, b: float, level: bool, n: int) -> Iterator[float]:
    """Yield where a function changes sign or passes an integer between samples, by bisection."""

    def side(t: float) -> float:
        value = f(t)
        if not level:
            return math.nan if math.isnan(value) else float(value > 0)
        # infinity has no integer below it
        return math.floor(value) if math.isfinite(value) else math.nan

    times = [a + (b - a) * (k + 0.5) / n for k in range(n)]
    near = (b - a) * 1e-9
    for p, q in pairwise([a + near, *times, b - near]):
        before, after = side(p), side(q)
        if before == after or math.isnan(before) or math.isnan(after):
            continue
        while q - p > 2 * math.ulp(max(abs(p), abs(q))):
            middle = (p + q) / 2
            p, q = (middle, q) if side(middle) == before else (p, middle)
        yield q
