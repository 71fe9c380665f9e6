"""Random numbers by counting: each is a function of a few whole numbers, so that no order has to be kept.

The whole numbers are mixed by the finalizer of SplitMix64, G. Steele, D. Lea, C. Flood, OOPSLA 2014,
doi:10.1145/2660193.2660195; normal numbers come from pairs of uniform ones, G. Box, M. Muller, Ann. Math.
Stat. 29 (1958) 610-611, doi:10.1214/aoms/1177706645.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
GOLDEN, FIRST, SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def uniform(seed: int, number: int, *counters: Any) -> Array:
    """Return numbers in (0, 1), one for each place of the counters, arrays of whole numbers (...)."""
    with np.errstate(over="ignore"):
        state = _mixed(np.uint64(seed % 2**64), number)
        for counter in counters or (0,):
            state = _mixed(state, counter)
    # the upper 53 bits, and half of the last, so that neither end is met
    return (np.asarray(state >> np.uint64(11), dtype=float) + 0.5) / 2.0**53


def normal(seed: int, number: int, *counters: Any) -> Array:
    """Return standard normal numbers, one for each place of the counters."""
    radius = np.sqrt(-2 * np.log(uniform(seed, number, *counters, 1)))
    return np.asarray(radius * np.cos(2 * np.pi * uniform(seed, number, *counters, 2)))


def _mixed(state: Any, counter: Any) -> Any:
    """Return a state that depends on all bits of another and of a counter."""
    z = (np.asarray(state, dtype=np.uint64) ^ _bits(counter)) + GOLDEN
    z = (z ^ (z >> np.uint64(30))) * FIRST
    z = (z ^ (z >> np.uint64(27))) * SECOND
    return z ^ (z >> np.uint64(31))


def _bits(counter: Any) -> Any:
    """Return whole numbers, of any sign, as 64 bits."""
    return np.asarray(counter, dtype=np.int64).astype(np.uint64) * GOLDEN
