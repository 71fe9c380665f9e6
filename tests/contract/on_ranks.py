"""As a script, on any number of ranks: runs all decks of a folder and builds all its meshes.

``<name>.yaml`` is run into ``<name>/``; ``meshes.json`` has mesh blocks by name, whose content is written to
``<name>.npz``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from plexus import registry


def content(block: dict[str, Any], folder: Path) -> dict[str, np.ndarray]:
    """Return what all ranks hold of a source, rank by rank. Collective."""
    from mpi4py import MPI

    from plexus.deck.context import Context
    from plexus.errors import InputError
    from plexus.protocols import CellSource, GridSource, PeriodicSource

    component = registry.component("mesh", block["type"])
    given = {k: v for k, v in block.items() if k != "type"}
    source = component.cls(component.params.model_validate(given, context=Context(folder=folder)))
    found: dict[str, np.ndarray] = {}
    if issubclass(component.cls, CellSource):
        found |= _cells(source.build(MPI.COMM_WORLD))
    for protocol, method in ((GridSource, "grid"), (PeriodicSource, "periodic")):
        if issubclass(component.cls, protocol):
            # a source of cells need not be a grid with every cell type
            try:
                grid = getattr(source, method)(MPI.COMM_WORLD)
            except InputError:
                continue
            found |= {f"{method} cells": np.array(grid.cells), f"{method} size": np.array(grid.size)}
    return found


def _cells(mesh: Any) -> dict[str, np.ndarray]:
    """Return ids, volumes, points and names of the owned cells of all ranks. Collective."""
    n, nv = mesh.n_owned_cells, mesh.reference.n_vertices
    volumes = mesh.corner_volumes()[:n].mean(axis=1) * mesh.reference.volume
    mine = {"ids": mesh.cell_ids[:n], "volumes": volumes, "points": np.unique(mesh.point_ids[mesh.cells[:n]])}
    mine["vertices"] = mesh.vertex_ids[mesh.cells[:n, :nv]]
    for name, cells in mesh.regions.items():
        mine[f"region {name}"] = mesh.cell_ids[cells[cells < n]]
    for name, pairs in mesh.boundaries.items():
        own = pairs[pairs[:, 0] < n]
        mine[f"boundary {name}"] = np.stack([mesh.cell_ids[own[:, 0]], own[:, 1]], axis=1)
    every = mesh.comm.allgather(mine)
    return {key: np.concatenate([one[key] for one in every]) for key in mine}


def main(folder: Path) -> None:
    """Run and build everything. Collective."""
    from mpi4py import MPI

    from plexus import driver

    codes = {}
    for path in sorted(folder.glob("*.yaml")):
        # an error ends a run with an exit code, on all ranks alike
        try:
            codes[path.stem] = driver.run(path, folder=folder / path.stem)
        except SystemExit as end:
            codes[path.stem] = end.code
    blocks = json.loads((folder / "meshes.json").read_text())
    for name, block in blocks.items():
        found = content(block, folder)
        if MPI.COMM_WORLD.rank == 0:
            np.savez(folder / f"{name}.npz", **found)
    if MPI.COMM_WORLD.rank == 0:
        (folder / "codes.json").write_text(json.dumps(codes))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
