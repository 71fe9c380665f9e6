"""``fields.xdmf``: the same HDF5 data for ParaView before 5.12 and for other readers of XDMF 3.

Every output is one grid of a temporal collection; geometry, links and values are slabs of the datasets in
``fields.vtkhdf`` (and the files it was rolled into), so nothing is stored twice but the links, which XDMF
wants numbered through all partitions (``/plexus/links``).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from plexus.fileformat import META
from plexus.io.vtkhdf_layout import VTK, Column, Grid, Layout, Step, Totals
from plexus.runtime.files import storage_errors, write_text

TOPOLOGY = {
    1: "Polyvertex", 3: "Polyline", 21: "Edge_3",
    5: "Triangle", 9: "Quadrilateral", 10: "Tetrahedron", 12: "Hexahedron",
    22: "Triangle_6", 28: "Quadrilateral_9", 24: "Tetrahedron_10", 29: "Hexahedron_27",
}  # fmt: skip
"""VTK cell type -> XDMF topology; the node orders agree."""
KIND = {1: "Scalar", 3: "Vector", 9: "Tensor"}
"""Number of components -> XDMF attribute type."""


HEAD = """\
<?xml version="1.0"?>
<Xdmf Version="3.0">
<Domain>
<Grid Name="fields" GridType="Collection" CollectionType="Temporal">
"""
TAIL = "</Grid>\n</Domain>\n</Xdmf>\n"


class Collection:
    """The XDMF file of a run; lives on one rank.

    An output adds its grid before the end of the file, in one write. The file is made anew where what it says
    of earlier outputs changes: a dataset has grown, or a file was cut.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path):
        self.path = path
        self._shown: list[tuple[str, Totals, Grid, Step]] = []
        self._end = 0

    def show(self, files: Sequence[tuple[str, Layout]]) -> None:
        """Show one or several (file name, layout) in order of time.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        wanted = [(name, layout, step) for name, layout in files for step in layout.steps]
        keys = [(name, layout.totals, layout.grids[step.grid], step) for name, layout, step in wanted]
        known = len(self._shown)
        if known and self._shown == keys[:known] and self._whole():
            self._add("".join(_grid(*each) for each in wanted[known:]).encode())
        else:
            text = HEAD + "".join(_grid(*each) for each in wanted)
            # made from the layouts in the field files: a crash of the machine may lose it
            write_text(self.path, text + TAIL, durable=False)
            self._end = len(text.encode())
        self._shown = keys

    def _whole(self) -> bool:
        """Return whether the file is as it was left."""
        try:
            return self.path.stat().st_size == self._end + len(TAIL)
        except OSError:
            return False

    def _add(self, grids: bytes) -> None:
        """Write grids over the file's end, and that behind them."""
        with storage_errors(self.path):
            file = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                if os.pwrite(file, grids + TAIL.encode(), self._end) < len(grids) + len(TAIL):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self._end += len(grids)
            except OSError:
                # what is shown already stays readable
                os.pwrite(file, TAIL.encode(), self._end)
                os.ftruncate(file, self._end + len(TAIL))
                raise
            finally:
                os.close(file)


def _grid(file: str, layout: Layout, step: Step) -> str:
    """Return one output as a uniform grid."""
    grid = layout.grids[step.grid]
    per_cell = grid.links // max(grid.cells, 1)
    links = _slab(file, f"{META}/links", (layout.totals.links,), (grid.link,), (grid.links,), "Int")
    points = _slab(
        file, f"{VTK}/Points", (layout.totals.points, 3), (grid.point, 0), (grid.points, 3), "Float"
    )
    shown = [col for col in layout.columns if col.location != "point"]
    attributes = "".join(_attribute(file, layout, col, step, grid) for col in shown)
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
