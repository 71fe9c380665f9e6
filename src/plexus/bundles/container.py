"""The file of a bundle: a safetensors file whose header carries the metadata as JSON.

Layout: 8 bytes length of the header, little endian; the header, JSON: name -> {dtype, shape, data_offsets}
and ``__metadata__``; the numbers of all tensors. Nothing in it is ever executed. Read here in plain Python,
so that a deck can be checked without torch; `plexus.bundles.store` makes tensors of it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plexus.bundles import fields
from plexus.errors import InputError

KEY = "plexus"
LARGEST = 2**31
"""Largest file that is read, in bytes."""
LARGEST_HEADER = 2**24


class WrongHash(InputError):
    """The file is not the one that a deck's hash stands for."""


@dataclass(frozen=True)
class Container:
    """A checked bundle in memory: metadata, the index of its tensors, the file's bytes."""

    metadata: dict[str, Any]
    index: dict[str, Any]
    blob: bytes

    @property
    def sha256(self) -> str:
        """Return the hash of the whole file."""
        return hashlib.sha256(self.blob).hexdigest()


def read(path: str | Path, sha256: str | None = None) -> Container:
    """Return a bundle from a file.

    Raises
    ------
    InputError
        If the file cannot be read, is no bundle, has another hash, or a field is missing or altered.
    """
    try:
        size = Path(path).stat().st_size
        if size > LARGEST:
            raise InputError(f"{path}: {size} bytes are too many for a bundle")
        blob = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    try:
        return parse(blob, sha256)
    except InputError as error:
        raise type(error)(f"{path}: {error}") from None


def parse(blob: bytes, sha256: str | None = None) -> Container:
    """Return a bundle from the bytes of its file; raises as `read` does."""
    found = hashlib.sha256(blob).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise WrongHash(f"sha256: the deck says {sha256[:12]}..., the file has {found[:12]}...")
    header, start = _header(blob)
    texts = header.pop("__metadata__", None)
    if not isinstance(texts, dict) or not isinstance(texts.get(KEY), str):
        raise InputError(f"metadata: missing; a safetensors file without {KEY!r} in its header is no bundle")
    try:
        metadata = json.loads(texts[KEY])
    except ValueError as error:
        raise InputError(f"metadata: not JSON ({error})") from None
    fields.check(metadata)
    weights = hash_of_weights(header, blob[start:])
    if metadata["weights"]["sha256"] != weights:
        raise InputError(
            f"weights.sha256: the bundle says {metadata['weights']['sha256'][:12]}..., "
            f"its weights have {weights[:12]}..."
        )
    return Container(metadata, header, blob)


def _header(blob: bytes) -> tuple[dict[str, Any], int]:
    """Return the header and where the numbers start."""
    length = int.from_bytes(blob[:8], "little")
    if len(blob) < 8 or not 2 <= length <= min(LARGEST_HEADER, len(blob) - 8):
        raise InputError("header: not a safetensors file, or cut off")
    try:
        header = json.loads(blob[8 : 8 + length])
    except ValueError:
        raise InputError("header: not a safetensors file") from None
    if not isinstance(header, dict):
        raise InputError("header: not a safetensors file")
    return header, 8 + length


def hash_of_weights(index: dict[str, Any], numbers: bytes) -> str:
    """Return the hash of all tensors: names, types, shapes, places and numbers."""
    text = json.dumps(index, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode() + b"\0" + numbers).hexdigest()


def split(blob: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the index and the numbers of a safetensors file."""
    header, start = _header(blob)
    return {k: v for k, v in header.items() if k != "__metadata__"}, blob[start:]


def join(index: dict[str, Any], numbers: bytes, metadata: dict[str, Any]) -> bytes:
    """Return the bytes of a bundle's file."""
    text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
    header = json.dumps({"__metadata__": {KEY: text}, **index}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + numbers
