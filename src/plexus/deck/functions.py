"""The functions of expressions, on floats, NumPy arrays and torch tensors alike.

Neither NumPy nor torch is imported before an array of that library arrives, so checking a deck loads
neither.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

CONSTANTS = {"pi": math.pi, "e": math.e}
ARITY = {
    "sin": 1, "cos": 1, "tan": 1, "asin": 1, "acos": 1, "atan": 1, "sinh": 1, "cosh": 1, "tanh": 1, "exp": 1,
    "log": 1, "log10": 1, "sqrt": 1, "abs": 1, "floor": 1, "sign": 1, "heaviside": 1, "ramp": 1,
    "atan2": 2, "min": None, "max": None, "where": 3,
}  # fmt: skip
"""Function -> number of arguments; None: two or more."""
PARTIAL = ("tan", "asin", "acos", "sinh", "cosh", "exp", "log", "log10", "sqrt")
"""Functions without a finite value for some arguments."""
TIPS = {
    "ramp": "ramp(t) = t clipped to 0..1", "heaviside": "1 where the argument is >= 0, else 0",
    "where": "where(condition, a, b)", "sign": "-1, 0 or 1", "log": "natural logarithm",
}  # fmt: skip
_NUMPY = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}


def _is_tensor(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "torch"


def library(*values: Any) -> Any:
    """Return ``math`` for plain numbers, torch when any value is a tensor, NumPy otherwise."""
    arrays = [v for v in values if not isinstance(v, (int, float))]
    if not arrays:
        return math
    for array in arrays:
        if _is_tensor(array):
            return sys.modules["torch"]
    import numpy

    return numpy


def where(condition: Any, a: Any, b: Any) -> Any:
    """Return ``a`` where the condition holds, else ``b``."""
    lib = library(condition, a, b)
    if lib is math:
        return a if condition else b
    if lib.__name__ == "torch":
        # Two plain numbers would become single precision, so they are made tensors first.
        like = next(v for v in (condition, a, b) if _is_tensor(v))
        a, b = (v if _is_tensor(v) else lib.tensor(v, dtype=lib.float64, device=like.device) for v in (a, b))
        if not _is_tensor(condition):
            return a if condition else b
        condition = condition.bool()
    return lib.where(condition, a, b)


def minimum(a: Any, b: Any) -> Any:
    """Return the pointwise smaller one."""
    return where(a <= b, a, b)


def maximum(a: Any, b: Any) -> Any:
    """Return the pointwise larger one."""
    return where(a >= b, a, b)


def _sign(x: Any) -> Any:
    return where(x > 0, 1.0, where(x < 0, -1.0, 0.0))


_SPECIAL: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "sign": _sign,
    "where": where,
    "heaviside": lambda x: where(x >= 0, 1.0, 0.0),
    "ramp": lambda x: where(x <= 0, 0.0, where(x >= 1, 1.0, x)),
}


def call(name: str, values: list[Any]) -> Any:
    """Return the function's value.

    Raises
    ------
    ArithmeticError, ValueError
        For plain numbers outside the domain (arrays give NaN).
    """
    if name in ("min", "max"):
        result = values[0]
        for value in values[1:]:
            result = (minimum if name == "min" else maximum)(result, value)
        return result
    # These are made of comparisons and `where`, which all three kinds of numbers have.
    if name in _SPECIAL:
        return _SPECIAL[name](*values)
    lib = library(*values)
    if lib is math:
        return float(getattr(math, name)(*values))
    if lib.__name__ == "torch":
        # torch functions take tensors only, also where one of two arguments is a plain number.
        values = [v if _is_tensor(v) else lib.as_tensor(v, dtype=lib.float64) for v in values]
        return getattr(lib, name)(*values)
    return getattr(lib, _NUMPY.get(name, name))(*values)
