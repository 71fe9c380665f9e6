"""What passes between NumPy and C: checks at the door, and coefficients with their strides."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np


def checked(name: str, array: Any, dtype: type, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return ``array`` if it is a C-contiguous array of this type and shape (None: any length).

    Raises
    ------
    TypeError
        If it is no array of this type.
    ValueError
        If the shape differs or the memory is not contiguous.
    """
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        got = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"{name}: expected a NumPy array of {np.dtype(dtype).name}, got {got}")
    fits = array.shape == shape or (
        array.ndim == len(shape) and all(e in (None, s) for e, s in zip(shape, array.shape, strict=True))
    )
    if not fits:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name}: the array must be C-contiguous")
    return array


def address(array: np.ndarray) -> int:
    """Return where the numbers of an array begin; the caller keeps it alive."""
    if array.flags.writeable and array.size:
        # a quarter of the time that NumPy's own way takes
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]  # a buffer
    return array.ctypes.data


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    """Return `address` as C takes it."""
    return ctypes.c_void_p(address(array))


class Field(ctypes.Structure):
    """A coefficient in C: address of its first number, strides over cells and points in numbers."""

    _fields_ = (("at", ctypes.c_void_p), ("cell", ctypes.c_int64), ("point", ctypes.c_int64))


def field(name: str, array: Any, cells: int, points: int, shape: tuple[int, ...]) -> tuple[Field, Any]:
    """Describe a coefficient (C|1, Q|1, *shape) for C; also return the array that must stay alive.

    Axes of length 1 and broadcast views become stride 0; only the trailing axes must be contiguous.
    """
    if array is None:
        return Field(None, 0, 0), None
    if not isinstance(array, np.ndarray) or array.dtype != np.float64:
        got = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"{name}: expected a NumPy array of float64, got {got}")
    fits = array.ndim == 2 + len(shape) and array.shape[2:] == shape
    if not fits or array.shape[0] not in (1, cells) or array.shape[1] not in (1, points):
        raise ValueError(f"{name}: expected shape ({cells}|1, {points}|1, *{shape}), got {array.shape}")
    # A repeated axis is cut to its first entry, so that the copy below stays small.
    c, q = (1 if s == 0 else None for s in array.strides[:2])
    array = array[:c, :q]
    if not array[0, 0].flags.c_contiguous or any(s % 8 for s in array.strides[:2]):
        array = np.ascontiguousarray(array)
    # strides in numbers; an axis of length 1 repeats
    cell, point = (s // 8 if n > 1 else 0 for n, s in zip(array.shape[:2], array.strides[:2], strict=True))
    return Field(array.ctypes.data, cell, point), array
