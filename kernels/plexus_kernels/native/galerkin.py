"""Equilibrium of a Mises body on a basis in compiled C: the law at few points, Newton's method around it.

    r_j = Σ_k w_k σ(Σ_i γ_i E_i(x_k) + ε_0(x_k)) : E_j(x_k) + f_j + Σ_i S_ji γ_i
    K_ij = Σ_k w_k E_i : H : E_j + S_ij

The law is that of `plexus_kernels.native.viscoplastic`, inlined. Several bodies on the same basis, each with
its own loads, data and memory, are solved by one call.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from plexus_kernels.native.arrays import checked
from plexus_kernels.native.loader import library

Floats = np.ndarray
PLACES = (0, 4, 8, 1, 5, 2)
"""Where the six numbers 11 22 33 12 23 31 of a symmetric tensor stand in its nine."""
MANDEL = np.sqrt([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
_AT, _N = ctypes.c_void_p, ctypes.c_int64


class _Body(ctypes.Structure):
    _fields_ = (
        *((name, _N) for name in ("points", "blocks", "modes", "columns")),
        *((name, _AT) for name in ("strains", "rows", "weights", "springs")),
    )


@cache
def _case(backs: int) -> type[ctypes.Structure]:
    """Return the type of a case in C."""
    several = _AT * max(backs, 1)
    fields = [(name, _AT) for name in ("data", "offset", "plastic", "p")] + [("backs", several)]
    fields += [("plastic1", _AT), ("p1", _AT), ("backs1", several)]
    return type("Case", (ctypes.Structure,), {"_fields_": fields})


@cache
def _functions(backs: int) -> tuple[Any, Any, int]:
    """Return `assemble`, `solve_cases` and the number of lanes."""
    found, real = library("galerkin", KIN=backs), ctypes.c_double
    found.assemble.argtypes, found.assemble.restype = (_AT, _AT, real, _AT, _AT, _AT, _AT), None
    found.solve_cases.argtypes = (_AT, _N, _AT, real, _AT, real, real, _AT, _AT, _AT, _AT)
    found.solve_cases.restype = None
    return found.assemble, found.solve_cases, _N.in_dll(found, "lanes").value


def probe() -> None:
    """Compile and load it.

    Raises
    ------
    RuntimeError
        If that does not work here.
    """
    _functions(1)


class Bodies:
    """Bodies on one basis, solved step by step. Arrays stay where they are from construction on.

    Parameters
    ----------
    strains : array (s, 9, n)
        Strain of each mode at the points.
    weights : array (s,)
        Weights of the points.
    backs : int
        Number of back strains of the law.
    cases : int
        Number of bodies D.
    springs : array (n, n), optional
        What loads gain with the coordinates, S; `assemble` leaves it out.

    Attributes
    ----------
    g : array (D, n)
        Coordinates; where `solve` begins and what it finds.
    memory : list of array
        Memory at the start of a step: plastic strain (D, s, 9), p (D, s), back strains (D, s, 9).
    ends : list of array
        Memory at its end.

    Raises
    ------
    RuntimeError
        If it cannot be compiled.
    """

    def __init__(
        self, strains: Floats, weights: Floats, backs: int, cases: int = 1, springs: Floats | None = None
    ):
        s, _, n = checked("strains", strains, np.float64, (None, 9, None)).shape
        checked("weights", weights, np.float64, (s,))
        self._assemble, self._solve, lanes = _functions(backs)
        self.points, self.modes, self.cases, self.backs = s, n, cases, backs
        blocks, columns = -(-s // lanes), -(-n // lanes) * lanes
        six = np.zeros((blocks * lanes, 6, n))
        # lanes without a point repeat the last one: they write what it writes
        six[:s], six[s:] = strains[:, PLACES], strains[s - 1 : s, PLACES]
        self._lanes, self._rows = _aligned(blocks, n, 6, lanes), _aligned(blocks * lanes, 6, columns)
        self._lanes[:] = six.reshape(blocks, lanes, 6, n).transpose(0, 3, 2, 1)
        self._rows[:, :, :n] = six * MANDEL[:, None]
        self._weights = _aligned(blocks * lanes)
        self._weights[:s] = weights
        self._springs = _aligned(n, columns)
        if springs is not None:
            self._springs[:, :n] = springs
        told = (self._lanes, self._rows, self._weights, self._springs)
        self._body = _Body(s, blocks, n, columns, *(a.ctypes.data for a in told))
        self._data = _aligned(cases, 8 + 2 * backs, blocks * lanes)
        self._offset = _aligned(cases, 6, blocks * lanes)
        self._force, self._slope = np.zeros(n), _aligned(n, columns)
        self._room = (blocks * 36 + 6 * columns + n) * lanes + n * (columns + 2)
        self._work = _aligned(self._room)
        self.g, self.steps, self.rest = np.zeros((cases, n)), np.zeros(cases, dtype=np.int64), np.zeros(cases)
        shapes = [(cases, s, 9), (cases, s), *[(cases, s, 9)] * backs]
        self.memory, self.ends = [np.zeros(a) for a in shapes], [np.zeros(a) for a in shapes]
        self._table = self._described(self.memory, self.ends)
        self._turned = self._described(self.ends, self.memory)

    def _described(self, memory: Sequence[Floats], ends: Sequence[Floats]) -> Any:
        """Return the cases in C with the places of their numbers."""
        kind = _case(self.backs)
        several = _AT * max(self.backs, 1)
        table = (kind * self.cases)()
        for i in range(self.cases):
            (ep, p, *x), (ep1, p1, *x1) = ([a[i].ctypes.data for a in rows] for rows in (memory, ends))
            table[i] = kind(
                self._data[i].ctypes.data,
                self._offset[i].ctypes.data,
                ep,
                p,
                several(*x),
                ep1,
                p1,
                several(*x1),
            )
        return table

    def put(self, data: Floats, offset: Floats) -> None:
        """Set the conditions of a step.

        Parameters
        ----------
        data : array (D|1, 8 + 2 backs, s|1)
            κ, μ, R₀, H, Q, b, K, 1/N, then C and D of each back strain.
        offset : array (D|1, 6, s)
            Strain without displacement, 11 22 33 12 23 31.
        """
        s = self.points
        self._data[:, :, :s], self._offset[:, :, :s] = data, offset
        self._data[:, :, s:], self._offset[:, :, s:] = (
            self._data[:, :, s - 1 : s],
            self._offset[:, :, s - 1 : s],
        )

    def go_on(self) -> None:
        """Make the memory at the end of the step that at the start of the next one."""
        self.memory, self.ends = self.ends, self.memory
        self._table, self._turned = self._turned, self._table

    def assemble(self, g: Floats, dt: float) -> tuple[Floats, Floats]:
        """Return force (n,) and slope (n, n) of the first body at g, without loads; `ends` follow."""
        self.g[0] = g
        self._assemble(
            ctypes.byref(self._body), self._table, dt, self.g.ctypes.data, self._force.ctypes.data,
            self._slope.ctypes.data, self._work.ctypes.data,
        )  # fmt: skip
        return self._force, self._slope[:, : self.modes]

    def solve(
        self, dt: float, loads: Floats, tolerance: float, part: slice | None = None, least: float = 0.0
    ) -> Floats:
        """Let Newton's method find `g` of all bodies, or of some; return its steps, -1 where it does not end.

        ``loads`` (D, n). It ends with |r| ≤ tolerance max(|f|, |r₀|, least); `rest` holds |r|. Threads may
        solve parts that do not overlap at the same time.
        """
        checked("loads", loads, np.float64, (self.cases, self.modes))
        here = slice(0, self.cases) if part is None else part
        work = self._work if part is None else _aligned(self._room)
        place = ctypes.byref(self._table, here.start * ctypes.sizeof(_case(self.backs)))
        arrays = (self.g, self.steps, self.rest)
        g, steps, rest = (a[here].ctypes.data for a in arrays)
        self._solve(
            ctypes.byref(self._body), here.stop - here.start, place, dt, loads[here].ctypes.data, tolerance,
            least, g, steps, rest, work.ctypes.data,
        )  # fmt: skip
        return self.steps[here]


def _aligned(*shape: int) -> Floats:
    """Return zeros whose memory begins at a multiple of 64 bytes."""
    count = int(np.prod(shape))
    room = np.zeros(count + 8)
    first = (-room.ctypes.data % 64) // 8
    return room[first : first + count].reshape(shape)
