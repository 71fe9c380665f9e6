"""The few array functions that NumPy and torch spell differently, so that formulas are written once.

Operators, indexing, ``sum``, ``mean`` and ``reshape`` work on both kinds of arrays as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

import numpy as np

Array = Any


def namespace(*arrays: Array) -> ModuleType:
    """Return ``torch`` if any argument is a tensor, else ``numpy``; never imports torch itself."""
    torch = sys.modules.get("torch")
    if torch is not None:
        # laws ask a hundred thousand times: a plain loop takes half of what `any` does
        for array in arrays:
            if isinstance(array, torch.Tensor):
                return torch
    return np


def einsum(formula: str, *arrays: Array, as_matrices: bool = False) -> Array:
    """Return the Einstein sum; with more than two factors NumPy chooses the order of contraction first.

    ``as_matrices`` lets it multiply two factors as matrices, which pays for sums over many numbers.
    """
    xp = namespace(*arrays)
    if xp is not np:
        return xp.einsum(formula, *arrays)
    return np.einsum(formula, *arrays, optimize=as_matrices or len(arrays) > 2)


def like(value: Any, array: Array) -> Array:
    """Return ``value`` (number or NumPy array) as a float64 array of the kind and device of ``array``."""
    xp = namespace(array)
    if xp is np:
        return np.asarray(value, dtype=np.float64)
    return xp.as_tensor(value, dtype=array.dtype, device=array.device)


def copied(array: Array) -> Array:
    """Return the same values in memory of their own."""
    return array.copy() if namespace(array) is np else array.clone()


def stack(arrays: Sequence[Array], axis: int = -1) -> Array:
    """Stack arrays that broadcast against each other along a new axis."""
    xp = namespace(*arrays)
    if xp is np:
        return np.stack(np.broadcast_arrays(*arrays), axis)
    model = next(a for a in arrays if namespace(a) is xp)
    return xp.stack(xp.broadcast_tensors(*[like(a, model) for a in arrays]), axis)


def where(condition: Array, a: Array, b: Array) -> Array:
    """Choose elementwise; ``a`` and ``b`` may be numbers."""
    xp = namespace(condition, a, b)
    if xp is np:
        return np.where(condition, a, b)
    model = next((v for v in (a, b) if isinstance(v, xp.Tensor)), None)
    if model is None:
        model = 1.0 * condition
    chosen = condition if getattr(condition, "dtype", None) == xp.bool else like(condition, model) != 0
    return xp.where(chosen, like(a, model), like(b, model))


def maximum(a: Array, b: Array) -> Array:
    """Elementwise maximum; one of the two may be a number."""
    return where(a >= b, a, b)


def exp(a: Array) -> Array:
    """Elementwise exponential."""
    return namespace(a).exp(a)


def log(a: Array) -> Array:
    """Elementwise natural logarithm."""
    return namespace(a).log(a)


def root(square: Array) -> Array:
    """Return the square root of what is at least 0; its slope at 0, which is none, counts as 0."""
    size: Array = where(square > 0, square, 1.0) ** 0.5
    return where(square > 0, size, 0.0 * square)


def unrecorded(*arrays: Array) -> AbstractContextManager[None]:
    """Return what iterations are found in whose steps no derivative takes: tensors keep no graph in it."""
    xp = namespace(*arrays)
    return nullcontext() if xp is np else xp.no_grad()


def eye(n: int, model: Array) -> Array:
    """Identity (n, n) of the kind and device of ``model``."""
    return like(np.eye(n), model)


def scaled(factor: Array, vectors: Array) -> Array:
    """Return vectors (..., d) times a factor (...) or one that broadcasts to it.

    One component at a time: loops over a short last axis are slow, and torch's sum over one, which a gradient
    with respect to the factor takes, is thirty times as slow as that of its columns.
    """
    return stack([factor * vectors[..., j] for j in range(vectors.shape[-1])])


def diagonal(value: Array, n: int) -> Array:
    """Return the matrices (..., n, n) with a value (...) on their diagonals."""
    shape = (*value.shape, n, n)
    out = np.zeros(shape) if namespace(value) is np else value.new_zeros(shape)
    for i in range(n):
        out[..., i, i] = value
    return out


def shifted(tensors: Array, value: Array) -> Array:
    """Return tensors (..., n, n) with a value (...) that broadcasts to them added on their diagonals."""
    n = tensors.shape[-1]
    if namespace(tensors, value) is not np:
        return tensors + value[..., None, None] * eye(n, tensors)
    out = np.array(np.broadcast_to(tensors, (*np.broadcast_shapes(tensors.shape[:-2], value.shape), n, n)))
    for i in range(n):
        out[..., i, i] += value
    return out


def add_at(out: Array, index: Array, values: Array) -> None:
    """Add ``values`` (..., m) to rows ``index`` (...) of ``out`` (N, m) in place; repeated rows add up."""
    xp = namespace(out)
    if xp is np:
        np.add.at(out, index, values)
    else:
        out.index_put_((index.long(),), values, accumulate=True)
