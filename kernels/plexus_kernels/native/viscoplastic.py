"""A Mises law with hardening and a viscous overstress in compiled C, at the points of cells.

The equations are those of `plexus.laws._flow`, which has them for arrays and tensors.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from plexus_kernels.native.arrays import Field, address, checked, field
from plexus_kernels.native.loader import library

Floats = np.ndarray
SCALARS = ("bulk", "shear", "yield", "slope", "gain", "rate", "viscosity", "power")
"""Data at the points in the order of C, before those of the back strains."""


class Answer(NamedTuple):
    """Stress (C, Q, 9); tangent (C, Q, 81); plastic strain, back strains (C, Q, 9) and p (C, Q) at the end.

    Without an answer in ``lost`` points, whose numbers are not finite.
    """

    stress: Floats
    tangent: Floats | None
    plastic: Floats | None
    p: Floats | None
    backs: Sequence[Floats]
    lost: int


class Given:
    """Data of the law as C reads them.

    Parameters
    ----------
    data : sequence of array (C|1, Q|1)
        As `SCALARS` names them, then modulus and recall of each back strain.
    cells, points : int
        C and Q; any where all data are single numbers.
    """

    def __init__(self, data: Sequence[Floats], cells: int, points: int):
        self.backs = (len(data) - len(SCALARS)) // 2
        names = (*SCALARS, *("modulus", "recall") * self.backs)
        found, self._alive = zip(
            *(field(n, a, cells, points, ()) for n, a in zip(names, data, strict=True)), strict=True
        )
        scalars, pairs, several = found[: len(SCALARS)], found[len(SCALARS) :], Field * max(self.backs, 1)
        self._own = _structure(self.backs)(*scalars, several(*pairs[::2]), several(*pairs[1::2]))
        self.at = ctypes.byref(self._own)


@cache
def _structure(backs: int) -> type[ctypes.Structure]:
    """Return the type of the data in C."""
    several = Field * max(backs, 1)
    fields = [(name, Field) for name in SCALARS] + [("modulus", several), ("recall", several)]
    return type("Data", (ctypes.Structure,), {"_fields_": fields})


def respond(
    strain: Floats,
    plastic: Floats,
    p: Floats,
    backs: Sequence[Floats],
    given: Given,
    dt: float,
    tangent: bool,
    memory: bool,
) -> Answer:
    """Return what the law answers.

    Parameters
    ----------
    strain, plastic, backs : array (C, Q, 9)
        Strain without the thermal one, plastic strain and back strains at the start of the step.
    p : array (C, Q)
        Cumulated plastic strain.
    given : Given
        Data of the law.
    dt : float
        Length of the step [s]; 0: nothing flows.
    tangent, memory : bool
        Whether these are wanted.
    """
    C, Q = checked("p", p, np.float64, (None, None)).shape
    rows = [("strain", strain), ("plastic strain", plastic), *(("back strain", a) for a in backs)]
    first, second, *rest = [address(checked(name, a, np.float64, (C, Q, 9))) for name, a in rows]
    known = (ctypes.c_void_p * (3 + len(backs)))(first, second, address(p), *rest)
    # stress, and at the end of the step plastic strain and back strains
    found = np.empty((len(rows) if memory else 1, C, Q, 9))
    slopes = np.empty((C, Q, 81)) if tangent else None
    grown = np.empty((C, Q)) if memory else None
    ends = [None if a is None else address(a) for a in (slopes, grown)]
    lost = _function(len(backs))(C, Q, dt, given.at, known, address(found), *ends)
    if not memory:
        return Answer(found[0], slopes, None, None, (), lost)
    return Answer(found[0], slopes, found[1], grown, tuple(found[2:]), lost)


@cache
def _function(backs: int) -> Any:
    found = library("viscoplastic", KIN=backs).respond
    n, at = ctypes.c_int64, ctypes.c_void_p
    found.argtypes, found.restype = (n, n, ctypes.c_double, *[at] * 5), n
    return found


def probe() -> None:
    """Compile and load it.

    Raises
    ------
    RuntimeError
        If that does not work here.
    """
    _function(1)
