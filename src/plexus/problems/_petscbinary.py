"""Matrices and vectors in PETSc's binary format: big-endian, 32-bit integers, 64-bit real numbers.

A matrix is a class number, rows, columns, entries, the length of every row, columns, values; a vector is a
class number, a length, values. Source: S. Balay et al., PETSc/TAO Users Manual, ANL-21/39 (2022),
doi:10.2172/1893326, `MatLoad` and `VecLoad`.
"""

from __future__ import annotations

import os
from typing import BinaryIO

import numpy as np

from plexus.errors import InputError
from plexus.problems._entries import Head, Rows, compressed, square

MATRIX, VECTOR = 1211216, 1211214
INTEGER, REAL = np.dtype(">i4"), np.dtype(">f8")


def known(begin: bytes) -> bool:
    """Return whether a file that begins like this is one of PETSc, of any integer width."""
    numbers = [np.array(c, dtype=width) for c in (MATRIX, VECTOR) for width in (">i4", ">i8")]
    return begin.startswith(tuple(number.tobytes() for number in numbers))


def head(path: str) -> Head:
    """Return what the beginning of a file says of its matrix.

    Raises
    ------
    InputError
        If it is none of a real square matrix, or as long as one with other sizes.
    """
    with open(path, "rb") as file:
        _class(path, file, MATRIX)
        rows, columns, entries = _read(path, file, INTEGER, 3).tolist()
    square(path, rows, columns)
    if entries < 0:
        raise InputError(f"{path}: a dense matrix; write it as a sparse one")
    ints = INTEGER.itemsize * (4 + rows + entries)
    _fits(path, ints, entries, "entries")
    return Head(rows, entries)


def rows(path: str) -> Rows:
    """Return all rows of a matrix.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    told = head(path)
    with open(path, "rb") as file:
        file.seek(4 * INTEGER.itemsize)
        lengths = _read(path, file, INTEGER, told.rows).astype(np.int64)
        if (lengths < 0).any() or lengths.sum() != told.stored:
            raise InputError(f"{path}: rows of {lengths.sum()} entries where {told.stored} are told")
        j = _read(path, file, INTEGER, told.stored).astype(np.int64)
        a = _read(path, file, REAL, told.stored).astype(float)
    i = np.repeat(np.arange(told.rows, dtype=np.int64), lengths)
    return compressed(told, i, j, a, lambda k: path)


def array(path: str) -> np.ndarray:
    """Return a vector (n, 1).

    Raises
    ------
    InputError
        If the file holds none, or is damaged.
    """
    with open(path, "rb") as file:
        _class(path, file, VECTOR)
        (n,) = _read(path, file, INTEGER, 1).tolist()
        _fits(path, 2 * INTEGER.itemsize, n, "numbers")
        found = _read(path, file, REAL, n).astype(float)
    for k in np.flatnonzero(~np.isfinite(found))[:1]:
        raise InputError(f"{path}: row {k + 1} has the value {found[k]:g}")
    return found[:, None]


def _class(path: str, file: BinaryIO, expected: int) -> None:
    """Refuse a file of another class, or of 64-bit integers."""
    begin = file.read(8)
    if begin == np.array(expected, dtype=">i8").tobytes():
        raise InputError(
            f"{path}: written by a PETSc with 64-bit integers; write it by one with 32-bit integers, or as "
            "Matrix Market"
        )
    file.seek(INTEGER.itemsize)
    number = int(np.frombuffer(begin[:4].ljust(4, b"\0"), INTEGER)[0])
    if number != expected:
        what = {MATRIX: "matrix", VECTOR: "vector"}
        raise InputError(
            f"{path}: expected a {what[expected]}, this is a {what.get(number, 'another thing')}"
        )


def _fits(path: str, ints: int, numbers: int, what: str) -> None:
    """Refuse a file that is not as long as its sizes say, ``ints`` bytes before its numbers."""
    size, expected = os.path.getsize(path), ints + REAL.itemsize * numbers
    if size == expected + REAL.itemsize * numbers and numbers:
        raise InputError(f"{path}: complex numbers; linear systems here are real")
    if size < expected:
        raise InputError(f"{path}: {size} bytes where {numbers} {what} need {expected}: it is truncated")
    if size > expected:
        raise InputError(f"{path}: {size} bytes where {numbers} {what} need {expected}")


def _read(path: str, file: BinaryIO, kind: np.dtype, number: int) -> np.ndarray:
    """Return numbers of one kind."""
    found = np.frombuffer(file.read(kind.itemsize * number), kind)
    if len(found) < number:
        raise InputError(f"{path}: the file ends too early: it is truncated")
    return found
