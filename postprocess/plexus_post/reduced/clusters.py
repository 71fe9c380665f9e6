"""Clusters of a dictionary of reduced models: what they promise, and how many runs are in each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plexus_post.errors import PostError
from plexus_post.pictures.style import LINE, pyplot, save
from plexus_post.text import table

FILE = "dictionary.json"


def show(path: Path, picture: Path) -> Path:
    """Print sizes of the models, draw gain and sizes; return the picture.

    Raises
    ------
    PostError
        If the file is no dictionary.
    """
    about = read(path)
    rows = [
        [k, *row] for k, row in enumerate(zip(about["sizes"], about["modes"], about["points"], strict=True))
    ]
    accuracy = f", recommended right {100 * about['accuracy']:.0f} %" if "accuracy" in about else ""
    head = ["model", "runs", "modes", "points"]
    table(f"{about['members']} runs, {about['clusters']} models{accuracy}", head, rows)
    return draw(about, picture)


def read(file: Path) -> dict[str, Any]:
    """Return what a dictionary tells of itself.

    Raises
    ------
    PostError
        If there is none.
    """
    try:
        told = json.loads(file.read_text("utf-8"))
        about = dict(told["about"])
        if told["kind"] != "dictionary" or not about["gains"] or not about["sizes"]:
            raise ValueError("it tells of no clusters")
        _ = [about[name] for name in ("members", "clusters", "modes", "points")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PostError(f"{file}: no dictionary of reduced models ({error})") from error
    return about


def draw(about: dict[str, Any], path: Path) -> Path:
    """Draw gain by number of clusters beside runs by cluster; return the file."""
    plt = pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.0), layout="constrained")
    counts = range(1, len(about["gains"]) + 1)
    left.plot(counts, about["gains"], "o-")
    left.axvline(about["clusters"], color=LINE, linewidth=0.8, linestyle=":")
    left.set(xlabel="clusters K", ylabel="gain before any model is made", xticks=list(counts), ylim=(0, None))
    right.bar(range(len(about["sizes"])), about["sizes"])
    right.set(xlabel="cluster", ylabel="runs", xticks=range(len(about["sizes"])))
    return save(figure, path)
