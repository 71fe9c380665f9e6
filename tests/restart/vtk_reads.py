"""What VTK shows of a field file: a program of its own, so that any Python with vtk and numpy can run it.

``python vtk_reads.py fields.vtkhdf seen.npz`` visits the steps forward, back, and in leaps, and stores under
``N/points``, ``N/centres`` (of cells), and ``N/node/NAME``, ``N/cell/NAME`` what the N-th visit shows;
``visits`` are the steps visited and ``times`` those that VTK finds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np


def visits(n: int) -> list[int]:
    """Return steps in order, backwards, and in leaps from end to end and to the middle."""
    return [*range(n), *range(n - 1, -1, -1), n - 1, 0, n // 2, n - 1, n // 2, 0]


def shown(output: Any) -> Iterator[Any]:
    """Yield the grids of what a reader returns; parts without anything in them are no grids."""
    parts = getattr(output, "GetNumberOfPartitions", getattr(output, "GetNumberOfBlocks", None))
    inner = getattr(output, "GetPartition", getattr(output, "GetBlock", None))
    found = [output] if parts is None or inner is None else [inner(i) for i in range(parts())]
    yield from (grid for grid in found if grid is not None and grid.GetNumberOfPoints())


def values(grids: list[Any]) -> dict[str, np.ndarray]:
    """Return points, centres of cells, and data of all grids behind each other."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkCellCenters

    found: dict[str, list[np.ndarray]] = {"points": [], "centres": []}
    for grid in grids:
        middle = vtkCellCenters()
        middle.SetInputData(grid)
        middle.Update()
        found["points"].append(vtk_to_numpy(grid.GetPoints().GetData()))
        found["centres"].append(vtk_to_numpy(middle.GetOutput().GetPoints().GetData()))
        for place, data in (("node", grid.GetPointData()), ("cell", grid.GetCellData())):
            for i in range(data.GetNumberOfArrays()):
                name = f"{place}/{data.GetArrayName(i)}"
                found.setdefault(name, []).append(vtk_to_numpy(data.GetArray(i)))
    return {name: np.concatenate(each) for name, each in found.items() if each}


def read(path: str) -> dict[str, np.ndarray]:
    """Return what VTK shows at every visit."""
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline
    from vtkmodules.vtkIOHDF import vtkHDFReader

    reader = vtkHDFReader()
    reader.SetFileName(path)
    reader.UpdateInformation()
    times = reader.GetOutputInformation(0).Get(vtkStreamingDemandDrivenPipeline.TIME_STEPS()) or ()
    seen: dict[str, np.ndarray] = {"times": np.array(times), "visits": np.array(visits(len(times)))}
    for number, step in enumerate(visits(len(times))):
        reader.UpdateTimeStep(times[step])
        found = values(list(shown(reader.GetOutputDataObject(0))))
        seen |= {f"{number}/{name}": array for name, array in found.items()}
    return seen


if __name__ == "__main__":
    np.savez(sys.argv[2], **read(sys.argv[1]))
