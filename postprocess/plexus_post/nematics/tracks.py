"""Defects followed through time: who is who, where pairs appear and where they annihilate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plexus_post.nematics.defects import Defects, apart, matched


@dataclass(frozen=True)
class Track:
    """One defect over the steps at which it was seen.

    Attributes
    ----------
    charge : +0.5 or -0.5; first : number of its first step.
    place : (m, 2) its places, carried on across the sides of the box.
    """

    charge: float
    first: int
    place: np.ndarray

    @property
    def last(self) -> int:
        """Number of its last step."""
        return self.first + len(self.place) - 1

    @property
    def path(self) -> float:
        """Length of its path."""
        return float(np.linalg.norm(np.diff(self.place, axis=0), axis=1).sum())


@dataclass(frozen=True)
class History:
    """All defects of a run.

    Attributes
    ----------
    frames : defects of every step; labels : for each step the track number of every defect.
    tracks : the tracks in order of their first step.
    """

    frames: list[Defects]
    labels: list[np.ndarray]
    tracks: list[Track]

    @property
    def counts(self) -> np.ndarray:
        """Number of +1/2 and of -1/2 defects at every step, (S, 2)."""
        return np.array([f.counts for f in self.frames]).reshape(-1, 2)

    @property
    def born(self) -> np.ndarray:
        """Number of defects (S,) that were not there at the step before; none at the first step."""
        return self._events([t.first for t in self.tracks if t.first > 0])

    @property
    def gone(self) -> np.ndarray:
        """Number of defects (S,) that were there at the step before and no longer are."""
        return self._events([t.last + 1 for t in self.tracks if t.last < len(self.frames) - 1])

    def _events(self, steps: list[int]) -> np.ndarray:
        return np.bincount(np.array(steps, dtype=int), minlength=len(self.frames))


def pairs(a: Defects, b: Defects, lengths: np.ndarray, reach: float) -> list[tuple[int, int]]:
    """Return which defect of ``a`` is which of ``b``: the nearest of the same charge within ``reach``.

    The closest pair is taken first, so every defect is used once.
    """
    distance = np.linalg.norm(apart(a.place, b.place, lengths), axis=-1)
    distance[a.charge[:, None] != b.charge[None]] = np.inf
    return matched(distance, reach)


def follow(frames: Sequence[Defects], lengths: np.ndarray, reach: Sequence[float]) -> History:
    """Follow defects from step to step.

    Parameters
    ----------
    frames
        The defects of S steps.
    lengths
        Sides of the box.
    reach
        How far a defect may move before each step; the first one is not used.
    """
    labels: list[np.ndarray] = []
    starts: list[tuple[float, int]] = []
    places: list[list[np.ndarray]] = []
    for step, now in enumerate(frames):
        label = np.full(len(now), -1)
        if step:
            before = frames[step - 1]
            for i, j in pairs(before, now, lengths, reach[step]):
                label[j] = track = labels[-1][i]
                # the place is carried on from the last one, so that a path does not jump at a side
                way = apart(before.place[i : i + 1], now.place[j : j + 1], lengths)[0, 0]
                places[track].append(places[track][-1] + way)
        for j in np.flatnonzero(label < 0):
            label[j] = len(starts)
            starts.append((float(now.charge[j]), step))
            places.append([now.place[j]])
        labels.append(label)
    tracks = [Track(c, first, np.array(p)) for (c, first), p in zip(starts, places, strict=True)]
    return History(list(frames), labels, tracks)
