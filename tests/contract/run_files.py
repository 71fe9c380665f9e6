"""Comparing what two runs of one deck have written, file by file, independent of the number of ranks."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np

from plexus.fileformat import DECK, LOCK, LOG, PROGRESS, SUMMARY

OWN = {SUMMARY, LOG, DECK, PROGRESS, LOCK}
"""Files of the run itself, with wall times and places."""
WALL = {"wall", "seconds"}
"""Columns of histories that a clock on the wall fills."""
WAY = "solver/", "newton/", "krylov/", "transfers", "monitor"
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def written(folder: Path) -> dict[str, Path]:
    """Return the files that outputs have made, by name."""
    return {p.name: p for p in sorted(folder.iterdir()) if p.name not in OWN and p.is_file()}


def assert_same(one: Path, two: Path, tolerance: float) -> None:
    """Compare all files; numbers relative to the largest of their column."""
    mine, theirs = written(one), written(two)
    assert mine.keys() == theirs.keys()
    for name, path in mine.items():
        if name.startswith("checkpoint_"):
            continue  # a restart reads it back: that is the comparison
        if path.suffix == ".h5":
            _histories(path, theirs[name], tolerance)
        elif path.suffix == ".vtkhdf":
            _fields(path, theirs[name], tolerance)
        elif path.suffix != ".xdmf":  # which only names the parts of the file beside it
            _text(path, theirs[name], tolerance)


def _stem(column: str) -> str:
    """Return a column's name without number: shells that are empty hold rounding of the others."""
    return re.sub(r"_\d+$", "", column)


def _close(a: np.ndarray, b: np.ndarray, tolerance: float, what: str, scale: float = 0.0) -> None:
    assert a.shape == b.shape, f"{what}: {a.shape} and {b.shape}"
    scale = scale or np.nanmax(np.abs(a), initial=0.0) + 1e-300
    np.testing.assert_allclose(b / scale, a / scale, rtol=0, atol=tolerance, err_msg=what)


def tables(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """Return all tables of ``series.h5`` with their columns."""
    found: dict[str, dict[str, np.ndarray]] = {}

    def take(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.shape:
            table, _, column = name.rpartition("/")
            found.setdefault(table, {})[column] = item[:]

    with h5py.File(path) as file:
        file.visititems(take)
    return {k: v for k, v in found.items() if "step" in v}


def _histories(one: Path, two: Path, tolerance: float) -> None:
    mine, theirs = tables(one), tables(two)
    assert mine.keys() == theirs.keys()
    for name, columns in mine.items():
        # how solvers got there and rounding in identities are no results; that every step stands there is
        way = name.startswith(WAY)
        for column in ["step"] if way else sorted(columns.keys() - WALL):
            a, b = (np.unique(t[name][column]) if way else t[name][column] for t in (mine, theirs))
            like = max(
                np.nanmax(np.abs(v), initial=0) for k, v in columns.items() if _stem(k) == _stem(column)
            )
            _close(a, b, tolerance, f"{name}/{column}", like)
        if not way or name == "monitor":
            assert (np.diff(columns["step"]) > 0).all(), f"{name}: a step stands there twice"


def _fields(one: Path, two: Path, tolerance: float) -> None:
    mine, theirs = _snapshots(one), _snapshots(two)
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        assert a.keys() == b.keys()
        for name, values in a.items():
            _close(values, b[name], tolerance, name)


def _snapshots(path: Path) -> list[dict[str, np.ndarray]]:
    """Return time, places, and values at points and in cells of every output, sorted by place and id."""
    found = []
    with h5py.File(path) as file:
        vtk, steps = file["VTKHDF"], file["VTKHDF/Steps"]
        for i, t in enumerate(steps["Values"][:]):
            parts, part, point = (steps[k][i] for k in ("NumberOfParts", "PartOffsets", "PointOffsets"))
            size = vtk["NumberOfPoints"][part : part + parts].sum()
            places = vtk["Points"][point : point + size].round(9)
            _, which = np.unique(places, axis=0, return_index=True)
            here = {"time": np.array([t]), "places": places[which]}
            for name, data in vtk.get("PointData", {}).items():
                first = steps[f"PointDataOffsets/{name}"][i]
                here[name] = data[first : first + size][which]
            cells = vtk["NumberOfCells"][part : part + parts].sum()
            at = steps["CellOffsets"][i, 0]
            order = np.argsort(file["plexus/cell_ids"][at : at + cells])
            for name, data in vtk.get("CellData", {}).items():
                first = steps[f"CellDataOffsets/{name}"][i]
                here[f"cells {name}"] = data[first : first + cells][order]
            found.append(here)
    return found


def _text(one: Path, two: Path, tolerance: float) -> None:
    a, b = one.read_text(), two.read_text()
    assert NUMBER.sub("#", a) == NUMBER.sub("#", b), one.name
    numbers = (np.array([float(x) for x in NUMBER.findall(text)]) for text in (a, b))
    _close(*numbers, tolerance, one.name)
