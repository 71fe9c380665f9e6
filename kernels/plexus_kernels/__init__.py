"""Element kernels in three equal versions: formula (NumPy), torch, compiled C.

Every version offers the same seven functions with the same signatures:

- ``geometry(points, cells, T)`` — coordinates, ``|J| w`` and the inverse Jacobian at the points;
- ``interpolate(T, cell_nodes, u)`` — the value of a finite element field alone;
- ``sample(points, cells, T, cell_nodes, u)`` — value and gradient of a finite element field;
- ``vector(...)`` — adds ∫ f0·v + f1:∇v to a nodal array;
- ``matrix(...)`` — adds the element matrices of a tangent to the values of a sparse pattern;
- ``joint(b, weight, slots, values)`` — adds those of what couples the points of a cell;
- ``pattern(cell_nodes, n_rows)`` — the sparse pattern and each element entry's slot in it.

The package imports nothing of plexus.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from typing import Any

from plexus_kernels.tables import Tables

__all__ = ["FUNCTIONS", "Tables", "backend"]

FUNCTIONS = ("geometry", "interpolate", "joint", "matrix", "pattern", "sample", "vector")
_MODULES = {"reference": "reference", "torch": "torch_impl", "native": "native"}


@cache
def backend(name: str = "auto") -> Any:
    """Return the module that holds the seven kernels.

    Parameters
    ----------
    name
        ``reference`` (NumPy), ``torch`` (tensors on any device), ``native`` (compiled C on NumPy
        arrays), or ``auto``: native where a C compiler or its cached output is there, otherwise
        reference with one warning.

    Raises
    ------
    ValueError
        If the name is unknown.
    RuntimeError
        If ``native`` is asked for by name and cannot be compiled.
    """
    if name == "auto":
        try:
            return backend("native")
        except RuntimeError as e:
            text = f"native kernels are not usable, the slower NumPy ones take over: {e}"
            warnings.warn(text, stacklevel=2)
            return backend("reference")
    if name not in _MODULES:
        raise ValueError(f"unknown kernel backend {name!r}; known are auto, {', '.join(_MODULES)}")
    module = import_module(f"plexus_kernels.{_MODULES[name]}")
    if name == "native":
        module.probe()
    return module
