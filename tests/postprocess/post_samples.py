"""Hand-made result files: an annulus of any plane shape and a cube, in several parts and steps."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

from plexus_post.readers.cells import KINDS

VTK = {k.name: k for k in KINDS.values()}


def annulus(shape: str = "quad", nr: int = 4, nt: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Points and cells of a quarter annulus, radii 1 and 2."""
    order = 1 if VTK[shape].nodes == VTK[shape].reference.shape[0] and VTK[shape].nodes in (3, 4) else 2
    r, t = np.linspace(1, 2, nr * order + 1), np.linspace(0, np.pi / 2, nt * order + 1)
    grid = np.arange(len(r) * len(t)).reshape(len(r), len(t))
    i, j = np.meshgrid(order * np.arange(nr), order * np.arange(nt), indexing="ij")
    at = lambda a, b: grid[(i + a).ravel(), (j + b).ravel()]  # noqa: E731
    n = order
    quad = [at(0, 0), at(n, 0), at(n, n), at(0, n)]
    if shape == "quad":
        cells = np.stack(quad, 1)
    elif shape == "quad9":
        cells = np.stack([*quad, at(1, 0), at(2, 1), at(1, 2), at(0, 1), at(1, 1)], 1)
    elif shape == "triangle":
        cells = np.concatenate([np.stack(quad[:3], 1), np.stack([quad[0], quad[2], quad[3]], 1)])
    else:
        low = [quad[0], quad[1], quad[2], at(1, 0), at(2, 1), at(1, 1)]
        high = [quad[0], quad[2], quad[3], at(1, 1), at(1, 2), at(0, 1)]
        cells = np.concatenate([np.stack(low, 1), np.stack(high, 1)])
    radius, angle = np.repeat(r, len(t)), np.tile(t, len(r))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle], 1), cells


