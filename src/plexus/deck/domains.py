"""Where an expression has no value: which part of it, at which place and time, from which numbers.

The expression is computed once more at the first point that was lost, part by part.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus.deck.syntax import COORDINATES, place

if TYPE_CHECKING:
    from plexus.deck.expressions import Expression

_NEEDS = {
    "sqrt": "sqrt needs a number >= 0", "log": "log needs a number > 0", "log10": "log10 needs a number > 0",
    "asin": "asin needs a number from -1 to 1", "acos": "acos needs a number from -1 to 1",
    "exp": "exp overflows above 709", "sinh": "sinh overflows above 710", "cosh": "cosh overflows above 710",
}  # fmt: skip


def sentence(expression: Expression, value: Any, namespace: Mapping[str, Any]) -> str:
    """Return what has no finite value, from which numbers, where and when."""
    at = _point(expression, value, namespace)
    tree, text = expression.tree, expression.text
    part = _culprit(expression, tree, at)
    _, name = place(text, tree, part)
    said = repr(text) if part is tree else f"{name!r} in {text!r}"
    where = ", ".join(f"{n} = {v:.6g}{' m' * (n in 'xyz')}{' s' * (n == 't')}" for n, v in at.items())
    return f"{said} has no value where {where}: {_reason(expression, part, at)}"


def _point(expression: Expression, value: Any, namespace: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers behind all names at the first value that is not finite, with place and time."""
    import numpy as np

    array = np.asarray(value, dtype=float)
    first = int(np.flatnonzero(~np.isfinite(array.ravel()))[0])

    def there(name: str) -> float:
        found = np.asarray(namespace[name], dtype=float)
        if array.size > 1 or found.ndim == 0 or found.size == 1:
            return float(
                np.broadcast_to(found, array.shape).ravel()[first] if array.size > 1 else found.ravel()[0]
            )
        return float(found.ravel()[0])

    # a value that is one number for all points has no place
    about = {*(n for n in ("x", "y") if array.size > 1), "t"} & set(namespace)
    names = sorted(expression.names | about, key=lambda n: (n in COORDINATES, n == "t", n))
    return {n: there(n) for n in names}


def _culprit(expression: Expression, node: ast.expr, at: Mapping[str, float]) -> ast.expr:
    """Return the smallest part without a value whose own parts all have one."""
    children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    for child in children:
        if isinstance(child, ast.expr) and not math.isfinite(expression.part(child, at)):
            return _culprit(expression, child, at)
    return node


def _reason(expression: Expression, part: ast.expr, at: Mapping[str, float]) -> str:
    match part:
        case ast.BinOp(left=a, op=ast.Pow(), right=b):
            base, power = expression.part(a, at), expression.part(b, at)
            if base < 0:
                return f"{base:.6g} is negative and has no power {power:.6g}"
            return f"{base:.6g} to the power {power:.6g} is not finite"
        case ast.BinOp(right=b) if expression.part(b, at) == 0:
            return "division by zero"
        case ast.Call(func=ast.Name(id=name), args=[a]):
            return f"{_NEEDS.get(name, name)}, not {expression.part(a, at):.6g}"
    return "it is not finite"
