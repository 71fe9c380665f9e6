"""A spin network over cells in compiled C; the readable version, in torch, is the closure `spin_network`."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import c_int64, c_void_p
from dataclasses import dataclass

import numpy as np

from plexus_kernels.native.arrays import checked
from plexus_kernels.native.loader import library

ACTIVATIONS = ("silu", "tanh")


@dataclass(frozen=True)
class Network:
    """Sizes and numbers of a trained network, ready for `spin`.

    ``weights`` holds W and b of each layer one after the other; ``scales`` those of the strain, the scalars
    and the vorticity; ``middle`` and ``inverse`` the range of evens and |odds| (None: no range); ``table``
    (nodes, 4) the cubic pieces of Bingham's Q.
    """

    moment: int
    scalars: int
    vorticity: bool
    width: int
    depth: int
    activation: str
    weights: np.ndarray
    scales: np.ndarray
    table: np.ndarray
    middle: np.ndarray | None = None
    inverse: np.ndarray | None = None


def spin(
    net: Network,
    c: np.ndarray,
    f1: np.ndarray,
    e: np.ndarray,
    f2: np.ndarray | None = None,
    w: np.ndarray | None = None,
    scalars: Sequence[np.ndarray] = (),
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the next moment (n,), how far features lie outside their range (n,), and the cells to guard.

    Fields are (n,): c, w and scalars float64, f1, f2, e complex128.

    Raises
    ------
    TypeError, ValueError
        If an array has another type, shape or layout.
    RuntimeError
        If the kernel cannot be compiled.
    """
    n = len(checked("c", c, np.float64, (None,)))
    complex_fields = {"f1": f1, "e": e, **({"f2": f2} if net.moment == 3 else {})}
    for name, array in complex_fields.items():
        checked(name, array, np.complex128, (n,))
    reals = [checked("scalar", array, np.float64, (n,)) for array in scalars]
    if net.vorticity:
        checked("w", w, np.float64, (n,))
    if len(reals) != net.scalars:
        raise ValueError(f"expected {net.scalars} scalars, got {len(reals)}")
    out, beyond = np.empty(n, np.complex128), np.empty(n, np.float32)
    others = (c_void_p * max(len(reals), 1))(*map(_at, reals))
    guarded = _function(net)(
        c_int64(n), _at(c), _at(f1), _at(f2), _at(e), _at(w), others,
        _at(net.weights), _at(net.scales), _at(net.middle), _at(net.inverse), _at(net.table),
        c_int64(len(net.table)), _at(out), _at(beyond),
    )  # fmt: skip
    return out, beyond, int(guarded)


def _at(array: np.ndarray | None) -> c_void_p:
    return c_void_p(None if array is None else array.ctypes.data)


def _function(net: Network):  # type: ignore[no-untyped-def]  # ctypes has no name for a C function's type
    compiled = library(
        "spin", MOMENT=net.moment, SCALARS=net.scalars, VORTICITY=int(net.vorticity), WIDTH=net.width,
        DEPTH=net.depth, ACT=ACTIVATIONS.index(net.activation),
    ).spin  # fmt: skip
    compiled.restype = c_int64
    return compiled
