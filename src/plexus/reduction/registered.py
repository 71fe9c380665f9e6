"""Data on a moving grid as a code in time: what encodes, decodes and continues them.

encode: M(·, t) → G = M(x(t)) → c = Wᵀ G        decode: c → G = W c → values at fixed points
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.deck.effective import to_data
from plexus.errors import GuardError, InputError
from plexus.io import checkpoint
from plexus.reduction import registration
from plexus.reduction.monotone import slopes
from plexus.reduction.registration import Motion, Settings

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.deck.schema import Deck

Array = np.ndarray
KIND = "registration"


@dataclass(frozen=True, eq=False)
class Registered:
    """A moving grid with modes of what it holds.

    Attributes
    ----------
    motion : Motion
        The grid, in units of the line and of the training.
    modes : array (n m, r)
        Orthonormal W of n points on m lines.
    code : array (k, r)
        Coordinates of the snapshots.
    times : array (k,)
        Their times [s].
    background : float
        What is left out of the data.
    spacing : float
        Least distance of neighbours, relative to that at rest.
    """

    motion: Motion
    modes: Array
    code: Array
    times: Array
    background: float
    spacing: float

    @classmethod
    def of(
        cls, data: Array, times: Array, settings: Settings, seed: int, background: float = 0.0
    ) -> Registered:
        """Return the model of data (n, m, k) at equally spaced times (k,) [s]."""
        small, s = registration.coarsened(data - background)
        motion = registration.registered(small, s, settings, seed)
        positions = motion.at(registration.middles(len(data)), np.linspace(0, 1, len(times)))
        g = registration.mapped(data - background, positions)[0].reshape(-1, len(times))
        left, _ = registration.leading(g, settings.rank)
        return cls(motion, left, (left.T @ g).T, times, background, settings.spacing)

    def _share(self, t: Array) -> Array:
        return np.asarray((t - self.times[0]) / (self.times[-1] - self.times[0]))

    def _positions(self, t: Array, n: int) -> Array:
        """Return the grid at times (k,), (n, k).

        Raises
        ------
        GuardError
            If the grid has folded, or nearly so: beyond the training it may.
        """
        s = self._share(t)
        least = self.motion.spacing(s).min(axis=0)
        worst = int(np.argmin(least))
        if least[worst] < self.spacing:
            raise GuardError(
                f"registration: at t = {t[worst]:.4g} s neighbours of the grid are at {least[worst]:.2g} of "
                f"their distance, closer than {self.spacing:g}; the model ends before"
            )
        return self.motion.at(registration.middles(n), s)

    def on_grid(self, data: Array) -> Array:
        """Return the snapshots (n, m, k) on the moving grid, without the background."""
        return registration.mapped(data - self.background, self._positions(self.times, len(data)))[0]

    def encode(self, data: Array, t: Array) -> Array:
        """Return the code (k, r) of fields (n, m, k) at times (k,)."""
        positions = self._positions(t, len(data))
        g = registration.mapped(data - self.background, positions)[0]
        found: Array = (self.modes.T @ g.reshape(-1, len(t))).T
        return found

    def decode(self, code: Array, t: Array, lines: int = 1) -> Array:
        """Return the fields (n, m, k) of a code (k, r) at times (k,)."""
        n = len(self.modes) // lines
        values = (self.modes @ code.T).reshape(n, lines, len(t))
        xi = registration.middles(n)
        return registration.unmapped(values, self._positions(t, n), xi) + self.background

    def code_at(self, t: float) -> Array:
        """Return the code at a time, (r,): cubic pieces between snapshots, straight lines beyond."""
        x = self.times
        found = np.empty(self.code.shape[1])
        i = int(np.clip(np.searchsorted(x, t) - 1, 0, len(x) - 2))
        h = x[i + 1] - x[i]
        s = float(np.clip((t - x[i]) / h, 0, 1))
        beyond = t - np.clip(t, x[0], x[-1])
        for j, w in enumerate(self.code.T):
            d = slopes(x, w)
            value = (1 + 2 * s) * (1 - s) ** 2 * w[i] + s**2 * (3 - 2 * s) * w[i + 1]
            value += s * (1 - s) ** 2 * h * d[i] - s**2 * (1 - s) * h * d[i + 1]
            found[j] = value + beyond * d[i + 1 if beyond > 0 else i]
        return found

    def save(self, path: Path, comm: Comm, facts: dict[str, Any]) -> None:
        """Write the model with facts beside it. Collective."""
        a = len(self.motion.shapes)
        sets = {
            "modes": ("points", self.modes),
            "code": ("snapshots", np.column_stack([self.times, self.code])),
            "shapes": ("controls", self.motion.shapes),
            "courses": ("courses", self.motion.courses),
            # where the control points stand at the snapshots: all of the grid, without its splines
            "grid": ("snapshots", self.motion.at(np.linspace(0, 1, a), self._share(self.times)).T),
        }
        ids = {rows: np.arange(len(a) if comm.rank == 0 else 0) for rows, a in sets.values()}
        arrays = {name: a if comm.rank == 0 else a[:0] for name, (_, a) in sets.items()}
        told = facts | {"background": self.background, "spacing": self.spacing}
        told |= {"rows": {rows: len(a) for rows, a in sets.values()}}
        where = {name: rows for name, (rows, _) in sets.items()}
        checkpoint.write(path, comm, ids, checkpoint.Content({KIND: told}, arrays, where))


def load(path: Path, comm: Comm) -> tuple[Registered, dict[str, Any]]:
    """Read a model; return it and its facts. Collective.

    Raises
    ------
    InputError
        If the file is none, or damaged.
    """
    known = checkpoint.about(path, comm)
    if KIND not in known.facts:
        raise InputError(f"{path}: this is no registration, but another model")
    facts = known.facts[KIND]
    wanted = {rows: np.arange(n) for rows, n in facts["rows"].items()}
    a = checkpoint.read(path, comm, wanted, known).arrays
    motion = Motion(a["shapes"], a["courses"])
    model = Registered(
        motion, a["modes"], a["code"][:, 1:], a["code"][:, 0], facts["background"], facts["spacing"]
    )
    return model, facts


def problem_of(deck: Deck) -> str:
    """Return a checksum of what decides on the answer of a deck but time and numerics of the march."""
    told = {key: to_data(getattr(deck, key)) for key in ("mesh", "physics", "initial", "boundary", "tables")}
    text = json.dumps([told, deck.constants], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
