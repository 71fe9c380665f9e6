"""``plexus-post probe``: fields at points or along a line, as a table, a CSV file or a picture."""

from __future__ import annotations

import numpy as np

from plexus_post.errors import PostError
from plexus_post.export import columns
from plexus_post.run import Run


def line(start: np.ndarray, end: np.ndarray, count: int) -> np.ndarray:
    """Return ``count`` equidistant points (count, 3) from start to end, both included."""
    return start + np.linspace(0, 1, count)[:, None] * (end - start)


def point(text: str) -> np.ndarray:
    """Return a point (3,) from text ``x,y`` or ``x,y,z``.

    Raises
    ------
    PostError
        If the text is not two or three numbers.
    """
    try:
        values = [float(v) for v in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (2, 3):
        raise PostError(f"{text!r} is no point; write x,y or x,y,z")
    return np.array([*values, 0.0][:3])


def sample(run: Run, points: np.ndarray, fields: list[str] | None, step: int) -> dict[str, np.ndarray]:
    """Return columns x, y, z, distance along the points, and every field component there.

    Raises
    ------
    PostError
        If no point lies in the mesh.
    """
    data = columns(run.at(points, fields, step))
    if all(np.isnan(v).all() for v in data.values()):
        low, high = run.mesh(step).points.min(axis=0), run.mesh(step).points.max(axis=0)
        raise PostError(f"no point lies in the mesh, which spans {low.tolist()} to {high.tolist()}")
    distance = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return dict(zip("xyz", points.T, strict=True)) | {"distance": distance} | data


def history(run: Run, place: np.ndarray, fields: list[str] | None) -> dict[str, np.ndarray]:
    """Return columns time and every field component at one point over all steps."""
    steps = [columns(run.at(place[None], fields, s)) for s in range(len(run.times))]
    return {"time": run.times} | {n: np.concatenate([s[n] for s in steps]) for n in steps[0]}
