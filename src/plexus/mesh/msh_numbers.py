"""Sections of a Gmsh MSH file as streams of numbers, the same for its text and its binary form."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Protocol

import numpy as np

from plexus.errors import InputError
from plexus.fileformat import special

_INT, _SIZE, _REAL = np.dtype("<i4"), np.dtype("<u8"), np.dtype("<f8")


class Numbers(Protocol):
    """A section's numbers, read from front to back; running past the end is an `InputError`."""

    def ints(self, n: int) -> np.ndarray:
        """Return the next n entries of type ``int`` as int64."""

    def sizes(self, n: int) -> np.ndarray:
        """Return the next n entries of type ``size_t`` as int64."""

    def reals(self, n: int) -> np.ndarray:
        """Return the next n entries of type ``double``."""

    def end(self, what: str = "", said: int = 0, found: int = 0) -> None:
        """Refuse another number of things than the section says, and numbers behind the last one."""

    def fail(self, message: str, back: int = 0) -> InputError:
        """Return an error that names the file and the place, ``back`` entries of type size_t ago."""


class TextNumbers:
    """Numbers of a text section that starts at ``line``; all of them are parsed at once."""

    def __init__(self, path: Path, text: bytes, line: int):
        self.path, self.text, self.line, self.at = path, text, line, 0
        self.values, self.whole = _parse(text)

    def ints(self, n: int) -> np.ndarray:
        """Return the next n entries as int64."""
        values = self.reals(n)
        odd = ~(np.abs(values) < WHOLE) | (values != np.trunc(values))
        if odd.any():
            first = int(np.argmax(odd))
            self.at -= n - first - 1
            raise self.fail(f"{values[first]:g} stands where a whole number is expected")
        return values.astype(np.int64)

    sizes = ints

    def reals(self, n: int) -> np.ndarray:
        """Return the next n entries."""
        # one entry beyond the numbers there are: a word that is none, or the end
        if n < 0 or self.at + n > len(self.values):
            self.at = len(self.values) + 1
            bad = self.text.split()[len(self.values) : self.at]
            raise self.fail(f"{bad[0].decode(errors='replace')!r} is not a number" if bad else TOO_SHORT)
        self.at += n
        return self.values[self.at - n : self.at]

    def end(self, what: str = "", said: int = 0, found: int = 0) -> None:
        """Refuse another number of things than the section says, and numbers behind the last one."""
        if said != found:
            raise self.fail(_miscounted(what, said, found))
        if self.at < len(self.values):
            self.at += 1
            raise self.fail(TOO_LONG)
        # a word that is no number ends the numbers
        self.reals(0 if self.whole else 1)

    def fail(self, message: str, back: int = 0) -> InputError:
        """Return an error at the line of the entry read last, or ``back`` entries before it."""
        lines = self.text.splitlines() or [b""]
        # line of entry k: the first line up to whose end k entries have been
        ends = np.cumsum([len(line.split()) for line in lines])
        inside = min(int(np.searchsorted(ends, self.at - back)), len(lines) - 1)
        return InputError(f"{self.path}:{self.line + inside}: {message}")


class BinaryNumbers:
    """Numbers of a binary section (little endian, 4-byte int, 8-byte size_t) that starts at a byte."""

    def __init__(self, path: Path, data: memoryview, start: int):
        self.path, self.data, self.start, self.at = path, data, start, 0

    def ints(self, n: int) -> np.ndarray:
        """Return the next n entries as int64."""
        return self._take(n, _INT).astype(np.int64)

    def sizes(self, n: int) -> np.ndarray:
        """Return the next n entries as int64."""
        return self._take(n, _SIZE).astype(np.int64)

    def reals(self, n: int) -> np.ndarray:
        """Return the next n entries."""
        return self._take(n, _REAL)

    def end(self, what: str = "", said: int = 0, found: int = 0) -> None:
        """Refuse another number of things than the section says, and bytes behind the last one."""
        if said != found:
            raise self.fail(_miscounted(what, said, found))
        if bytes(self.data[self.at : self.at + 2]).strip() or len(self.data) - self.at > 2:
            raise self.fail(TOO_LONG)

    def fail(self, message: str, back: int = 0) -> InputError:
        """Return an error at the byte reached so far, or ``back`` sizes before it."""
        return InputError(f"{self.path}: byte {self.start + self.at - back * _SIZE.itemsize}: {message}")

    def skip(self, n_sizes: int) -> None:
        """Pass entries of type size_t without a look at them."""
        if n_sizes < 0 or self.at + n_sizes * _SIZE.itemsize > len(self.data):
            raise self.fail(TOO_SHORT)
        self.at += n_sizes * _SIZE.itemsize

    def _take(self, n: int, kind: np.dtype) -> np.ndarray:
        if n < 0 or self.at + n * kind.itemsize > len(self.data):
            raise self.fail(TOO_SHORT)
        values = np.frombuffer(self.data, kind, n, self.at)
        self.at += n * kind.itemsize
        return values


