"""Fields on a mesh as VTU, the XML format of VTK, written as text; several times as a PVD collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from plexus_post.readers.grid import Grid


def write_vtu(
    target: Path, grid: Grid, data: Mapping[str, np.ndarray], places: Mapping[str, str]
) -> None:  # fmt: skip
    """Write fields of one time.

    Parameters
    ----------
    target
        The file.
    grid
        Mesh.
    data
        Field name -> (P,), (P, components) on points or (C,), (C, components) on cells.
    places
        Field name -> ``point`` or ``cell``.
    """
    blocks = grid.blocks
    # cells are written shape by shape, so their data must follow in the same order
    order = np.concatenate([i for _, _, i in blocks])
    connectivity = np.concatenate([c.ravel() for _, c, _ in blocks])
    offsets = np.cumsum(np.concatenate([np.full(len(c), k.nodes) for k, c, _ in blocks]))
    types = np.concatenate([np.full(len(c), k.vtk) for k, c, _ in blocks])
    on = {place: {n: v for n, v in data.items() if places[n] == place} for place in ("point", "cell")}
    cell_data = {n: v[order] for n, v in on["cell"].items()}
    lines = [
        '<?xml version="1.0"?>',
        '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian"><UnstructuredGrid>',
        f'<Piece NumberOfPoints="{len(grid.points)}" NumberOfCells="{len(types)}">',
        "<Points>", _array("Points", grid.points), "</Points>",
        "<Cells>", _array("connectivity", connectivity), _array("offsets", offsets),
        _array("types", types), "</Cells>",
        "<PointData>", *(_array(n, v) for n, v in on["point"].items()), "</PointData>",
        "<CellData>", *(_array(n, v) for n, v in cell_data.items()), "</CellData>",
        "</Piece></UnstructuredGrid></VTKFile>", "",
    ]  # fmt: skip
    target.write_text("\n".join(lines))


def write_pvd(target: Path, files: Sequence[tuple[float, str]]) -> None:
    """Write the collection of some files: times [s] and their names beside it."""
    sets = [f'<DataSet timestep="{t:.16g}" file={quoteattr(name)}/>' for t, name in files]
    lines = ['<?xml version="1.0"?>', '<VTKFile type="Collection" version="1.0"><Collection>', *sets]
    target.write_text("\n".join([*lines, "</Collection></VTKFile>", ""]))


def _array(name: str, values: np.ndarray) -> str:
    """Return one DataArray element with its numbers as text."""
    flat = values.reshape(len(values), -1)
    kind = "Int64" if flat.dtype.kind in "iu" else "Float64"
    pattern = "%d" if kind == "Int64" else "%.16g"
    text = "\n".join(" ".join(pattern % v for v in row) for row in flat)
    head = f'type="{kind}" Name={quoteattr(name)} NumberOfComponents="{flat.shape[1]}" format="ascii"'
    return f"<DataArray {head}>\n{text}\n</DataArray>"
