"""Learned factors of coarse couplings in compiled C; what they are made of stands in `conductances.c`."""

from __future__ import annotations

from ctypes import CDLL, c_double
from typing import Any, NamedTuple

import numpy as np

from plexus_kernels.native.aggregate import Rows, balance
from plexus_kernels.native.arrays import checked, pointer
from plexus_kernels.native.loader import library

FEATURES = (
    "coupling", "contrast", "series", "number", "size", "unequal", "outward", "flow",
)  # fmt: skip
"""Names of the features of a coupling, in order; each is a third of a natural logarithm."""
HIDDEN, LARGEST = 24, 20
"""Units of a hidden layer; a flow over half of the couplings it goes through, at most, and one over it."""


class Merged(NamedTuple):
    """What each coupling of a coarse matrix was merged from, (nnz,) each, in the order of its entries.

    Sum of the finer couplings, sum of these in series with what ties their ends to their aggregates, their
    number; what flows through them for vectors x, times the difference of the means of x.
    """

    total: np.ndarray
    series: np.ndarray
    number: np.ndarray
    flow: np.ndarray


def _functions(vectors: int = 0) -> CDLL:
    """Return the library for so many vectors that flow through the couplings."""
    return library("conductances", HIDDEN=HIDDEN, LARGEST=LARGEST, VECTORS=vectors)


def inside(rows: Rows, target: np.ndarray) -> np.ndarray:
    """Return what each row is coupled to inside of its aggregate, (n,); ``target`` (width,) int32."""
    found = np.empty(len(rows.ptr) - 1)
    _functions().inside(*rows.arguments(), _at("target", target, np.int32), pointer(found))
    return found


def relaxed(rows: Rows, x: np.ndarray, damping: float) -> np.ndarray:
    """Return x moved by a share of the way to the mean of what a row is coupled to, (n, vectors).

    ``x`` (width, vectors) holds the rows of others, too.
    """
    found = np.empty((len(rows.ptr) - 1, x.shape[1]))
    arrays = pointer(checked("x", x, np.float64, (None, None))), pointer(found)
    _functions(x.shape[1]).relaxed(*rows.arguments(), c_double(damping), *arrays)
    return found


def merged(
    rows: Rows, target: np.ndarray, inner: np.ndarray, flows: tuple[np.ndarray, np.ndarray], coarse: Rows
) -> Merged:
    """Return what the entries of a coarse matrix were merged from.

    Parameters
    ----------
    rows, coarse : Rows
        The finer and the coarse matrix.
    target : (width,) int32
        Coarse column of each column; -1 for none.
    inner : (width,)
        Result of `inside`, others' rows included.
    flows : (width, vectors) and (width of the coarse matrix, vectors)
        Vectors x, and their means over aggregates; none where flows are not asked for.
    """
    found = Merged(*(np.zeros(len(coarse.val)) for _ in Merged._fields))
    vectors = flows[0].shape[1]
    x, mean = (pointer(checked("flows", f, np.float64, (None, vectors))) for f in flows)
    _functions(vectors).merged(
        *rows.arguments(), _at("target", target, np.int32), _at("inner", inner), x, mean,
        *coarse.arguments()[1:3], *map(pointer, found),
    )  # fmt: skip
    return found


def factors(
    coarse: Rows,
    made: Merged,
    ends: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    weights: np.ndarray,
    reach: float,
) -> tuple[np.ndarray, float, np.ndarray]:
    """Return the factor of each entry, the least one, and the range of the features, (2, features).

    Parameters
    ----------
    coarse, made : Rows, Merged
        Matrix, and what its entries were merged from.
    ends : three of (width,), (width, vectors)
        Logarithms of the diagonal and of the rows of the finer matrix, half the sum of `inside`, and the
        means of `merged`, of each coarse row.
    weights : (parameters,)
        W₁ᵀ, b₁, W₂ᵀ, b₂, W₃ᵀ, b₃ of features → `HIDDEN` → `HIDDEN` → 1.
    reach : float
        Largest logarithm of a factor.
    """
    found, seen = np.empty(len(coarse.val)), np.tile([[np.inf], [-np.inf]], len(FEATURES))
    count = (len(FEATURES) + 1) * HIDDEN + (HIDDEN + 1) * HIDDEN + HIDDEN + 1
    function = _functions(ends[3].shape[1]).factors
    function.restype = c_double
    arrays = [*map(pointer, made), *(_at("ends", end) for end in ends[:3])]
    arrays.append(pointer(checked("ends", ends[3], np.float64, (None, None))))
    arrays.append(pointer(checked("weights", weights, np.float64, (count,))))
    least = function(
        *coarse.arguments(), *arrays, c_double(reach), pointer(found), pointer(seen), pointer(seen[1])
    )
    return found, least, seen


def scale(coarse: Rows, held: np.ndarray, factor: np.ndarray, nu: float) -> None:
    """Multiply the couplings of a matrix in place, and set the diagonal such that row sums are ``held`` (n,).

    Those and couplings that are below zero are multiplied by ``nu``.
    """
    _functions().scale(*coarse.arguments(), _at("factor", factor), c_double(nu), _at("held", held))
    balance(coarse, held)


def texture(rows: Rows, diagonal: np.ndarray) -> np.ndarray:
    """Return sums over rows that are coupled: rows, couplings, and three features of them, (5,)."""
    found = np.zeros(5)
    _functions().texture(*rows.arguments(), _at("diagonal", diagonal), pointer(found))
    return found


def _at(name: str, array: np.ndarray, kind: type = np.float64) -> Any:
    return pointer(checked(name, array, kind, (None,)))