TOO_SHORT = "the section ends before all its entries are there"
TOO_LONG = "the section goes on behind its last entry: its counts are wrong"
WHOLE = 2.0**53
"""Numbers of a text below it are whole or not; above it nothing is between them."""


def _miscounted(what: str, said: int, found: int) -> str:
    return f"the section says that it has {said:,} {what}s, and has {found:,}"


def _parse(text: bytes) -> tuple[np.ndarray, bool]:
    """Return all numbers of a text up to the first word that is none, and whether there is no such word."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(text, sep=" "), True
        except (DeprecationWarning, ValueError):
            pass
    # np.fromstring stops without saying where; word by word finds the place
    values: list[float] = []
    for word in text.split():
        try:
            values.append(float(word))
        except ValueError:
            return np.array(values), False
    return np.array(values), True


class MshFile:
    """A Gmsh file of version 4.1, text or binary, in memory; gives access to its sections.

    Raises
    ------
    InputError
        If the file cannot be read, is not a Gmsh file or has another version.
    """

    def __init__(self, path: Path):
        self.path = path
        if what := special(path):
            raise InputError(f"{path} is {what}, not a mesh")
        try:
            self.data = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot read the mesh: {error.strerror}") from None
        lines = self.data[:200].split(b"\n")
        words = lines[1].split() if len(lines) > 1 else []
        if lines[0].strip() != b"$MeshFormat" or len(words) != 3:
            raise InputError(f"{path}:1: not a Gmsh mesh: it does not start with $MeshFormat")
        if words[0] != b"4.1" or words[2] != b"8":
            raise InputError(
                f"{path}:2: MSH version {words[0].decode(errors='replace')} is not supported; "
                "save the mesh as version 4.1 (gmsh -format msh41)"
            )
        self.binary = words[1] == b"1"
        # the integer 1 written in binary tells the byte order
        if self.binary and lines[2][:4] != b"\x01\0\0\0":
            raise InputError(f"{path}: binary file written with another byte order")
        if not self.binary:
            self._require_order()

    def _require_order(self) -> None:
        """Refuse sections of a text that are not opened and closed one after the other."""
        at, opened = 0, ""
        while at >= 0:
            begin = at + bool(at)
            name = self.data[begin : begin + 80].split(b"\n", 1)[0].strip().decode(errors="replace")
            closes = name.startswith("$End")
            if (closes and "$" + name[4:] != opened) or (not closes and opened):
                what = (
                    f"{name} stands where {opened.replace('$', '$End')} is expected"
                    if opened
                    else (f"{name} closes a section that has not begun")
                )
                raise InputError(f"{self.path}:{self.line(begin)}: {what}")
            opened = "" if closes else name
            at = self.data.find(b"\n$", begin)

    def section(self, name: str) -> tuple[int, int] | None:
        """Return the first and end byte of a section's content, or None if the file has no such section."""
        head = b"\n$" + name.encode()
        start = self._after(head, 0)
        if start < 0:
            return None
        end = self.data.find(b"\n$End" + name.encode(), start - 1) + 1
        second = self._after(head, start) if end else -1
        if second >= 0:
            place = "" if self.binary else f":{self.line(second) - 1}"
            raise InputError(f"{self.path}{place}: there is a second ${name} section")
        if end == 0:
            place = "" if self.binary else f":{self.data.count(bytes([10])) + 1}"
            raise InputError(f"{self.path}{place}: the file ends inside ${name}; it is truncated")
        return start, end

    def _after(self, head: bytes, begin: int) -> int:
        """Return the first byte behind the next line that is ``head`` and nothing more; -1 for none."""
        at = self.data.find(head, begin)
        while at >= 0:
            stop = self.data.find(b"\n", at + 1)
            if stop >= 0 and not self.data[at + len(head) : stop].strip():
                return stop + 1
            at = self.data.find(head, at + 1)
        return -1

    def line(self, byte: int) -> int:
        """Return the line number, from 1, of a byte."""
        return self.data.count(b"\n", 0, byte) + 1

    def numbers(self, name: str) -> Numbers:
        """Return the numbers of a section.

        Raises
        ------
        InputError
            If the section is missing or not closed.
        """
        span = self.section(name)
        if span is None:
            raise InputError(
                f"{self.path}:{self.line(len(self.data))}: the file has no ${name} section; it is incomplete"
            )
        if self.binary:
            return BinaryNumbers(self.path, memoryview(self.data)[span[0] : span[1]], span[0])
        return TextNumbers(self.path, self.data[span[0] : span[1]], self.line(span[0]))
