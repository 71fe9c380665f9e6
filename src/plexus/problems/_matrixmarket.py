"""Matrices and arrays in the text format of Matrix Market.

A line ``%%MatrixMarket matrix coordinate real symmetric``, comments behind ``%``, a line of sizes, an entry
per line. Source: R. F. Boisvert, R. Pozo, K. A. Remington, NISTIR 5935 (1996), doi:10.6028/NIST.IR.5935.
"""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

import numpy as np

from plexus.errors import InputError
from plexus.problems._entries import Head, Rows, compressed, square

MAGIC = b"%%MatrixMarket"
SYMMETRIES = ("general", "symmetric", "skew-symmetric", "hermitian")
FIELDS = ("real", "double", "integer")
LEAST = len("1 1 1\n")
"""Bytes of the shortest entry; the last line may end without its end."""


def head(path: str) -> Head:
    """Return what the beginning of a file says of its matrix.

    Raises
    ------
    InputError
        If it is none of a real square sparse matrix.
    """
    with open(path, "rb") as file:
        return _head(path, file)[0]


def rows(path: str) -> Rows:
    """Return all rows of a matrix.

    Raises
    ------
    InputError
        If the file is damaged, with the line.
    """
    with open(path, "rb") as file:
        told, first = _head(path, file)
        numbers = _numbers(path, file.read(), first, 3, told.stored, "entries").reshape(-1, 3)
    places = numbers[:, :2]
    for k in np.flatnonzero((places != np.rint(places)).any(axis=1))[:1]:
        raise InputError(f"{path}:{_line(path, first, k)}: row and column are no whole numbers")
    i, j = places.T.astype(np.int64) - 1

    def where(k: int) -> str:
        return path if k < 0 else f"{path}:{_line(path, first, k)}"

    return compressed(told, i, j, numbers[:, 2].copy(), where)


def array(path: str) -> np.ndarray:
    """Return an array (n, k).

    Raises
    ------
    InputError
        If the file holds none, or is damaged, with the line.
    """
    with open(path, "rb") as file:
        words, sizes, first = _begin(path, file)
        if words[2] != "array" or words[4] != "general":
            raise InputError(f"{path}:1: expected `matrix array real general`, not {' '.join(words[1:])!r}")
        n, k = sizes
        numbers = _numbers(path, file.read(), first, 1, n * k, "numbers")
    for lost in np.flatnonzero(~np.isfinite(numbers))[:1]:
        line = _line(path, first, lost)
        raise InputError(f"{path}:{line}: row {lost % n + 1} has the value {numbers[lost]:g}")
    return numbers.reshape(k, n).T


def _head(path: str, file: BinaryIO) -> tuple[Head, int]:
    """Return the head, and the line of the first entry."""
    words, sizes, first = _begin(path, file)
    if words[2] != "coordinate":
        raise InputError(f"{path}:1: a dense matrix; write its entries as `matrix coordinate real general`")
    at, left = f"{path}:{first - 1}", os.fstat(file.fileno()).st_size - file.tell()
    square(at, sizes[0], sizes[1])
    if sizes[2] * LEAST > left + 1:
        raise InputError(f"{at}: {sizes[2]} entries do not fit into the {left} bytes that follow: truncated")
    if sizes[0] > sizes[2]:
        raise InputError(f"{at}: {sizes[0]} rows and {sizes[2]} entries: each row needs one on its diagonal")
    return Head(sizes[0], sizes[2], words[4] == "symmetric"), first


def _begin(path: str, file: BinaryIO) -> tuple[list[str], list[int], int]:
    """Return the words of the first line, the sizes, and the number of the line behind them."""
    words = file.readline(200).decode("latin-1").lower().split()
    if len(words) != 5 or words[:2] != [MAGIC.decode().lower(), "matrix"] or words[4] not in SYMMETRIES:
        raise InputError(f"{path}:1: not a first line of Matrix Market: {' '.join(words)[:60]!r}")
    if words[3] == "complex" or words[4] == "hermitian":
        raise InputError(f"{path}:1: complex numbers; linear systems here are real")
    if words[4] == "skew-symmetric":
        raise InputError(f"{path}:1: a skew-symmetric matrix has no diagonal, which solvers need")
    if words[3] not in FIELDS:
        raise InputError(f"{path}:1: a {words[3]} has no values; `real` is needed")
    for line in count(2):
        text = file.readline()
        if text and (not text.strip() or text.startswith(b"%")):
            continue
        sizes = text.split()
        # arrays tell two sizes, matrices a number of entries beside
        if len(sizes) != (2 if words[2] == "array" else 3) or not all(map(bytes.isdigit, sizes)):
            raise InputError(f"{path}:{line}: expected sizes, not {text.decode('latin-1').strip()[:60]!r}")
        return words, [int(size) for size in sizes], line + 1
    raise AssertionError("a file ends")


def _numbers(path: str, text: bytes, first: int, width: int, lines: int, what: str) -> np.ndarray:
    """Return the numbers of all lines, (lines · width,)."""
    found = _fast(text) if _filled(text, width) == lines else None
    if found is not None and len(found) == width * lines:
        return found
    told = 0
    for line, row in enumerate(text.splitlines(), start=first):
        numbers = row.split()
        if not numbers:
            continue
        if len(numbers) != width or not all(map(_number, numbers)):
            shown = row.decode("latin-1").strip()[:60]
            raise InputError(f"{path}:{line}: expected {width} number{'s' * (width > 1)}, not {shown!r}")
        told += 1
        if told > lines:
            raise InputError(f"{path}:{line}: more than the {lines} {what} that line {first - 1} tells")
    if told < lines:
        last = first + len(text.splitlines()) - 1
        raise InputError(f"{path}:{last}: the file ends after {told} of {lines} {what}: it is truncated")
    return np.array([float(word) for word in text.split()])


def _fast(text: bytes) -> np.ndarray | None:
    """Return all numbers of a text, None where a word is none."""
    # NumPy warns of such a word, and keeps what it has read of it
    with warnings.catch_warnings(), suppress(ValueError, DeprecationWarning):
        warnings.simplefilter("error", DeprecationWarning)
        return np.fromstring(text.decode("latin-1"), sep=" ") if text.strip() else np.empty(0)
    return None


def _number(word: bytes) -> bool:
    """Return whether a word is a number here: Python's, but for its underscores."""
    with suppress(ValueError):
        return b"_" not in word and float(word) is not None
    return False


def _filled(text: bytes, width: int) -> int:
    """Return the number of lines that are not blank, -1 if one of them has not ``width`` words."""
    signs = np.frombuffer(text + b"\n", np.uint8)
    blank = signs <= ord(" ")
    begins = np.flatnonzero(~blank & np.concatenate([[True], blank[:-1]]))
    words = np.bincount(np.searchsorted(np.flatnonzero(signs == ord("\n")), begins))
    words = words[words > 0]
    return len(words) if (words == width).all() else -1


def _line(path: str, first: int, k: int) -> int:
    """Return the line of the k-th entry, from zero; blank lines hold none."""
    lines = Path(path).read_bytes().splitlines()[first - 1 :]
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return first + filled[k]
