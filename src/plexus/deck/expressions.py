"""Field expressions: text over x, y, z, t, deck parameters and field names to a function of arrays.

The syntax tree is turned into nested closures once, when the deck is read; evaluation walks no tree.
Parameters are bound to their numbers and constant parts are folded at that time.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from plexus.deck import functions
from plexus.deck.dimensions import Meaning, meaning, misfit
from plexus.deck.expansion import expanded
from plexus.deck.suggest import nearest
from plexus.deck.syntax import ExpressionError, parse
from plexus.deck.unitnames import spelled
from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.deck.breaks import Breaks

Array = Any
Closure = Callable[[Mapping[str, Array]], Array]

_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.Mod: operator.mod, ast.FloorDiv: operator.floordiv,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


def _as_arrays_do(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with NaN and infinity where plain numbers would raise or turn complex.

    ``where(t < 5, sqrt(5 - t), 0)`` computes both branches, on numbers as on arrays.
    """

    def guarded(*values: Any) -> Any:
        try:
            result = function(*values)
        except (ArithmeticError, ValueError) as error:
            if not all(isinstance(v, (int, float)) for v in values):
                raise
            # 1/0 and 0^-1 are infinite, 0/0 and 1 % 0 are not a number
            infinite = isinstance(error, OverflowError) or (
                function is operator.pow or (function is operator.truediv and values[0] != 0)
            )
            return math.inf if infinite else math.nan
        return math.nan if isinstance(result, complex) else result

    return guarded


_GUARDED = {f: _as_arrays_do(f) for f in (operator.pow, operator.truediv, operator.mod, operator.floordiv)}


