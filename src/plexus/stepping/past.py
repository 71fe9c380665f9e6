"""Accepted states of earlier steps: the memory of multistep formulas and of error estimates.

With the newest value at t_0 and older ones at t_1, t_2, …, the divided difference
u[t_0, …, t_k] = Σ_i u_i / Π_(j≠i) (t_i - t_j) tends to u^(k)/k!, for steps of any length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import numpy as np

from plexus.fields.keys import Key
from plexus.protocols import Array, Implicit, Values


def evolving(system: Implicit) -> list[str]:
    """Return the unknowns with a time derivative, those of blocks included."""
    parts = [part for name in system.evolving for part in system.together.get(name, (name,))]
    return [name for name in parts if name not in system.algebraic]


class Past:
    """The last ``depth`` accepted states, newest first; arrays are shared, never written to."""

    def __init__(self, depth: int):
        self.depth = depth
        self.times: list[float] = []
        self.values: list[Values] = []

    def remember(self, t: float, values: Values) -> None:
        """Add the state from which the next step starts; a repeated step adds nothing."""
        if self.times and self.times[0] == t:
            return
        self.times.insert(0, t)
        self.values.insert(0, dict(values))
        del self.times[self.depth :], self.values[self.depth :]

    def known(self, names: Sequence[str]) -> int:
        """Return how many of the newest states hold all these fields; those of another model may not."""
        held = (all(name in values for name in names) for values in self.values)
        return sum(1 for _ in takewhile(bool, held))

    def difference(self, name: str, t: float, new: np.ndarray, order: int) -> np.ndarray | None:
        """Return u[t, t_0, …] of the given order for one field, or None if the memory is too short."""
        if self.known([name]) < order:
            return None
        # k + 1 points for a difference of order k: the new value and k older ones
        times = [t, *self.times[:order]]
        arrays = [new, *(v[name] for v in self.values[:order])]
        weights = [1 / math.prod(a - b for j, b in enumerate(times) if j != i) for i, a in enumerate(times)]
        return sum(w * u for w, u in zip(weights, arrays, strict=True))

    def error(
        self, system: Implicit, t: float, values: Values, order: int, factor: float, tolerance: float
    ) -> float | None:
        """Return the weighted norm of factor · u[t, t_0, …], the largest over the evolving fields.

        Each field is measured by its root mean square, relative to ``tolerance`` times its largest
        magnitude. None while the memory is too short. Collective.
        """
        errors = []
        for name in evolving(system):
            e = self.difference(name, t, values[name], order)
            if e is None:
                return None
            # one scale per field: near zeros of a field a pointwise weight would demand the impossible
            scale = tolerance * system.largest(name, values[name])
            size = abs(factor) * system.rms(name, e)
            errors.append(size / scale if scale > 0 else 0.0)
        return max(errors)

    def state(self) -> tuple[dict[str, Any], dict[Key, Array]]:
        """Return (times, arrays, labelled with their age) for a checkpoint."""
        ages = enumerate(self.values)
        arrays = {Key("history", name, str(i)): a for i, values in ages for name, a in values.items()}
        return {"times": list(self.times)}, arrays

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[Key, Array]) -> None:
        """Continue from what `state` returned."""
        self.times = [float(t) for t in meta["times"]]
        self.values = [{} for _ in self.times]
        for key, array in arrays.items():
            self.values[int(key.label)][key.field] = array


class Remembering:
    """Base of steppers whose memory is the past."""

    past: Past

    def forget(self) -> None:
        """Begin anew: nothing of earlier steps is known."""
        self.past = Past(self.past.depth)

    def history(self) -> tuple[dict[str, Any], dict[Key, Array]]:
        """Return the earlier states that formulas and error estimates use."""
        return self.past.state()

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[Key, Array]) -> None:
        """Continue from what `history` returned."""
        self.past.restore(meta, arrays)
