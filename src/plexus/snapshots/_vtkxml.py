"""Arrays of VTK's XML files: text, base64 and raw bytes, with zlib or without."""

from __future__ import annotations

import base64
import binascii
import math
import re
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from plexus.errors import InputError

Array = np.ndarray
TYPES = {
    "Float32": "f4", "Float64": "f8", "Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2",
    "Int32": "i4", "UInt32": "u4", "Int64": "i8", "UInt64": "u8",
}  # fmt: skip
APPENDED = re.compile(rb"<AppendedData[^>]*encoding=\"(\w+)\"[^>]*>\s*_")
DAMAGE = (ElementTree.ParseError, KeyError, ValueError, IndexError, binascii.Error, zlib.error)


def collection(path: Path) -> list[tuple[float, Path]]:
    """Return times and files that a `.pvd` names, in the order of time.

    Raises
    ------
    InputError
        If it cannot be read, or names files outside of its folder.
    """
    try:
        root = ElementTree.fromstring(_text(path))
        sets = [(float(e.attrib["timestep"]), e.attrib["file"]) for e in root.iter("DataSet")]
    except DAMAGE as error:
        raise InputError(f"{path.name}: this is no .pvd of VTK ({error})") from None
    for _, name in sets:
        if Path(name).suffix != ".vtu":
            raise InputError(f"{path.name}: it names {name}; only .vtu files, of one piece each, are read")
        if not (path.parent / name).resolve().is_relative_to(path.parent.resolve()):
            raise InputError(f"{path.name}: it names {name}, which lies outside of its folder")
    return sorted((t, path.parent / name) for t, name in sets)


def _text(path: Path) -> bytes:
    """Return the bytes of a file; a tree with entities of its own is refused."""
    try:
        found = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    if b"<!" in found[:1000].replace(b"<!--", b""):
        raise ValueError("it declares entities")
    return found


class Tree:
    """One ``.vtu`` of one piece.

    Raises
    ------
    InputError
        If the file cannot be read, or has several pieces.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            text = _text(path)
            self._raw, self._coded = b"", b""
            if found := APPENDED.search(text):
                end = text.rindex(b"</AppendedData>")
                body = text[found.end() : end]
                self._raw, self._coded = (body, b"") if found[1] == b"raw" else (b"", body.strip())
                # raw bytes are no XML
                text = text[: found.end()] + text[end:]
            root = ElementTree.fromstring(text)
            (piece,) = root.iter("Piece")
        except DAMAGE as error:
            raise InputError(f"{path.name}: this is no .vtu of one piece ({error})") from None
        order = "<" if root.attrib.get("byte_order", "LittleEndian") == "LittleEndian" else ">"
        self._order, self._piece = order, piece
        self._head = np.dtype(order + TYPES[root.attrib.get("header_type", "UInt32")])
        self._packed = "compressor" in root.attrib
        if self._packed and root.attrib["compressor"] != "vtkZLibDataCompressor":
            raise InputError(f"{path.name}: compressed by {root.attrib['compressor']}; only zlib is read")

    def points(self) -> Array:
        """Return the positions, (n, 3)."""
        found = self._piece.find("Points/DataArray")
        if found is None:
            raise InputError(f"{self.path.name}: it has no points")
        return self._array(found)

    def point_data(self, name: str) -> Array:
        """Return point data, (n, k).

        Raises
        ------
        InputError
            If there are none of that name; those that there are, are told.
        """
        arrays = {e.attrib.get("Name"): e for e in self._piece.iterfind("PointData/DataArray")}
        if name not in arrays:
            there = ", ".join(str(n) for n in arrays) or "none"
            raise InputError(f"{self.path.name}: no point data {name!r}; there are: {there}")
        return self._array(arrays[name])

    def _array(self, element: Any) -> Array:
        told, kind = element.attrib, np.dtype(self._order + TYPES[element.attrib["type"]])
        try:
            if told["format"] == "ascii":
                flat = np.array((element.text or "").split(), dtype=kind)
            else:
                flat = np.frombuffer(self._bytes(told, element.text or ""), dtype=kind)
            return flat.reshape(-1, int(told.get("NumberOfComponents", 1)))
        except DAMAGE as error:
            raise InputError(
                f"{self.path.name}: {told.get('Name', 'points')} cannot be read ({error})"
            ) from None

    def _bytes(self, told: Any, text: str) -> bytes:
        if told["format"] == "appended":
            start = int(told["offset"])
            if self._raw:
                return self._unpacked(self._raw[start:])
            return self._decoded(self._coded[start:])
        return self._decoded(text.strip().encode())

    def _decoded(self, text: bytes) -> bytes:
        """Return what base64 holds: head and body are coded apart where the body is compressed."""
        size = self._head.itemsize
        if not self._packed:
            length = int(np.frombuffer(_plain(text, size), self._head)[0])
            return _plain(text, size + length)[size:]
        blocks = int(np.frombuffer(_plain(text, size), self._head)[0])
        head = size * (3 + blocks)
        sizes = np.frombuffer(_plain(text, head), self._head)
        body = text[4 * math.ceil(head / 3) :]
        return self._unpacked(_plain(text, head) + _plain(body, int(sizes[3:].sum())))

    def _unpacked(self, data: bytes) -> bytes:
        size = self._head.itemsize
        if not self._packed:
            length = int(np.frombuffer(data[:size], self._head)[0])
            return data[size : size + length]
        blocks = int(np.frombuffer(data[:size], self._head)[0])
        sizes = np.frombuffer(data[: size * (3 + blocks)], self._head)[3:]
        found, at = [], size * (3 + blocks)
        for length in sizes.tolist():
            found.append(zlib.decompress(data[at : at + length]))
            at += length
        return b"".join(found)


def _plain(text: bytes, length: int) -> bytes:
    """Return the first bytes that a base64 text holds."""
    found = base64.b64decode(text[: 4 * math.ceil(length / 3)])
    if len(found) < length:
        raise ValueError("it ends too early")
    return found[:length]
