"""Draws of a random field that a deck's nodal controls read: their values, and which of them differ most.

Draws are the members of ``sweep: {mode: draws}``. What they have in common is told by the Gram matrix of
their values at the nodes, whose pivoted Cholesky factorisation takes the draw next that lies farthest from
the span of those before (H. Harbrecht, M. Peters, R. Schneider, Appl. Numer. Math. 62 (2012) 428,
doi:10.1016/j.apnum.2011.10.001). A sum of M known fields ends after M draws, or M + 1 with a mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus import registry
from plexus.deck.schema import Deck
from plexus.deck.strategies import number_of
from plexus.errors import InputError
from plexus.reduction.responses import Elastic
from plexus.reduction.times import few

if TYPE_CHECKING:
    from plexus.coupling.system import System

Array = np.ndarray
TOGETHER = 2**22
"""Values at nodes that are held at once for the Gram matrix."""
NEW = 1e-6
"""Distance from the span of others, relative to the largest draw, below which a draw is a sum of them."""


class Drawn:
    """The draws of a deck on a system.

    Parameters
    ----------
    deck : Deck
        With ``sweep: {mode: draws}``, whose sample nodal controls read.
    system : System
        The full system of the deck.
    kept : int
        Draws whose values are kept for whoever asks next.
    """

    def __init__(self, deck: Deck, system: System, kept: int = 1):
        assert deck.sweep is not None and deck.sweep.sample is not None and deck.sweep.samples is not None
        self.deck, self.system = deck, system
        self.sample, self.count = deck.sweep.sample, deck.sweep.samples
        self.names = readers(deck)
        space = next(iter(system.spaces.values()))
        self.points, self.n_owned, self.comm = space.points, space.n_owned, space.comm
        self.values = lru_cache(kept)(self._evaluated)
        """Number of a draw -> values of the controls at the local nodes, (k, 1)."""

    def _evaluated(self, number: int) -> dict[str, Array]:
        """Return the values of the controls at the local nodes, (k, 1)."""
        return self._everywhere(number)

    @cached_property
    def _everywhere(self) -> Callable[[int], dict[str, Array]]:
        """What gives the values of a draw at the local nodes."""
        return self._at(slice(None))

    def _at(self, rows: slice) -> Callable[[int], dict[str, Array]]:
        """Return what gives the values of a draw at some of the local nodes, (k, 1).

        What all draws have in common is computed once.
        """
        x, starts = self.points[rows], dict[str, tuple[Any, dict[str, Array]]]()
        at = dict(zip("xyz", x.T, strict=False))
        field: Any = registry.build("sample", self.deck.samples[self.sample])
        family = field.family(*(np.ascontiguousarray(at[axis]) for axis in field.axes))
        for name in self.names:
            rest, parts = self.deck.controls[name].start.freed(self.sample).apart(self.sample)
            starts[name] = rest, {key: part(at) for key, part in parts.items()}

        def of(number: int) -> dict[str, Array]:
            drawn, found = family(number), {}
            for name, (rest, known) in starts.items():
                values = np.array(np.broadcast_to(rest(known | {self.sample: drawn}), len(x)), dtype=float)
                if not np.isfinite(values).all():
                    raise InputError(f"controls.{name}.start: draw {number}: {self._lost(name, number, at)}")
                found[name] = values.reshape(-1, 1)
            return found

        return of

    def _lost(self, name: str, number: int, at: Mapping[str, Array]) -> str:
        """Return a sentence on the first value of a draw that is not finite."""
        drawn = self.deck.samples[self.sample].model_copy(update={"number": number})
        start = self.deck.controls[name].start.bound_to(**{self.sample: registry.build("sample", drawn)})
        return str(start.lost(start(at), at))

    def put(self, number: int) -> None:
        """Let the system have a draw. Collective."""
        values = {name: a[: self.n_owned] for name, a in self.values(number).items()}
        self.system.controls.put(values)

    def require_warm(self) -> None:
        """Refuse draws that take the body below absolute zero at one of a few times. Collective.

        Raises
        ------
        InputError
            If one of those that differ most does.
        """
        times = few(self.deck)
        elastic = Elastic(self.system, times[0])
        for number in self.farthest:
            self.put(number)
            heat = elastic.temperatures(times)
            coldest = min(self.comm.allgather(float(heat.min(initial=np.inf))))
            if coldest < 0:
                raise InputError(
                    f"controls.{self.names[0]}.start: draw {number} of {self.sample} takes the body to "
                    f"{coldest:.4g} K, below absolute zero: let the draws differ less"
                )

    @cached_property
    def farthest(self) -> list[int]:
        """Numbers of the draws of whose values all others are sums, the farthest first. Collective.

        Raises
        ------
        InputError
            If a draw has no values, or all of them are zero.
        """
        gram = np.zeros((self.count, self.count))
        block = max(1, TOGETHER // self.count)
        for first in range(0, self.n_owned, block):
            here = self._at(slice(first, min(first + block, self.n_owned)))
            every = [here(number) for number in range(self.count)]
            for name in self.names:
                a = np.column_stack([values[name] for values in every])
                gram += a.T @ a
        gram = self.comm.allreduce(gram)
        # squares of what is very large have no number either
        if not np.isfinite(gram).all() or not gram.any():
            size = "too large for numbers" if gram.any() else "zero everywhere"
            raise InputError(f"controls.{self.names[0]}.start: the draws of {self.sample} are {size}")
        return pivots(gram)


def pivots(gram: Array) -> list[int]:
    """Return the pivots of a Cholesky factorisation of a Gram matrix, until only rounding is left."""
    rest, rows = np.diag(gram).copy(), list[Array]()
    found, least = list[int](), NEW**2 * rest.max()
    while len(found) < len(gram) and rest.max() > least:
        k = int(np.argmax(rest))
        row = gram[k] - sum((r[k] * r for r in rows), np.zeros(len(gram)))
        rows.append(row / rest[k] ** 0.5)
        rest = rest - rows[-1] ** 2
        rest[k] = -1.0
        found.append(k)
    return found


def readers(deck: Deck) -> list[str]:
    """Return the names of the controls whose start reads the sample that is drawn."""
    sample = deck.sweep.sample if deck.sweep is not None else None
    starts = ((name, getattr(params, "start", None)) for name, params in deck.controls.items())
    return [name for name, start in starts if sample in getattr(start, "bound", ())]


def deck_of(deck: Deck, number: int) -> Deck:
    """Return the deck of one draw, with the full model and without outputs."""
    assert deck.sweep is not None
    plain: Any = deepcopy(deck.plain())
    data, (*above, last) = plain["data"], number_of(deck.sweep).split(".")
    block = data
    for part in above:
        block = block[part]
    block[last] = number
    made = Deck.from_plain(plain)
    return made.model_copy(update={"rom": None, "sweep": None, "output": ()})
