"""Loads that change inside fixed steps: a pulse between two ends is never seen, a jump comes late."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from plexus.deck.loads import Changes

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

SHOWN = 3
"""Most times that a message lists."""
CLOSE = 1e-6
"""Part of a step that counts as none, as for the clock."""


def passed_over(deck: Deck, found: Changes) -> Iterator[tuple[str, str]]:
    """Yield deck path and text of loads that come and go, or jump, inside a step of the deck."""
    assert deck.time is not None
    step, hit = deck.time.step, tuple(deck.time.hit)
    stops = sorted({deck.time.start, *hit, *_outputs(deck)})
    for path, times in found.places.items():
        inside = [t for t in times if not _on_a_step(t, stops, step) and t < deck.time.end]
        pulses = [(a, b) for a, b in pairwise(times) if b - a < step and (a in inside or b in inside)]
        jumps = [t for t in inside if t in found.jumps]
        if pulses:
            pair = " and ".join(f"{t:.6g} s" for t in pulses[0])
            more = f", and {len(pulses) - 1:,} times more," * (len(pulses) > 1)
            wanted = sorted({t for pulse in pulses for t in pulse})
            text = f"changes at {pair}{more} within one step of {step:g} s, which may pass over it"
            yield path, f"{text}; {_remedy(hit, wanted)}"
        elif jumps:
            text = f"jumps at {_listed(jumps)} inside a step of {step:g} s and is taken as of its end"
            yield path, f"{text}; {_remedy(hit, jumps)}"


def _outputs(deck: Deck) -> Iterator[float]:
    """Yield the listed times of outputs, which cut steps; those of intervals are steps' own as a rule."""
    for output in deck.output:
        value = getattr(getattr(output, "every", None), "value", None)
        if isinstance(value, tuple):
            yield from value


def _on_a_step(t: float, stops: Sequence[float], step: float) -> bool:
    """Return whether a step ends at ``t``, counted from the last time that was hit before."""
    begin = max((s for s in stops if s <= t), default=stops[0])
    steps = (t - begin) / step
    return abs(steps - round(steps)) <= CLOSE + 1e-12 * abs(t) / step


def _listed(times: Sequence[float]) -> str:
    shown = ", ".join(f"{t:.6g} s" for t in times[:SHOWN])
    return shown + (f" and {len(times) - SHOWN:,} times more," if len(times) > SHOWN else "")


def _remedy(hit: Sequence[float], times: Sequence[float]) -> str:
    """Return how steps are made to end there."""
    every = sorted({*hit, *times})
    if len(every) > 2 * SHOWN:
        return "`time.hit` lists times at which steps shall end; adaptive steps find them"
    return f"`time.hit: [{', '.join(f'{t:.10g}' for t in every)}]` makes steps end there"
