"""``fields.xdmf``: the same HDF5 data for ParaView before 5.12 and for other readers of XDMF 3.

Every output is one grid of a temporal collection; geometry, links and values are slabs of the datasets in
``fields.vtkhdf`` (and the files it was rolled into), so nothing is stored twice but the links, which XDMF
wants numbered through all partitions (``/plexus/links``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from plexus.fileformat import META
from plexus.io.vtkhdf_layout import VTK, Column, Grid, Layout, Step
from plexus.runtime.files import write_text

TOPOLOGY = {
    3: "Polyline", 21: "Edge_3",
    5: "Triangle", 9: "Quadrilateral", 10: "Tetrahedron", 12: "Hexahedron",
    22: "Triangle_6", 28: "Quadrilateral_9", 24: "Tetrahedron_10", 29: "Hexahedron_27",
}  # fmt: skip
"""VTK cell type -> XDMF topology; the node orders agree."""
KIND = {1: "Scalar", 3: "Vector", 9: "Tensor"}
"""Number of components -> XDMF attribute type."""


def write(path: Path, files: Sequence[tuple[str, Layout]]) -> None:
    """Write the XDMF file for one or several (file name, layout) in order of time (one rank only).

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    grids = [_grid(name, layout, step) for name, layout in files for step in layout.steps]
    body = "".join(grids)
    write_text(
        path,
        '<?xml version="1.0"?>\n<Xdmf Version="3.0">\n<Domain>\n'
        f'<Grid Name="fields" GridType="Collection" CollectionType="Temporal">\n{body}</Grid>\n'
        "</Domain>\n</Xdmf>\n",
        durable=False,  # written anew with every output, and made from the layouts in the field files
    )


def _grid(file: str, layout: Layout, step: Step) -> str:
    """Return one output as a uniform grid."""
    grid = layout.grids[step.grid]
    per_cell = grid.links // max(grid.cells, 1)
    links = _slab(file, f"{META}/links", (layout.totals.links,), (grid.link,), (grid.links,), "Int")
    points = _slab(
        file, f"{VTK}/Points", (layout.totals.points, 3), (grid.point, 0), (grid.points, 3), "Float"
    )
    attributes = "".join(
        _attribute(file, layout, col, step, grid) for col in layout.columns if col.location != "point"
    )
    return (
        f'<Grid Name="step {step.number}">\n<Time Value="{step.t!r}"/>\n'
        f'<Topology TopologyType="{TOPOLOGY[layout.vtk_type]}" NumberOfElements="{grid.cells}" '
        f'NodesPerElement="{per_cell}">\n{links}</Topology>\n'
        f'<Geometry GeometryType="XYZ">\n{points}</Geometry>\n{attributes}</Grid>\n'
    )


def _attribute(file: str, layout: Layout, col: Column, step: Step, grid: Grid) -> str:
    """Return one field of one output."""
    node = col.location == "node"
    total, first, count = (
        (layout.totals.node_rows, step.node_row, grid.points)
        if node
        else (layout.totals.cell_rows, step.cell_row, grid.cells)
    )
    tail = (col.components,) if col.components > 1 else ()
    zeros = (0,) * len(tail)
    slab = _slab(file, col.path, (total, *tail), (first, *zeros), (count, *tail), "Float")
    return (
        f'<Attribute Name={quoteattr(col.name)} AttributeType="{KIND[col.components]}" '
        f'Center="{"Node" if node else "Cell"}">\n{slab}</Attribute>\n'
    )


def _slab(
    file: str, path: str, shape: tuple[int, ...], start: tuple[int, ...], count: tuple[int, ...], number: str
) -> str:
    """Return a hyperslab of a dataset as a data item."""
    d = len(shape)
    select = " ".join(str(i) for i in (*start, *(1,) * d, *count))
    return (
        f'<DataItem ItemType="HyperSlab" Dimensions="{_text(count)}" NumberType="{number}" Precision="8">'
        f'<DataItem Dimensions="3 {d}" Format="XML">{select}</DataItem>'
        f'<DataItem Dimensions="{_text(shape)}" NumberType="{number}" Precision="8" Format="HDF">'
        f"{file}:{path}</DataItem></DataItem>\n"
    )


def _text(shape: tuple[int, ...]) -> str:
    return " ".join(str(n) for n in shape)
