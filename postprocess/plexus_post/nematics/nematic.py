"""Statistics of an active nematic in a periodic box: speed, order, director, defects, spectrum.

The order r is 0 for directions without preference and 1 for full alignment; the director is the preferred
direction, its sign means nothing. Both are taken from the fields `order` and `director`, or from the second
moment `nematic`, a tensor D: its deviator D - tr(D)/2 has the values ±r/2 times the concentration tr(D).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from plexus_post.errors import PostError
from plexus_post.nematics import defects, spectrum, tracks
from plexus_post.nematics.names import DIRECTOR, ORDER, TENSOR, VELOCITY, VORTICITY
from plexus_post.readers.periodic import Box
from plexus_post.readers.run import Run

ORDERED = 0.1
"""Below this mean order the director is noise, and its defects are not counted."""
RESOLVED = 2.0
"""Pairs of opposite defects closer than this many distances of the points are not counted."""


class Nematic:
    """One run, read step by step.

    Parameters
    ----------
    run
        The run.
    flow
        Accept a run with a velocity but without a director: any plane periodic flow.

    Attributes
    ----------
    box : its fields; oriented : whether it has a director.

    Raises
    ------
    PostError
        If the run lacks the velocity or the director, or is no plane periodic box.
    """

    def __init__(self, run: Run, flow: bool = False):
        self.box = Box(run)
        known = set(run.fields)
        self.oriented = {ORDER, DIRECTOR} <= known or TENSOR in known
        if VELOCITY not in known or not (self.oriented or flow):
            needed = VELOCITY if flow else f"{VELOCITY}, {ORDER} and {DIRECTOR} (or {TENSOR})"
            raise PostError(
                f"{run.name}: needs the fields {needed}; it holds {', '.join(run.fields) or 'none'}. "
                "Name them under `output: [{type: fields}]`"
            )

    def tensor(self, step: int) -> np.ndarray:
        """Return q = r exp(2 i theta), (nx, ny) complex."""
        if self.box.has(DIRECTOR) and self.box.has(ORDER):
            n = self.box.vector(DIRECTOR, step)
            # doubling the angle removes the director's sign
            return self.box.field(ORDER, step) * np.exp(2j * np.arctan2(n[..., 1], n[..., 0]))
        d = self.box.field(TENSOR, step)
        # a file holds plane tensors with four components, or with nine as ParaView wants them
        side = {4: 2, 9: 3}.get(d.shape[-1]) if d.ndim == 3 else None
        if side is None:
            raise PostError(f"{self.box.run.name}: {TENSOR} is not a tensor")
        xx, xy, yx, yy = (d[..., side * i + j] for i in (0, 1) for j in (0, 1))
        # D11 - D22 + 2i D12 over the trace
        return np.asarray((xx - yy + 1j * (xy + yx)) / (xx + yy))

    def order(self, step: int) -> np.ndarray:
        """Return the order r, (nx, ny); NaN without a director."""
        if not self.oriented:
            return np.full(self.box.cells, np.nan)
        return self.box.field(ORDER, step) if self.box.has(ORDER) else np.abs(self.tensor(step))

    def velocity(self, step: int) -> np.ndarray:
        """Return the velocity, (nx, ny, 2)."""
        return self.box.vector(VELOCITY, step)

    def speed(self, step: int) -> np.ndarray:
        """Return the magnitude of the velocity, (nx, ny)."""
        return np.asarray(np.linalg.norm(self.velocity(step), axis=-1))

    def vorticity(self, step: int) -> np.ndarray:
        """Return the vorticity, (nx, ny): the field, or the velocity's derivative where there is none."""
        if self.box.has(VORTICITY):
            return self.box.field(VORTICITY, step)
        return spectrum.vorticity(self.velocity(step), self.box.lengths)

    def defects(self, step: int) -> defects.Defects:
        """Return the defects, none while the order is that of noise."""
        q = np.ones((1, 1), dtype=complex)
        if self.oriented and float(self.order(step).mean()) >= ORDERED:
            q = self.tensor(step)
        found = defects.find(q, self.box.lengths)
        return defects.resolved(found, self.box.lengths, RESOLVED * float(np.max(self.box.spacing)))


@dataclass(frozen=True)
class Statistics:
    """What a run's fields tell over time.

    Attributes
    ----------
    name : of the run; times : (S,); lengths : (2,).
    speed, order : (S,) means over the box, the order NaN without a director.
    shells : (K,); energy : (S, K) kinetic energy of each shell.
    history : the defects, followed.
    """

    name: str
    times: np.ndarray
    lengths: np.ndarray
    speed: np.ndarray
    order: np.ndarray
    shells: np.ndarray
    energy: np.ndarray
    history: tracks.History

    @classmethod
    def of(cls, nematic: Nematic, name: str = "") -> Statistics:
        """Read all steps of a run."""
        box = nematic.box
        steps, h = range(len(box.times)), float(np.min(box.spacing))
        speed, order, energy, peak, frames = [], [], [], [], []
        for step in steps:
            velocity = nematic.velocity(step)
            size = np.linalg.norm(velocity, axis=-1)
            speed.append(float(size.mean()))
            peak.append(float(size.max()))
            order.append(float(nematic.order(step).mean()))
            shells, now = spectrum.energy(velocity, box.lengths)
            energy.append(now)
            frames.append(nematic.defects(step))
        # a defect is carried by the flow and drives itself about as fast
        gaps = np.diff(box.times, prepend=box.times[:1])
        reach = 2 * np.maximum(peak, np.roll(peak, 1)) * gaps + 2 * h
        followed = tracks.follow(frames, box.lengths, reach)
        rows = (np.array(speed), np.array(order), shells, np.array(energy))
        return cls(name or box.run.name, box.times, box.lengths, *rows, followed)

    def late(self, after: float) -> np.ndarray:
        """Return which steps (S,) lie at or after a time.

        Raises
        ------
        PostError
            If none does.
        """
        rows = self.times >= after - 1e-9 * max(abs(after), 1.0)
        if not rows.any():
            raise PostError(f"{self.name}: ends at t = {self.times[-1]:g}, before t = {after:g}")
        return rows

    @cached_property
    def density(self) -> np.ndarray:
        """Number of defects of both charges per area, (S,)."""
        return self.history.counts.sum(axis=1) / float(np.prod(self.lengths))

    def columns(self) -> dict[str, np.ndarray]:
        """Return the history as columns of equal length."""
        counts = self.history.counts
        return {
            "time": self.times, "mean_speed": self.speed, "mean_order": self.order,
            "plus_defects": counts[:, 0], "minus_defects": counts[:, 1],
            "born": self.history.born, "gone": self.history.gone,
        }  # fmt: skip

    def defect_columns(self) -> dict[str, np.ndarray]:
        """Return one row per defect and step: time, track, charge, x, y, angle."""
        frames, labels = self.history.frames, self.history.labels
        count = [len(f) for f in frames]
        return {
            "time": np.repeat(self.times, count),
            "track": np.concatenate(labels),
            "charge": np.concatenate([f.charge for f in frames]),
            "x": np.concatenate([f.place[:, 0] for f in frames]),
            "y": np.concatenate([f.place[:, 1] for f in frames]),
            "angle": np.concatenate([f.angle for f in frames]),
        }
