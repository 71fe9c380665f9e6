"""Multigrid cycles in compiled C; what a level holds and what a cycle does stand in `multigrid.c`."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from plexus_kernels.native.aggregate import Rows, outline
from plexus_kernels.native.arrays import checked, pointer
from plexus_kernels.native.loader import library

_AT, _N, _REAL = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
LANES, SPREAD = 16, 3
"""Rows of a bundle in C, and places for entries in one over its entries, at most."""
_HALO = ctypes.CFUNCTYPE(None, _N, _AT)
_SUM = ctypes.CFUNCTYPE(None, ctypes.POINTER(_REAL), _N)
_BOTTOM = ctypes.CFUNCTYPE(None, _AT, _AT)


class _Level(ctypes.Structure):
    _fields_ = (
        *((name, _N) for name in ("n", "width", "coarse", "columns")),
        *((name, _AT) for name in ("start", "where", "index", "names", "val", "sums", "inverse", "weights")),
        *((name, _REAL) for name in ("lo", "hi", "a", "b")),
        ("mixed", _AT),
        *((name, _N) for name in ("degree", "dense")),
        *((name, _AT) for name in ("x", "y", "d", "f", "s", "q", "o")),
    )


class _Grid(ctypes.Structure):
    _fields_ = (
        ("levels", ctypes.POINTER(_Level)), ("count", _N), ("krylov", _N), ("shared", _N),
        ("halo", _HALO), ("sum", _SUM), ("bottom", _BOTTOM),
    )  # fmt: skip


class Packed(NamedTuple):
    """A matrix in bundles: start, where, index, val of C; sums of rows; 1/diagonal."""

    start: np.ndarray
    where: np.ndarray
    numbers: np.ndarray
    val: np.ndarray
    sums: np.ndarray
    inverse: np.ndarray


@dataclass
class Level:
    """One level of a hierarchy.

    Attributes
    ----------
    ptr, col, val
        Matrix, as in `plexus_kernels.native.aggregate.Rows`; ``val`` may have any real type.
    width : int
        Columns, those of other ranks included.
    diagonal : (n,)
        Of the matrix.
    names : (n,) int32 or None
        Aggregate of each row; None on the last level.
    weights : (n, k) or None
        Numbers of P; ones without.
    coarse : int
        Rows of the next level.
    smoother : (float, float)
        Interval of the smoother's polynomial.
    degree : int
        Terms of that polynomial.
    mixed : (degree,) float64 or None
        W_j = ω_j + … + ω_degree, if Σ_j ω_j x_j of the smoother's iterates is taken and not the last one.
    inverse : (n, n) or None
        Inverse of the whole matrix, on a last level that is solved directly.
    held : (n,) or None
        Sums of rows, where they are known better than entries tell.
    packed : Packed or None
        The matrix as C reads it, once it is made.
    """

    ptr: np.ndarray
    col: np.ndarray
    val: np.ndarray
    width: int
    diagonal: np.ndarray
    names: np.ndarray | None = None
    weights: np.ndarray | None = None
    coarse: int = 0
    smoother: tuple[float, float] = (0.0, 0.0)
    degree: int = 0
    mixed: np.ndarray | None = None
    inverse: np.ndarray | None = None
    held: np.ndarray | None = None
    packed: Packed | None = None

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.ptr) - 1

    def pack(self, bits: int) -> None:
        """Turn the matrix into what C reads and let go of its rows."""
        self.packed = packed(self, bits)
        self.col, self.val, self.diagonal = np.empty(0, np.int32), np.empty(0), np.empty(0)
        self.held = None


@cache
def _functions(bits: int) -> tuple[Any, Any, Any]:
    found = library("multigrid", BITS=bits)
    for function in (found.apply, found.solve):
        function.argtypes, function.restype = (_AT, _N, _REAL, _REAL, _AT, _AT), None
    found.product.argtypes, found.product.restype = (_AT, _N, _AT, _AT), None
    return found.apply, found.solve, found.product


def packed(level: Level, bits: int) -> Packed:
    """Return the matrix of a level as C reads it in a precision."""
    n, count, nnz = level.n, -(-level.n // LANES), int(level.ptr[-1])
    kind, entry = _kinds(bits)
    start, where = np.zeros((2, count + 1), np.int64)
    # untouched pages of an array cost nothing
    index, val = np.empty(nnz + count * LANES, np.int32), np.empty(SPREAD * nnz, entry)
    rows = Rows(level.ptr, level.col, np.ascontiguousarray(level.val, np.float64))
    sums = np.zeros(n + LANES, kind)
    sums[:n] = outline(rows)[2] if level.held is None else level.held
    bundle = library("multigrid", BITS=bits).bundle
    bundle.restype = None
    bundle(*rows.arguments(), _N(level.width), *map(pointer, (start, where, index, val)))
    inverse = np.divide(1.0, level.diagonal, out=np.empty(n, kind), casting="unsafe")
    return Packed(start, where, index, val, sums, inverse)


def _kinds(bits: int) -> tuple[Any, Any]:
    """Return the types of vectors and of entries."""
    kind: Any = np.dtype("f8" if bits == 64 else "f4")
    return kind, np.uint16 if bits == 16 else kind


class Cycle:
    """Cycles on a hierarchy; arrays stay where they are from construction on.

    Parameters
    ----------
    levels : sequence of Level
        From the finest on.
    bits : 16, 32 or 64
        Precision of what is inside; with 16 that of matrices, of vectors 32.
    krylov : bool
        Solve coarse problems by two steps of flexible conjugate gradients.
    halo : callable, optional
        ``halo(level, vector)`` fills the columns of other ranks.
    total : callable, optional
        ``total(array)`` adds an array over the ranks in place.
    bottom : callable, optional
        ``bottom(b, x)`` solves on a last level without inverse, in place.
    """

    def __init__(
        self,
        levels: Sequence[Level],
        bits: int,
        krylov: bool = False,
        halo: Callable[[int, np.ndarray], None] | None = None,
        total: Callable[[np.ndarray], None] | None = None,
        bottom: Callable[[np.ndarray, np.ndarray], None] | None = None,
    ):
        self._bits, self._kind = bits, _kinds(bits)[0]
        self._apply, self._solve, self._product = _functions(bits)
        self._kept: list[Any] = []
        self._vectors: dict[int, np.ndarray] = {}
        self._failed: BaseException | None = None
        self._levels = (_Level * len(levels))(*map(self._level, levels))
        self.sizes = [level.n for level in levels]
        self._grid = _Grid(self._levels, len(levels), krylov, halo is not None)
        vectors = self._vectors
        if halo is not None:
            self._grid.halo = _HALO(self._kept_safe(lambda l, at: halo(l, vectors[at])))
        if total is not None:
            self._grid.sum = _SUM(self._kept_safe(lambda at, n: total(np.ctypeslib.as_array(at, (n,)))))
        if bottom is not None:
            n = self.sizes[-1]
            self._grid.bottom = _BOTTOM(self._kept_safe(lambda b, x: bottom(vectors[b][:n], vectors[x][:n])))

    def _kept_safe(self, function: Callable[..., None]) -> Callable[..., None]:
        """Return a callback that keeps what it raises until C has returned."""

        def run(*args: Any) -> None:
            try:
                function(*args)
            except BaseException as e:
                self._failed = self._failed or e

        return run

    def _level(self, level: Level) -> _Level:
        """Return a level in C; its arrays are kept alive."""
        # a bundle reads up to its last lane
        count = 6 if level.mixed is None else 7
        work = [np.zeros(level.width + LANES, self._kind) for _ in range(count)]
        columns = 1 if level.weights is None else level.weights.shape[1]
        matrix = level.packed or packed(level, self._bits)
        inverse = matrix.inverse if level.inverse is None else self._cast(level.inverse)
        weights = self._cast(level.weights)
        arrays = [*matrix[:3], level.names, *matrix[3:5], inverse, weights, level.mixed, *work]
        self._kept.append(arrays)
        self._vectors |= {vector.ctypes.data: vector[: level.width] for vector in work}
        at = [0 if a is None else a.ctypes.data for a in arrays]
        return _Level(
            level.n, level.width, level.coarse, columns, *at[:8], *level.smoother, 0.0, 0.0, at[8],
            level.degree, level.inverse is not None, *at[9:],
        )  # fmt: skip

    def _cast(self, array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else np.ascontiguousarray(array, self._kind)

    def bound(self, level: int, a: float, b: float) -> None:
        """Let the problem of a level be solved by two Chebyshev steps on [a, b] of its cycle."""
        self._levels[level].a, self._levels[level].b = a, b

    def apply(
        self, b: np.ndarray, x: np.ndarray, level: int = 0, scale: tuple[float, float] = (1.0, 1.0)
    ) -> None:
        """Set x to s₁ M (s₀ b) for the cycle M from a level on; (n,) float64 each."""
        self._call(self._apply, b, x, level, scale)

    def solve(self, b: np.ndarray, x: np.ndarray) -> None:
        """Set x to what coarse problems take for A⁻¹ b on the finest level."""
        self._call(self._solve, b, x, 0, (1.0, 1.0))

    def _call(self, f: Any, b: np.ndarray, x: np.ndarray, level: int, scale: tuple[float, float]) -> None:
        n = (self.sizes[level],)
        f(
            ctypes.addressof(self._grid), level, *scale,
            pointer(checked("b", b, np.float64, n)), pointer(checked("x", x, np.float64, n)),
        )  # fmt: skip
        self._raise()

    def _raise(self) -> None:
        """Raise what a callback met."""
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def product(self, x: np.ndarray, y: np.ndarray, level: int) -> None:
        """Set y to A x on a level; (n,) float64 each."""
        n = (self.sizes[level],)
        self._product(
            ctypes.addressof(self._grid), level,
            pointer(checked("x", x, np.float64, n)), pointer(checked("y", y, np.float64, n)),
        )  # fmt: skip
        self._raise()
