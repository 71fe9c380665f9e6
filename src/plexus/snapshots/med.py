"""Results in MED, the HDF5 layout of Salome, code_aster and others.

Positions: ``ENS_MAA/<mesh>/<step>/NOE/COO``, one component after the other. Fields: ``CHA/<field>/<step>/
NOE/<mesh or profile>/CO`` likewise, each step with its time in the attribute ``PDT``; code_aster calls the
displacement `<result>DEPL` with the components DX, DY, DZ and perhaps more behind them. Source: the layout
of MED 3 and 4, as h5py shows it. Values on profiles (parts of the nodes) are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.errors import InputError
from plexus.registry import register
from plexus.snapshots.base import FileParams, FileSnapshots

Array = np.ndarray
WHOLE = "MED_NO_PROFILE_INTERNAL"
"""Name of the profile that has all nodes."""


class MedParams(FileParams):
    """Parameters of `Med`."""

    field: str = Field(description="name of the field with the displacement, e.g. resu____DEPL")
    mesh: str | None = Field(None, description="name of the mesh; needed where the file has several")


@register("snapshots", "med", MedParams)
class Med(FileSnapshots):
    """Displacements at the steps of a field of nodes."""

    def open(self, path: Path) -> MedResults:
        """Open the file and list its steps."""
        try:
            return MedResults(path, self.params.field, self.params.mesh)
        except (OSError, KeyError, ValueError, IndexError) as error:
            raise InputError(f"{path.name}: this is no MED file with nodes ({error})") from None


class MedResults:
    """Mesh and steps of one field; rows are read when they are asked for."""

    digits = 15

    def __init__(self, path: Path, field: str, mesh: str | None):
        import h5py

        self.path, self._file = path, h5py.File(path, "r")
        meshes = list(self._file["ENS_MAA"])
        name = mesh or meshes[0]
        if name not in meshes or (mesh is None and len(meshes) > 1):
            raise InputError(f"{path.name}: which mesh? Give `mesh`, one of {', '.join(meshes)}")
        first = next(iter(self._file["ENS_MAA"][name].values()))
        self._points = first["NOE/COO"]
        self.dim = int(self._file["ENS_MAA"][name].attrs["ESP"])
        self.count = len(self._points) // self.dim
        fields = self._file.get("CHA", {})
        if field not in fields:
            there = ", ".join(fields) or "none"
            raise InputError(f"{path.name}: no field {field!r}; there are: {there}")
        steps = [s for s in fields[field].values() if "NOE" in s and float(s.attrs["PDT"]) > 0]
        steps.sort(key=lambda s: float(s.attrs["PDT"]))
        self.times = [float(s.attrs["PDT"]) for s in steps]
        self._values = [self._whole(s["NOE"]) for s in steps]

    def _whole(self, nodes: Any) -> Any:
        """Return the values at all nodes of one step."""
        # MED 3 and later have a folder for the profile, earlier ones for the mesh
        holder: Any = nodes[WHOLE] if WHOLE in nodes else next(iter(nodes.values()))
        values = holder["CO"]
        if len(values) % self.count or len(values) < self.count * self.dim:
            raise InputError(f"{self.path.name}: a step of the field is not given at all nodes of the mesh")
        return values

    def points(self, start: int, stop: int) -> Array:
        """Return the positions of some nodes, (k, 3)."""
        return self._rows(self._points, start, stop)

    def values(self, step: int, start: int, stop: int) -> Array:
        """Return the displacements of some nodes at a step, (k, 3)."""
        return self._rows(self._values[step], start, stop)

    def _rows(self, data: Any, start: int, stop: int) -> Array:
        """Return some rows of values that are stored one component after the other, filled up to three."""
        found = np.zeros((stop - start, 3))
        for c in range(self.dim):
            found[:, c] = data[c * self.count + start : c * self.count + stop]
        return found


EXAMPLE: dict[str, Any] = {"file": "results.med", "unit": "mm", "field": "DEPL"}
