"""The file of a bundle: a safetensors file whose header carries the metadata as JSON.

Layout: 8 bytes length of the header, little endian; the header, JSON: name -> {dtype, shape, data_offsets}
and ``__metadata__``; the numbers of all tensors, one after the other. Nothing in it is ever executed. Read
here in plain Python, so that a deck can be checked without torch; `plexus.bundles.store` makes tensors of it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plexus.bundles import versions
from plexus.bundles.golden import PREFIX
from plexus.bundles.pieces import Pieces, same_everywhere
from plexus.errors import InputError

KEY = "plexus"
LARGEST_HEADER = 2**24
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "C64": 8,
         "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}  # fmt: skip
"""Bytes of one number of each type that is read."""
Target = Callable[[str, int], Any]
"""Name and bytes of a tensor -> a writable buffer for it."""


class WrongHash(InputError):
    """The file is not the one that a deck's hash stands for."""


@dataclass(frozen=True)
class Container:
    """A checked bundle without its numbers.

    Attributes
    ----------
    metadata :
        What the bundle says, in the form of the present schema.
    index :
        Name -> {dtype, shape, data_offsets} of its tensors, in the order of the file.
    sha256 :
        Hash of the whole file.
    """

    metadata: dict[str, Any]
    index: dict[str, Any]
    sha256: str


def read(path: str | Path, sha256: str | None = None) -> Container:
    """Return a bundle from a file, whose numbers are hashed but not kept.

    Raises
    ------
    InputError
        If the file cannot be read, is no bundle, has another hash, or a field is missing or altered.
    """
    with Pieces(path) as source:
        return gather(source, sha256)


def gather(source: Pieces, sha256: str | None = None, target: Target | None = None) -> Container:
    """Return the bundle of an open file and put its tensors into buffers that ``target`` gives. Collective.

    Raises
    ------
    InputError
        On all ranks, as `read` does.
    """
    texts = _header(source)
    problem: InputError | None = None
    found: Container | None = None
    try:
        found, weights = _parsed(texts, source.left)
        source.hashes.append(_begun(found.index))
    except InputError as error:
        problem = error
    if found is not None and target is not None:
        for name, entry in found.index.items():
            start, end = entry["data_offsets"]
            source.fill(target(name, end - start))
    source.drain()
    same_everywhere(source.sha256, source.comm)
    # a file that is not the deck's is told as that, whatever else is wrong with it
    if sha256 is not None and source.sha256 != sha256.lower():
        problem = WrongHash(f"sha256: the deck says {sha256[:12]}..., the file has {source.sha256[:12]}...")
    if problem is not None:
        raise type(problem)(f"{source.path}: {problem}")
    assert found is not None
    here = source.hashes[1].hexdigest()
    if weights != here:
        raise InputError(
            f"{source.path}: weights.sha256: the bundle says {weights[:12]}..., "
            f"its weights have {here[:12]}..."
        )
    return Container(found.metadata, found.index, source.sha256)


def _header(source: Pieces) -> bytes | None:
    """Return the text of the header; None if the file has none. Collective."""
    if source.left < 8:
        return None
    length = bytearray(8)
    source.fill(length)
    size = int.from_bytes(length, "little")
    if not 2 <= size <= min(LARGEST_HEADER, source.left):
        return None
    text = bytearray(size)
    source.fill(text)
    return bytes(text)


def _parsed(text: bytes | None, left: int) -> tuple[Container, str]:
    """Return metadata and index of a header, and the hash that the weights should have."""
    if text is None:
        raise InputError("header: not a safetensors file, or cut off")
    try:
        index = json.loads(text)
    except (ValueError, RecursionError):
        index = None
    if not isinstance(index, dict):
        raise InputError("header: not a safetensors file")
    texts = index.pop("__metadata__", None)
    if not isinstance(texts, dict) or not isinstance(texts.get(KEY), str):
        raise InputError(f"metadata: missing; a safetensors file without {KEY!r} in its header is no bundle")
    try:
        told = json.loads(texts[KEY])
    except (ValueError, RecursionError) as error:
        raise InputError(f"metadata: not JSON ({error})") from None
    metadata = versions.checked(told)
    index = tiled(index, left)
    _paired(metadata.get("golden"), index)
    return Container(metadata, index, ""), str(metadata["weights"]["sha256"])


def tiled(index: dict[str, Any], left: int) -> dict[str, Any]:
    """Return the index in the order of the file, whose tensors must follow each other without a gap.

    Raises
    ------
    InputError
        If they do not fill the ``left`` bytes behind the header.
    """
    reached = 0
    try:
        ordered = dict(sorted(index.items(), key=lambda item: tuple(item[1]["data_offsets"])))
        for name, entry in ordered.items():
            start, end = entry["data_offsets"]
            if entry["dtype"] not in BYTES:
                raise InputError(f"weights: {name}: numbers of type {entry['dtype']!r} are not read")
            whole = all(type(n) is int and n >= 0 for n in (start, end, *entry["shape"]))
            room = BYTES[entry["dtype"]] * math.prod(entry["shape"])
            if not whole or start != reached or end - start != room:
                raise InputError(f"weights: {name}: its place in the file does not fit its shape")
            reached = end
    except (KeyError, TypeError, ValueError):
        raise InputError("weights: the header does not say where they are") from None
    if reached != left:
        raise InputError(f"weights: the header describes {reached} bytes, the file has {left}")
    return ordered


def _paired(golden: dict[str, Any] | None, index: dict[str, Any]) -> None:
    """Refuse a golden pair whose tensors are not those of the file."""
    stored = {name for name in index if name.startswith(f"{PREFIX}/")}
    named = (
        {f"{PREFIX}/{side}/{n}" for side in ("inputs", "outputs") for n in golden[side]} if golden else set()
    )
    for name in sorted(stored ^ named):
        what = "is not described" if name in stored else "missing"
        raise InputError(f"{name.replace('/', '.')}: {what}")


def _begun(index: dict[str, Any]) -> Any:
    """Return the hash of the weights before their numbers: names, types, shapes and places."""
    text = json.dumps(index, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode() + b"\0")


def hash_of_weights(index: dict[str, Any], numbers: bytes) -> str:
    """Return the hash of all tensors: names, types, shapes, places and numbers."""
    found = _begun(index)
    found.update(numbers)
    return str(found.hexdigest())


def split(blob: bytes) -> tuple[dict[str, Any], dict[str, str], bytes]:
    """Return index, texts of the header and numbers of the bytes of a sound safetensors file."""
    start = 8 + int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8:start])
    return header, header.pop("__metadata__", {}), blob[start:]


def join(index: dict[str, Any], numbers: bytes, metadata: dict[str, Any]) -> bytes:
    """Return the bytes of a bundle's file."""
    return framed(index, numbers, {KEY: json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))})


def framed(index: dict[str, Any], numbers: bytes, texts: dict[str, str]) -> bytes:
    """Return the bytes of a safetensors file, which `split` takes apart."""
    header = json.dumps({"__metadata__": texts, **index}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + numbers
