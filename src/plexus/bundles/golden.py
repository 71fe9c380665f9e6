"""The golden pair: a few inputs of a learned part and what it answered when the bundle was written.

    error = max over outputs of  max |found - stored| / max |stored|

A part that is loaded answers its pair once more. Other hardware, another library or a damaged assembly of
weights, scales and features shows as an error above the tolerance, before a run is built on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexus.errors import InputError
from plexus.protocols import Array

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

TOLERANCE = 1e-5
"""Relative error that single precision on other hardware may have."""
PREFIX = "golden"
"""Tensors of the pair are stored beside the weights as ``golden/inputs/NAME`` and ``golden/outputs/NAME``."""

Call = Callable[[Mapping[str, Array]], Mapping[str, Array]]


@dataclass(frozen=True)
class Pair:
    """Inputs and outputs by the names of the ports, small arrays, and the largest relative error."""

    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    tolerance: float = TOLERANCE


def replay(part: str, pair: Pair, call: Call, comm: Comm | None = None) -> float:
    """Return the error with which a part answers its pair now; ``call`` is the part. Collective.

    Raises
    ------
    InputError
        On all ranks, if the error of any of them is above the tolerance or one of them gets no answer.
    """
    error, trouble = _answered(pair, call)
    if comm is not None and comm.size > 1:
        told = comm.allgather((error, trouble))
        error, trouble = max(e for e, _ in told), next((t for _, t in told if t), "")
    if trouble:
        raise InputError(f"golden: {part} does not answer its stored inputs: {trouble}")
    if not error <= pair.tolerance:
        raise InputError(
            f"golden: {part} answers its stored inputs with a relative error of {error:.3g}, above the "
            f"tolerance of {pair.tolerance:.3g}: it does not do here what it did when the bundle was written"
        )
    return error


def _answered(pair: Pair, call: Call) -> tuple[float, str]:
    """Return the largest error of the outputs, or why there are none."""
    try:
        found = call(pair.inputs)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        return 0.0, str(error).split("\n")[0] or type(error).__name__
    missing = [name for name in pair.outputs if name not in found]
    if missing:
        return 0.0, f"it does not give {missing[0]}"
    return max(_error(found[name], stored) for name, stored in pair.outputs.items()), ""


def _error(found: Array, stored: Array) -> float:
    """Return the relative error; where both are not a number they agree."""
    if found.shape != stored.shape:
        return float("inf")
    differ = ~((found == stored) | ((found != found) & (stored != stored)))
    if not differ.any():
        return 0.0
    size = abs(stored)
    size[~(size < float("inf"))] = 0
    wrong, largest = float(abs(found[differ] - stored[differ]).max()), float(size.max())
    if wrong != wrong:
        return float("inf")
    return wrong / largest if largest else float("inf")