class Expression:
    """A frozen scalar expression; equal when text and parameters are.

    Parameters
    ----------
    text : the expression, or a number.
    parameters : what names stand for already: numbers, drawn fields (`plexus.samples`), tables of time.

    Raises
    ------
    ExpressionError
        If the text is not an allowed expression.
    """

    __slots__ = (
        "_closure",
        "_parameters",
        "_tree",
        "constant",
        "names",
        "noted",
        "place",
        "risky",
        "text",
        "unit",
    )

    _closure: Closure
    _parameters: Mapping[str, Any]
    _tree: ast.expr
    text: str
    noted: str
    """Sentence on the last value on this rank that was not finite; empty if all were."""
    place: str
    """Deck path, empty where it is not known."""
    risky: bool
    """Whether finite arguments may give values that are not finite."""
    names: frozenset[str]
    """Free names: coordinates, time, fields."""
    constant: float | None
    """The value if the expression has no free names."""
    unit: Meaning | None
    """What its unit is, where a deck has been read; see `understand`."""

    def __init__(self, text: str | float, parameters: Mapping[str, Any] | None = None):
        if isinstance(text, (int, float)):
            if not abs(text) < math.inf:  # false for NaN too
                raise ExpressionError(f"{text!r} is not a finite number")
            text = repr(float(text))
        bound = {} if parameters is None else parameters
        self._build(text, parse(text, lambda n: n in bound or n in functions.CONSTANTS), bound)

    def _build(self, text: str, tree: ast.expr, bound: Mapping[str, Any]) -> None:
        # what the text uses is told by the text, not by what a table stands for
        present = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        tree = expanded(tree, bound)
        value, free = _Compiler(bound).compile(tree)
        names, constant = frozenset(free), None
        if not callable(value):
            constant = float(value)
            if not math.isfinite(constant):
                raise ExpressionError(f"{text!r} is not a finite number")
        closure = value if callable(value) else lambda namespace: constant
        # Only what the text uses is kept: what else a deck defines does not make two expressions different.
        used = {name: bound[name] for name in sorted(present) if name in bound}
        risky = constant is None and any(_may_fail(n, bound) for n in ast.walk(tree))
        items = (closure, used, tree, constant, names, "", "", risky, text, None)
        for name, item in zip(self.__slots__, items, strict=True):
            object.__setattr__(self, name, item)

    def understand(self, unit: Callable[[str], str | None]) -> None:
        """Work out the unit from those of the names.

        Raises
        ------
        ExpressionError
            If the units of two parts contradict each other.
        """
        found = meaning(self.text, self._tree, self._parameters, unit)
        object.__setattr__(self, "unit", found)

    def computed_unit(self, unit: Callable[[str], str | None]) -> str:
        """Return the unit of the values as text; empty for a pure number and where it is not known.

        A bare number in a sum leaves it open: ``temperature - 300`` may be meant as a number.
        """
        if any(_adds_a_number(n) for n in ast.walk(self._tree)):
            return ""
        try:
            found = meaning(self.text, self._tree, self._parameters, unit, strict=True)
        except ExpressionError:
            return ""
        text = spelled(*found.dims) if len(found.dims) == 1 and not found.free else ""
        return "" if text == "1" else text

    @property
    def stated_unit(self) -> str:
        """Unit that the deck states, as text; empty where numbers take on any."""
        known = self.unit
        return spelled(*known.dims) if known is not None and not known.free and len(known.dims) == 1 else ""

    def misfit(self, target: str) -> str:
        """Return why it does not fit a place with the unit ``target``; empty if it may fit."""
        known = self.unit
        return misfit(self.text, self._tree, self._parameters, known, target) if known is not None else ""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("an expression cannot be changed")

    def __call__(self, namespace: Mapping[str, Array]) -> Array:
        """Return the values for arrays by name (NumPy, torch or floats; broadcast as they do).

        Raises
        ------
        KeyError
            If the namespace lacks one of `names`.
        """
        return self._closure(namespace)

    def sure(self, namespace: Mapping[str, Array]) -> Array:
        """Return the values and watch that they are finite numbers.

        What depends on places or fields is noted in `noted`, for the guard that stops the run.

        Raises
        ------
        InputError
            If a value of time alone is not finite, with the part of the expression and the time.
        """
        value = self._closure(namespace)
        if self.risky and not is_finite(value):
            text = self.lost(value, namespace)
            if self.names <= {"t"}:
                raise InputError(text)
            object.__setattr__(self, "noted", text)
        return value

    def lost(self, value: Array, namespace: Mapping[str, Array]) -> str:
        """Return a sentence on the first value that is not finite: which part gives it, where and when."""
        from plexus.deck.domains import sentence

        return (f"{self.place}: " if self.place else "") + sentence(self, value, namespace)

    @property
    def tree(self) -> ast.expr:
        """The syntax tree."""
        return self._tree

    def function(self, node: ast.expr) -> Callable[[Mapping[str, float]], float]:
        """Return a part of the tree, or a tree of its parts, as a function of plain numbers."""
        value, _ = _Compiler(self._parameters).compile(node)
        return lambda at: float(value(at) if callable(value) else value)

    def part(self, node: ast.expr, at: Mapping[str, float]) -> float:
        """Return the value of one part of the tree for plain numbers."""
        return self.function(node)(at)

    @property
    def bound(self) -> Mapping[str, Any]:
        """What names of the text stand for: numbers, drawn fields, tables of time."""
        return self._parameters

    def bound_to(self, **values: Any) -> Expression:
        """Return the expression with other meanings of some of the names in `bound`."""
        return Expression(self.text, {**self._parameters, **values})

    def freed(self, name: str) -> Expression:
        """Return the expression in which one of the names in `bound` is free."""
        return Expression(self.text, {n: value for n, value in self._parameters.items() if n != name})

    def locate(self, place: str) -> None:
        """Remember the deck path of the expression, for messages."""
        object.__setattr__(self, "place", place)

    def derivative(self, name: str) -> Expression:
        """Return ∂/∂name, exact except at the kinks of abs, min, max, where and ramp."""
        from plexus.deck.derivative import derivative

        drawn = [n for n, value in self._parameters.items() if callable(value) and name in value.axes]
        if drawn:
            raise ExpressionError(f"{drawn[0]} is a drawn field, whose derivative by {name} is not known")
        # The derivative of a tree is a tree, so it is compiled and folded like any other expression.
        return self._of(derivative(self._tree, name))

    def apart(self, name: str) -> tuple[Expression, dict[str, Expression]]:
        """Return a function of a free name and of parts without it, as large as can be, and these by name.

        Who asks for many values of the name at the same places computes the parts once.
        """
        from plexus.deck.parting import parted

        rest, parts = parted(self._tree, name)
        return self._of(rest), {key: self._of(tree) for key, tree in parts.items()}

    def _of(self, tree: ast.expr) -> Expression:
        """Return the expression of another tree with the same bound names."""
        result = object.__new__(Expression)
        result._build(ast.unparse(tree), tree, self._parameters)
        return result

    def breaks(self, start: float, end: float) -> Breaks:
        """Return the times [s] between two others at which the value jumps or has a kink."""
        from plexus.deck.breaks import Breaks, breaks

        if "t" not in self.names:
            return Breaks()
        return breaks(self._tree, self._parameters, start, end, self.function)

    def __eq__(self, other: object) -> bool:
        """Compare text and bound parameters."""
        if not isinstance(other, Expression):
            return NotImplemented
        return self.text == other.text and self._parameters == other._parameters

    def __hash__(self) -> int:
        """Return the hash of the text."""
        return hash(self.text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Make the type usable in a `plexus.deck.params.Params` model."""
        from plexus.deck import values

        return values.schema_of(values.expression)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Return the JSON Schema of what the deck may say."""
        from plexus.deck import values

        return deepcopy(values.EXPRESSION_SCHEMA)  # pydantic writes the default into it

    def __repr__(self) -> str:
        """Return the constructor call."""
        return f"Expression({self.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by text and parameters."""
        return Expression, (self.text, self._parameters)


def _adds_a_number(node: ast.AST) -> bool:
    """Return whether a bare number other than zero is added or subtracted."""
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else ()
    added = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    return added and any(
        isinstance(n, ast.Constant) and not hasattr(n, "quantity") and n.value for n in sides
    )


def is_finite(value: Array) -> bool:
    """Return whether all values are finite; tensors count as finite, a device is not asked for that."""
    if isinstance(value, (int, float)):
        return math.isfinite(value)
    # one value that is not finite spoils the sum
    return not hasattr(value, "dtype") or type(value).__module__ != "numpy" or math.isfinite(value.sum())


def _may_fail(node: ast.AST, bound: Mapping[str, Any]) -> bool:
    """Return whether an operation has arguments for which it has no finite value."""
    match node:
        case ast.BinOp(op=ast.Div() | ast.Mod() | ast.FloorDiv(), right=b):
            # a constant divisor is not zero: it has been tried when constants were folded
            names = {n.id for n in ast.walk(b) if isinstance(n, ast.Name)}
            numbers = (name for name, value in bound.items() if not callable(value))
            return not names <= {*numbers, *functions.CONSTANTS, *functions.ARITY}
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=float() | int() as n)):
            return n < 0 or n != int(n)
        case ast.BinOp(op=ast.Pow()):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in functions.PARTIAL
    return False


