"""Symbolic derivative of an expression's syntax tree, for material tangents."""

from __future__ import annotations

import ast

from plexus.deck.syntax import ExpressionError

# d f(a) = f'(a) a', with `a` standing for the argument.
_RULES = {
    "sin": "cos(a)", "cos": "-sin(a)", "tan": "1 + tan(a)**2", "asin": "1/sqrt(1 - a**2)",
    "acos": "-1/sqrt(1 - a**2)", "atan": "1/(1 + a**2)", "sinh": "cosh(a)", "cosh": "sinh(a)",
    "tanh": "1 - tanh(a)**2", "exp": "exp(a)", "log": "1/a", "log10": "1/(a*2.302585092994046)",
    "sqrt": "0.5/sqrt(a)", "abs": "sign(a)", "ramp": "where(a*(1 - a) > 0, 1, 0)",
    "floor": "0", "sign": "0", "heaviside": "0",
}  # fmt: skip


class _Put(ast.NodeTransformer):
    def __init__(self, parts: dict[str, ast.expr]):
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.parts.get(node.id, node)


def _form(template: str, **parts: ast.expr) -> ast.expr:
    """Return the template's tree with its letters replaced by trees."""
    return _Put(parts).visit(ast.parse(template, mode="eval").body)


def _is(node: ast.expr, value: float) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def derivative(node: ast.expr, name: str) -> ast.expr:
    """Return the tree of ∂node/∂name; terms that are identically zero are dropped."""
    zero = ast.Constant(0)
    match node:
        case ast.Name(id=found):
            return ast.Constant(1 if found == name else 0)
        case ast.UnaryOp(op=ast.USub(), operand=a):
            da = derivative(a, name)
            return zero if _is(da, 0) else _form("-p", p=da)
        case ast.UnaryOp(op=ast.UAdd(), operand=a):
            return derivative(a, name)
        case ast.BinOp(left=a, op=op, right=b):
            return _binary(a, op, b, name)
        case ast.IfExp(test=test, body=a, orelse=b):
            return _choice(test, derivative(a, name), derivative(b, name))
        case ast.Call(func=ast.Name(id=function), args=args):
            return _call(function, args, name)
    return zero


def _sum(terms: list[tuple[str, ast.expr]]) -> ast.expr:
    total: ast.expr | None = None
    for sign, term in terms:
        if not _is(term, 0):
            total = (
                _form("-q" if sign == "-" else "q", q=term)
                if total is None
                else _form(f"p {sign} q", p=total, q=term)
            )
    return total or ast.Constant(0)


def _times(a: ast.expr, b: ast.expr) -> ast.expr:
    if _is(a, 0) or _is(b, 0):
        return ast.Constant(0)
    return b if _is(a, 1) else a if _is(b, 1) else _form("p*q", p=a, q=b)


def _binary(a: ast.expr, op: ast.operator, b: ast.expr, name: str) -> ast.expr:
    da, db = derivative(a, name), derivative(b, name)
    match op:
        case ast.Add() | ast.Sub():
            return _sum([("+", da), ("+" if isinstance(op, ast.Add) else "-", db)])
        case ast.Mult():
            return _sum([("+", _times(da, b)), ("+", _times(a, db))])
        case ast.Div():  # (a/b)' = a'/b - a b'/b²
            first = da if _is(da, 0) else _form("p/q", p=da, q=b)
            return _sum([("+", first), ("-", _times(_form("p/q**2", p=a, q=b), db))])
        case ast.Pow():  # (a^b)' = b a^(b-1) a' + a^b log(a) b'
            return _sum([
                ("+", _times(_form("q*p**(q - 1)", p=a, q=b), da)),
                ("+", _times(_form("p**q*log(p)", p=a, q=b), db)),
            ])  # fmt: skip
        case ast.Mod() if _is(db, 0):
            return da
        case ast.FloorDiv() if _is(db, 0):
            return ast.Constant(0)
    if _is(da, 0) and _is(db, 0):
        return ast.Constant(0)
    raise ExpressionError("an expression with a varying divisor of % or // has no derivative")


def _choice(test: ast.expr, da: ast.expr, db: ast.expr) -> ast.expr:
    return ast.Constant(0) if _is(da, 0) and _is(db, 0) else _form("where(c, p, q)", c=test, p=da, q=db)


def _call(function: str, args: list[ast.expr], name: str) -> ast.expr:
    inner = [derivative(a, name) for a in args]
    if all(_is(d, 0) for d in inner):
        return ast.Constant(0)
    match function:
        case "where":
            return _choice(args[0], inner[1], inner[2])
        case "atan2":  # d atan2(p, q) = (q p' - p q')/(p² + q²)
            top = _sum([("+", _times(args[1], inner[0])), ("-", _times(args[0], inner[1]))])
            return _form("n/(p**2 + q**2)", n=top, p=args[0], q=args[1])
        case "min" | "max":
            sign = "<=" if function == "min" else ">="
            rest: ast.expr = args[1] if len(args) == 2 else ast.Call(ast.Name(function), args[1:], [])
            return _choice(_form(f"p {sign} q", p=args[0], q=rest), inner[0], derivative(rest, name))
    return _times(_form(_RULES[function], a=args[0]), inner[0])
