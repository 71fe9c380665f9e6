"""A Mises law with hardening and a viscous overstress in compiled C, at the points of cells.

The equations are those of `plexus.laws._flow`, which has them for arrays and tensors.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from plexus_kernels.native.arrays import Field, checked, field
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
    data: Sequence[Floats],
    kinematic: Sequence[tuple[Floats, Floats]],
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
    data : sequence of array (C|1, Q|1)
        As `SCALARS` names them.
    kinematic : sequence of pairs of array (C|1, Q|1)
        Modulus and recall of each back strain.
    dt : float
        Length of the step [s]; 0: nothing flows.
    tangent, memory : bool
        Whether these are wanted.
    """
    C, Q = checked("p", p, np.float64, (None, None)).shape
    alive: list[Any] = []

    def described(name: str, array: Floats) -> Field:
        found, kept = field(name, array, C, Q, ())
        alive.append(kept)
        return found

    given = _structure(len(backs))()
    for name, array in zip(SCALARS, data, strict=True):
        setattr(given, name, described(name, array))
    for k, (modulus, recall) in enumerate(kinematic):
        given.modulus[k], given.recall[k] = described("modulus", modulus), described("recall", recall)
    rows = {"strain": strain, "plastic strain": plastic}
    rows |= {f"back strain {k}": a for k, a in enumerate(backs)}
    first, second, *rest = (checked(name, a, np.float64, (C, Q, 9)).ctypes.data for name, a in rows.items())
    known = (ctypes.c_void_p * (3 + len(backs)))(first, second, p.ctypes.data, *rest)
    stress = np.empty((C, Q, 9))
    slopes = np.empty((C, Q, 81)) if tangent else None
    ends = [np.empty((C, Q, 9)), np.empty((len(backs), C, Q, 9)), np.empty((C, Q))] if memory else [None] * 3
    lost = _function(len(backs))(
        C, Q, dt, ctypes.byref(given), known, stress.ctypes,
        *(None if a is None else a.ctypes for a in (slopes, *ends)),
    )  # fmt: skip
    return Answer(stress, slopes, ends[0], ends[2], () if ends[1] is None else tuple(ends[1]), lost)


@cache
def _function(backs: int) -> Any:
    found = library("viscoplastic", KIN=backs).respond
    n, at = ctypes.c_int64, ctypes.c_void_p
    found.argtypes, found.restype = (n, n, ctypes.c_double, *[at] * 7), n
    return found


def probe() -> None:
    """Compile and load it.

    Raises
    ------
    RuntimeError
        If that does not work here.
    """
    _function(1)