class _Compiler:
    """Turns nodes into constants (float) or closures, collecting the free names."""

    def __init__(self, bound: Mapping[str, Any]):
        self.bound = bound
        self.free: set[str] = set()

    def compile(self, tree: ast.expr) -> tuple[float | Closure, set[str]]:
        return self.node(tree), self.free

    def node(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                if isinstance(value, bool) or not isinstance(value, (int, float)):
                    raise ExpressionError(f"{value!r} is not a number")
                return self.fold(lambda v: float(v), [value])
            case ast.Name(id=name):
                return self.name(name)
            case ast.BinOp(left=a, op=op, right=b):
                return self.fold(_BINARY[type(op)], [self.node(a), self.node(b)])
            case ast.UnaryOp(op=op, operand=a):
                return self.unary(op, self.node(a))
            case ast.Compare(left=a, ops=ops, comparators=others):
                return self.compare(a, ops, others)
            case ast.BoolOp(op=op, values=values):
                return self.logic(op, [self.node(v) for v in values])
            case ast.IfExp(test=test, body=a, orelse=b):
                return self.fold(functions.where, [self.node(n) for n in (test, a, b)])
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.call(name, args)
        raise ExpressionError("not allowed in an expression")

    def name(self, name: str) -> Any:
        # Parameters win over pi and e; the deck refuses parameters of these names anyway.
        if name in self.bound:
            return self.known(self.bound[name])
        if name in functions.CONSTANTS:
            return functions.CONSTANTS[name]
        if name in functions.ARITY:
            raise ExpressionError(f"{name} is a function: write {name}(...)")
        self.free.add(name)
        return operator.itemgetter(name)

    def known(self, value: Any) -> Any:
        """Return a parameter, or a drawn field as a function of the coordinates that it depends on."""
        if not callable(value):
            return float(value)
        axes = tuple(value.axes)
        if not axes:
            return float(value())
        self.free |= {*axes}
        return lambda namespace: value(*(namespace[axis] for axis in axes))

    def unary(self, op: ast.unaryop, a: Any) -> Any:
        if isinstance(op, ast.Not):
            return self.fold(lambda v: functions.where(v, 0.0, 1.0), [a])
        return self.fold(operator.neg, [a]) if isinstance(op, ast.USub) else a

    def compare(self, left: ast.expr, ops: list[ast.cmpop], others: list[ast.expr]) -> Any:
        values = [self.node(n) for n in (left, *others)]
        pairs = [self.fold(_BINARY[type(op)], values[i : i + 2]) for i, op in enumerate(ops)]
        return pairs[0] if len(pairs) == 1 else self.logic(ast.And(), pairs)

    def logic(self, op: ast.boolop, values: list[Any]) -> Any:
        # Truth is 1.0 or 0.0: `and` is the smallest, `or` the largest of the truth values.
        # Whatever is not zero is true, as everywhere in Python.
        truth = [self.fold(lambda v: functions.where(v, 1.0, 0.0), [v]) for v in values]
        return self.fold(
            lambda *v: functions.call("min" if isinstance(op, ast.And) else "max", list(v)), truth
        )

    def call(self, name: str, args: list[ast.expr]) -> Any:
        if name not in functions.ARITY:
            raise ExpressionError(f"unknown function {name!r}{nearest(name, functions.ARITY)}")
        arity = functions.ARITY[name]
        if (arity is None and len(args) < 2) or (arity is not None and len(args) != arity):
            raise ExpressionError(f"{name} takes {arity or 'two or more'} argument{'s' * (arity != 1)}")
        parts = [self.node(a) for a in args]
        if any(callable(p) for p in parts):
            return self.fold(_as_arrays_do(lambda *v: functions.call(name, list(v))), parts)
        return self.fold(lambda *v: functions.call(name, list(v)), parts)

    def fold(self, function: Callable[..., Any], parts: list[Any]) -> Any:
        """Apply a function to constants now, or return a closure that does it later."""
        if not any(callable(p) for p in parts):
            try:
                result = function(*parts)
            except (ArithmeticError, ValueError) as error:
                raise ExpressionError(f"constant part cannot be computed: {error}") from error
            if isinstance(result, complex):
                raise ExpressionError("constant part is not a real number")
            return result
        function = _GUARDED.get(function, function)
        # Constants become closures too, so that the evaluation below needs no case distinction.
        getters = [p if callable(p) else (lambda namespace, value=p: value) for p in parts]
        match getters:
            case [a]:
                return lambda namespace: function(a(namespace))
            case [a, b]:
                return lambda namespace: function(a(namespace), b(namespace))
        return lambda namespace: function(*[g(namespace) for g in getters])
