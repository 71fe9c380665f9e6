"""Spectra of M A and slices of learned factors, as `plexus bench linear:spectra` stores them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.pictures.style import pyplot, save

PLAIN, LEARNED = "#444444", "#009E73"


def read(path: Path) -> Mapping[str, Any] | None:
    """Return what a file tells of spectra, None if it is another one."""
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and told.get("spectra") else None


def spectra(told: Mapping[str, Any], path: Path) -> Path:
    """Draw the eigenvalues of each system, a line of marks for each method; return the path."""
    systems = list(dict.fromkeys(one["system"] for one in told["spectra"]))
    figure = pyplot().figure(figsize=(8, 0.9 + 1.3 * len(systems)), layout="constrained")
    panels = figure.subplots(len(systems), 1, squeeze=False, sharex=True)[:, 0]
    for axes, system in zip(panels, systems, strict=True):
        mine = [one for one in told["spectra"] if one["system"] == system]
        for height, one in enumerate(mine):
            values = np.array(one["values"])
            colour = LEARNED if "learned" in one["method"] else PLAIN
            axes.hlines(height, values.min(), values.max(), color=colour, linewidth=0.8)
            axes.plot(values, np.full(len(values), height), "|", color=colour, markersize=16)
        axes.set_yticks(range(len(mine)), [_words(one) for one in mine])
        axes.set_ylim(len(mine) - 0.4, -0.6)
        axes.set_title(system, loc="left")
        axes.grid(axis="y", visible=False)
    panels[-1].set_xlabel("eigenvalues of M A")
    return save(figure, path)


def _words(one: Mapping[str, Any]) -> str:
    values = one["values"]
    return f"{one['method']}\ncondition {max(values) / min(values):.2f}"


def conductances(told: Mapping[str, Any], path: Path) -> Path:
    """Draw coefficient and learned factors on a slice of each system; return the path."""
    slices = told["slices"]
    figure = pyplot().figure(figsize=(8.6, 3.6 * len(slices)), layout="constrained")
    panels = figure.subplots(len(slices), 2, squeeze=False)
    for (left, right), one in zip(panels, slices, strict=True):
        known, factors = (np.array(one[key], float) for key in ("coefficient", "factors"))
        image = left.imshow(known.T, origin="lower", cmap="viridis")
        left.set_title(f"{one['system']}: {one['beside']}", loc="left")
        figure.colorbar(image, ax=left, shrink=0.85)
        top = max(float(np.nanmax(np.abs(factors))), 1e-3)
        image = right.imshow(factors.T, origin="lower", cmap="RdBu_r", vmin=-top, vmax=top)
        right.set_title("log₂ of factors, mean over an aggregate's couplings", loc="left", fontsize="small")
        figure.colorbar(image, ax=right, shrink=0.85)
        for axes in (left, right):
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
    return save(figure, path)
