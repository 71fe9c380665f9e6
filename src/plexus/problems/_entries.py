"""Entries of a square matrix as a file has them, and the compressed rows of which each is checked.

Checks need the place of an entry in its file for their messages: `where` tells it by the entry's number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from plexus.errors import InputError

Where = Callable[[int], str]
"""Number of an entry, from zero -> ``file:line`` or ``file``."""


@dataclass(frozen=True, eq=False)
class Head:
    """What the beginning of a file says of its matrix.

    Attributes
    ----------
    rows : number of rows and columns.
    stored : number of entries in the file.
    mirror : whether an entry (i, j) is that of (j, i) too.
    """

    rows: int
    stored: int
    mirror: bool = False


@dataclass(frozen=True, eq=False)
class Rows:
    """All rows of a matrix, columns ascending."""

    pointer: np.ndarray
    columns: np.ndarray
    values: np.ndarray


def square(name: str, rows: int, columns: int) -> None:
    """Refuse a matrix that is not square.

    Raises
    ------
    InputError
        With the place ``name`` in front.
    """
    if rows != columns:
        raise InputError(f"{name}: {rows} rows and {columns} columns: a linear system needs a square matrix")
    if rows < 1:
        raise InputError(f"{name}: a matrix without rows")


def compressed(head: Head, i: np.ndarray, j: np.ndarray, a: np.ndarray, where: Where) -> Rows:
    """Return the rows of entries a (k,) at rows i and columns j (k,), counted from zero.

    Raises
    ------
    InputError
        If an entry lies outside, is not finite, or has two values; if a row has no diagonal entry.
    """
    n, number = head.rows, np.arange(len(a))
    for k in np.flatnonzero((i < 0) | (i >= n) | (j < 0) | (j >= n))[:1]:
        raise InputError(f"{where(k)}: entry ({i[k] + 1}, {j[k] + 1}) lies outside of {n} rows and columns")
    for k in np.flatnonzero(~np.isfinite(a))[:1]:
        raise InputError(f"{where(k)}: row {i[k] + 1}, column {j[k] + 1} has the value {a[k]:g}")
    if head.mirror:
        off = np.flatnonzero(i != j)
        i, j = np.concatenate([i, j[off]]), np.concatenate([j, i[off]])
        a, number = np.concatenate([a, a[off]]), np.concatenate([number, off])
    order = np.argsort(i * n + j, kind="stable")
    i, j, a, number = i[order], j[order], a[order], number[order]
    again = (np.diff(i) == 0) & (np.diff(j) == 0)
    for k in np.flatnonzero(again & (np.diff(a) != 0))[:1]:
        raise InputError(
            f"{where(max(number[k : k + 2]))}: row {i[k] + 1}, column {j[k] + 1} has two values, "
            f"{a[k]:g} and {a[k + 1]:g}"
        )
    once = np.concatenate([[True], ~again]) if len(a) else np.zeros(0, bool)
    i, j, a = i[once], j[once], a[once]
    pointer = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=n))])
    for k in np.flatnonzero(np.bincount(i[i == j], minlength=n) == 0)[:1]:
        raise InputError(f"{where(-1)}: row {k + 1} has no diagonal entry; one that is zero will do")
    return Rows(pointer, j, a)
