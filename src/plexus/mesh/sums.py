"""The sum of a mesh file: SHA-256 of its bytes, by which a deck names the file that it was written for.

A file of Gmsh carries no sums of its own: another digit of a coordinate, or another letter of a name, makes a
mesh that is as good. FIPS 180-4, 2015, doi:10.6028/NIST.FIPS.180-4.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from plexus.deck.params import Field
from plexus.errors import InputError, at_path
from plexus.fileformat import special

Sum = Annotated[
    str | None,
    Field(
        pattern="^[0-9a-fA-F]{16,64}$",
        description="sum of the file, or at least 16 digits of its beginning; another file is refused "
        "(`plexus mesh info FILE` tells it)",
    ),
]
"""The sum as a deck gives it."""


def sum_of(path: str) -> str:
    """Return the sum of a file, 64 hexadecimal digits; reads at about 1 GB/s.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if what := special(path):
        raise InputError(f"{path} is {what}, not a file")
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot read the mesh: {error.strerror}") from None


def verified(path: str, given: str | None) -> str:
    """Return the sum of a deck's mesh file; needs no MPI.

    Raises
    ------
    InputError
        At its place in the deck, if the file cannot be read or its sum does not begin as ``given``.
    """
    with at_path("mesh.file"):
        found = sum_of(path)
    if given and not found.startswith(given.lower()):
        raise InputError(
            f"mesh.sha256: {path} is not the file that this deck was written for: its sum is {found}, "
            f"the deck says {given}; restore the file, or take its sum into the deck if the change is meant"
        )
    return found
