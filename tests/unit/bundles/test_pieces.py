"""A file in pieces: the same bytes and hash whatever the size of a piece, and told what went wrong."""

import hashlib
import os

import pytest

from plexus.bundles.pieces import Pieces
from plexus.errors import InputError

CONTENT = bytes(range(256)) * 5 + b"end"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    return tmp_path / "a.bin"


@pytest.mark.parametrize("piece", [1, 7, 256, 1283, 1 << 20])
def test_bytes_and_hash_do_not_depend_on_the_piece(path, piece):
    one, two = bytearray(100), bytearray(500)
    with Pieces(path, piece=piece) as source:
        assert source.size == len(CONTENT)
        source.fill(one)
        source.hashes.append(hashlib.sha256(b"before"))
        source.fill(two)
        source.drain()
    assert one + two == CONTENT[:600]
    assert source.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert source.hashes[1].hexdigest() == hashlib.sha256(b"before" + CONTENT[100:]).hexdigest()
    assert source.left == 0


def test_a_file_that_shrinks_is_told(path):
    with Pieces(path, piece=64) as source:
        source.fill(bytearray(64))
        os.truncate(path, 80)
        with pytest.raises(InputError, match=r"a\.bin: cut off"):
            source.drain()


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(InputError, match="none: No such file"):
        Pieces(tmp_path / "none")
    with pytest.raises(InputError, match="directory"):
        Pieces(tmp_path)


def test_places_beyond_two_gibibytes_are_read(tmp_path):
    """A file with a hole: only its end is looked at."""
    path, size = tmp_path / "large", (1 << 31) + 4096
    with path.open("wb") as file:
        file.truncate(size)
        file.seek(size - 5)
        file.write(b"plexu")
    end = bytearray(16)
    with Pieces(path) as source:
        source._file.seek(size - 16)
        source.fill(end)
    assert source.size == size
    assert end == bytes(11) + b"plexu"
