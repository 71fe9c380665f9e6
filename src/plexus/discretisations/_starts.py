"""What a model in Fourier space makes of the start that a deck gives; told before a run, without torch.

A grid of N points per axis knows a start u by its samples. Between the points the model sees the series
through them, and it may keep a part of that only:

    u → K P u,   P: without divergence,   K: the waves that products do not spoil (`plexus.spaces.fourier`)

Both are told as shares of the mean square of u. The model of a run measures what it leaves out itself
(`plexus.protocols.Trims`), on grids of any size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus import registry
from plexus.coupling.starts import evaluated
from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.protocols import Doubt

LIMIT = 1 << 20
"""Grid points up to which a start is looked at before a run."""
NOWHERE = "has no finite value at some points of the grid"
TOLD, ROUGH = 1e-3, 0.1
"""Share that is told when it is lost; error between the points, relative to the start, that is told."""
WORDS = {
    "divergence": "in divergence, which the flow has none of",
    "short_waves": "in waves too short for the grid, which more cells keep",
}
"""Reason for which a part of the start is left out -> its words."""
MASKS = {
    "two_thirds": lambda n, cells: 3 * np.abs(n) < cells,
    "smooth36": lambda n, cells: np.exp(-36 * (2 * np.abs(n) / cells) ** 36),
    "none": lambda n, cells: np.ones(n.shape),
}
"""Rule of dealiasing -> factor on the mode n of so many cells."""


def told(lost: Mapping[str, float]) -> str | None:
    """Return what is lost of a start in words, None where next to nothing is."""
    total = sum(lost.values())
    if total <= TOLD:
        return None
    parts = [f"{share:.2g} % are {words}" for words, share in _percent(lost)]
    return f"the run begins with {100 * (1 - total):.3g} % of its energy: {' and '.join(parts)}"


def _percent(lost: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for name, share in lost.items():
        if share > TOLD / 10:
            yield WORDS.get(name, name), 100 * share


def cautions(deck: Deck) -> Iterator[str]:
    """Yield what a run would leave out of the fields that the deck gives, with its place."""
    without = getattr(registry.component("physics", deck.physics.type).cls, "starts_without", ())
    size: Sequence[float] = getattr(deck.mesh, "size", ())
    for name, (here, _) in _sampled(deck) if without else ():
        text = told(lost(here, size, getattr(deck.physics, "dealias", "two_thirds"), without))
        if text:
            yield f"initial.{name}: {text}"


def doubts(deck: Deck) -> Iterator[Doubt]:
    """Yield fields that the grid does not resolve, and random waves that it cannot show."""
    for name, (here, between) in _sampled(deck):
        whole = float(np.mean(np.abs(between) ** 2)) or float(np.mean(np.abs(here) ** 2))
        error = math.sqrt(float(np.mean(np.abs(midway(here) - between) ** 2)) / whole) if whole else 0.0
        if error > ROUGH:
            text = "the grid does not resolve it: between its points the series through them is off by"
            yield f"initial.{name}", f"{text} {100 * error:.0f} %"
    cls, cells = registry.component("physics", deck.physics.type).cls, getattr(deck.mesh, "cells", ())
    periods = cls.periods(deck.physics) if hasattr(cls, "periods") else 0
    if cells and min(cells) < 2 * periods:
        text = f"the random waves of the start have up to {periods} periods, which {min(cells)} points do not"
        yield "mesh.cells", f"{text} show: this is not the start of finer grids"


def lost(u: np.ndarray, size: Sequence[float], dealias: str, without: Sequence[str]) -> dict[str, float]:
    """Return the shares of mean |u|² that a model leaves out, by reason.

    Parameters
    ----------
    u
        Components at the grid points, (m, *cells).
    size
        Edge lengths of the box.
    dealias
        Rule that says which waves are kept.
    without
        What is left out: ``divergence``, ``short_waves``.
    """
    cells, axes = u.shape[1:], tuple(range(1, u.ndim))
    numbers = _numbers(cells)
    hat = np.fft.fftn(u, axes=axes)
    whole, stage, found = float((np.abs(hat) ** 2).sum()), hat, {}
    if "divergence" in without:
        k = [n / length for n, length in zip(numbers, size, strict=True)]
        k2 = sum(a * a for a in k)
        along = sum(a * h for a, h in zip(k, hat, strict=True)) / np.where(k2 > 0, k2, 1.0)
        stage = hat - np.stack([a * along for a in k])
        found["divergence"] = stage
    if "short_waves" in without:
        mask = np.ones(cells)
        for n, count in zip(numbers, cells, strict=True):
            mask = mask * MASKS[dealias](n, count)
        found["short_waves"] = stage * mask
    shares, before = {}, hat
    for reason, after in found.items():
        shares[reason] = float((np.abs(before - after) ** 2).sum()) / whole if whole else 0.0
        before = after
    return shares


def midway(u: np.ndarray) -> np.ndarray:
    """Return the series through (m, *cells) values half a cell further along every axis."""
    axes = tuple(range(1, u.ndim))
    hat = np.fft.fftn(u, axes=axes)
    for n, count in zip(_numbers(u.shape[1:]), u.shape[1:], strict=True):
        # the wave n = N/2 stands for ±N/2 at once, whose sum vanishes midway
        hat = hat * np.where(2 * np.abs(n) == count, 0.0, np.exp(1j * math.pi * n / count))
    return np.fft.ifftn(hat, axes=axes).real


def _numbers(cells: Sequence[int]) -> list[np.ndarray]:
    """Return the mode numbers along every axis; they broadcast to the cells."""
    found = []
    for axis, count in enumerate(cells):
        shape = [1] * len(cells)
        shape[axis] = -1
        found.append(np.rint(np.fft.fftfreq(count, 1 / count)).reshape(shape))
    return found


def _sampled(deck: Deck) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Yield the fields that the deck gives, at the grid points and midway between them.

    Raises
    ------
    InputError
        If a field has no value at a grid point.
    """
    cells = getattr(deck.mesh, "cells", ())
    if deck.time is None or not cells or math.prod(cells) > LIMIT:
        return
    for name, components in deck.initial.items():
        # what follows from controls is told by the model of a run
        if any(e is not None and e.names & deck.controls.keys() for e in components):
            continue
        here, between = (_values(deck, components, name, shift) for shift in (0.0, 0.5))
        if not np.isfinite(here).all():
            raise InputError(f"initial.{name}: {NOWHERE}")
        # a run does not look between the points
        yield name, (here, between if np.isfinite(between).all() else midway(here))


def _values(deck: Deck, components: Sequence[Any], name: str, shift: float) -> np.ndarray:
    mesh: Any = deck.mesh
    axes = [(np.arange(n) + shift) * (length / n) for n, length in zip(mesh.cells, mesh.size, strict=True)]
    at: dict[str, Any] = dict(zip("xyz", np.meshgrid(*axes, indexing="ij"), strict=False))
    at["t"] = deck.time.start if deck.time else 0.0
    with np.errstate(all="ignore"):
        values = [0.0 if e is None else evaluated(e, at, name) for e in components]
    return np.stack([np.broadcast_to(np.asarray(v, dtype=float), mesh.cells) for v in values])