def cube(n: int = 3, size: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Points and hexahedra of a cube."""
    x = np.linspace(0, size, n + 1)
    points = np.stack(np.meshgrid(x, x, x, indexing="ij"), -1).reshape(-1, 3)
    grid = np.arange((n + 1) ** 3).reshape(3 * (n + 1,))
    corner = lambda a, b, c: grid[a : n + a, b : n + b, c : n + c].ravel()  # noqa: E731
    order = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    return points, np.stack([corner(*o) for o in order], 1)


def interval(shape: str = "line", n: int = 12, length: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Points and cells of a stretched interval from 0; every other cell runs from right to left."""
    order = VTK[shape].nodes - 1
    ends = length * np.linspace(0, 1, n + 1) ** 1.5
    x = np.interp(np.arange(n * order + 1) / order, np.arange(n + 1), ends)
    first = order * np.arange(n)
    cells = np.stack([first, first + order, first + 1][: order + 1], 1)
    cells[1::2, :2] = cells[1::2, 1::-1]
    return np.stack([x, 0 * x, 0 * x], 1), cells


def analytic(points: np.ndarray, time: float) -> dict[str, np.ndarray]:
    """Fields that are known everywhere: linear, so that every shape reproduces them."""
    x, y, z = points.T
    return {
        "temperature": 300 + (10 + time) * x + 20 * y,
        "displacement": 1e-3 * np.stack([x + time, -y, 0.5 * z], 1),
    }


def write_fields(
    path: Path,
    points: np.ndarray,
    cells: np.ndarray,
    shape: str,
    parts: int = 1,
    times: tuple[float, ...] = (0.0,),
    fields=analytic,
    ids: bool = False,
) -> None:
    """Write a VTKHDF file: cells dealt out in blocks, a static mesh, fields of every step."""
    blocks = [c for c in np.array_split(np.arange(len(cells)), parts)]
    used = [np.unique(cells[b]) for b in blocks]
    local = [np.searchsorted(u, cells[b]) for u, b in zip(used, blocks, strict=True)]
    place = np.concatenate(used)
    with h5py.File(path, "w") as file:
        root = file.create_group("VTKHDF")
        root.attrs["Version"] = (2, 0)
        root.attrs.create("Type", np.array(b"UnstructuredGrid", dtype="S16"))
        root["NumberOfPoints"] = [len(u) for u in used]
        root["NumberOfCells"] = [len(b) for b in blocks]
        root["NumberOfConnectivityIds"] = [c.size for c in local]
        root["Points"], root["Connectivity"] = points[place], np.concatenate([c.ravel() for c in local])
        root["Offsets"] = np.concatenate([np.arange(len(b) + 1) * cells.shape[1] for b in blocks])
        root["Types"] = np.full(len(cells), VTK[shape].vtk, dtype=np.uint8)
        values = [fields(points[place], t) for t in times]
        for name in values[0]:
            data = root.create_dataset(f"PointData/{name}", data=np.concatenate([v[name] for v in values]))
            data.attrs["unit"] = {
                "temperature": "K",
                "displacement": "m",
                "von_mises": "Pa",
                "stress": "Pa",
            }.get(name, "1")
        if ids:
            file["plexus/node_ids"] = place
        root["CellData/rank"] = np.repeat(np.arange(parts), [len(b) for b in blocks])
        _steps(root, len(place), parts, times, list(values[0]))


def _steps(root: h5py.Group, count: int, parts: int, times: tuple[float, ...], names: list[str]) -> None:
    steps, zero = root.create_group("Steps"), np.zeros(len(times), dtype=np.int64)
    steps.attrs["NSteps"] = len(times)
    steps["Values"] = np.array(times)
    for name in ("PartOffsets", "PointOffsets"):
        steps[name] = zero
    steps["NumberOfParts"] = zero + parts
    for name in ("CellOffsets", "ConnectivityIdOffsets"):
        steps[name] = zero[:, None]
    for name in names:
        steps[f"PointDataOffsets/{name}"] = np.arange(len(times)) * count
    steps["CellDataOffsets/rank"] = zero


def mesh(shape: str) -> tuple[np.ndarray, np.ndarray]:
    """Points and cells of the sample of a shape."""
    if shape.startswith("line"):
        return interval(shape)
    return cube() if shape == "hexahedron" else annulus(shape)


def run_folder(folder: Path, parts: int = 2, shape: str = "quad9", times=(0.0, 1.0, 2.0), **how) -> Path:
    """Write a whole run folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    points, cells = mesh(shape)
    write_fields(folder / "fields.vtkhdf", points, cells, shape, parts, times, **how)
    summary = {
        "status": "done", "exit_code": 0, "ranks": parts, "unknowns": 1234, "steps": 3, "wall_seconds": 2.5,
        "phases": {n: {"longest": 0.5, "mean": 0.4, "calls": 3} for n in ("assembly", "solve")},
        "quantities": {"peak": 340.25},
        "solver": {"temperature": {"total": 12, "mean": 4.0, "max": 5}}, "peak_memory_mb": 210.0,
        "versions": {"plexus": "0.1.0"},
        "verification": [
            {"quantity": "peak", "measured": 340.25, "reference": 340.0, "tolerance": 0.01, "holds": True}
        ],
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "deck.yaml").write_text("plexus: 1\nabout: {title: Quarter ring, needs: '>=0.1'}\n")
    return folder


def periodic_run(
    folder: Path, fields, cells=(32, 32), lengths=(10.0, 10.0), times=(0.0, 1.0, 2.0), parts: int = 2
) -> Path:
    """Write a run on a periodic box: ``fields(x, y, t)`` gives name -> (P,) or (P, 2) at the points."""
    folder.mkdir(parents=True, exist_ok=True)
    axes = [np.linspace(0, h, n + 1) for n, h in zip(cells, lengths, strict=True)]
    x, y = (v.ravel() for v in np.meshgrid(*axes, indexing="ij"))
    number = np.arange(len(x)).reshape(cells[0] + 1, cells[1] + 1)
    quads = [number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]]
    corners = np.stack([q.ravel() for q in quads], 1)
    places = np.stack([x, y, 0 * x], 1)
    values = lambda p, t: fields(p[:, 0], p[:, 1], t)  # noqa: E731
    write_fields(folder / "fields.vtkhdf", places, corners, "quad", parts, tuple(times), values, ids=True)
    (folder / "deck.yaml").write_text("plexus: 1\nabout: {title: Active box}\n")
    return folder
