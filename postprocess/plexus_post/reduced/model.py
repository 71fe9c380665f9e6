"""What ``rom.h5`` tells of a basis and its cubature, as `plexus reduce` wrote it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plexus.fileformat import META, MODES
from plexus_post.errors import PostError
from plexus_post.readers.hdf5 import open_file, reading

Array = np.ndarray


@dataclass(frozen=True)
class Model:
    """Facts of a reduced model.

    Attributes
    ----------
    path : Path
        The file.
    unknown : str
        Field of the basis.
    modes, responses : int
        Modes, and elastic responses that were added to what the snapshots gave.
    total : int
        Quadrature points of the full model.
    spectrum : array
        Squares of the singular values of the snapshots, the largest first.
    tolerance, target : float
        Relative singular value below which modes were left out; error that the points should reach.
    counts, errors : array
        Points, and relative error of the integrals by them, as the search went on.
    places, weights : array
        Coordinates (s, d) [m] and weights (s,) of the points; those of weight 0 serve reconstructions.
    trajectories : list of array (steps, 2)
        Indicator and error of each trajectory of a calibration.
    ratios : array
        Their largest error over indicator.
    """

    path: Path
    unknown: str
    modes: int
    responses: int
    total: int
    spectrum: Array
    tolerance: float
    target: float
    counts: Array
    errors: Array
    places: Array
    weights: Array
    trajectories: list[Array]
    ratios: Array

    @property
    def field_file(self) -> Path:
        """The file beside it that shows the modes."""
        return self.path.with_suffix(MODES)


def read(path: Path) -> Model:
    """Read the facts of a reduced model.

    Raises
    ------
    PostError
        If the file is missing, damaged, or holds no basis with a cubature.
    """
    with open_file(path) as file, reading(path):
        facts = json.loads(bytes(file[f"{META}/facts"][()]))["facts"]
    if "registration" in facts:
        raise PostError(f"{path}: a registration; `plexus-post registration` draws it")
    with reading(path):
        told = facts.get("reduced", {})
        if "weights" not in told:
            kinds = ", ".join(k for k, v in facts.items() if isinstance(v, dict) and k != "reduced")
            found = f" (found: {kinds})" if kinds else ""
            raise PostError(f"{path}: no basis with a cubature, as models of solids have{found}")
        if "places" not in told:
            raise PostError(f"{path}: made by an earlier version, which kept no places: reduce again")
        return _model(path, told)


def _model(path: Path, told: dict[str, Any]) -> Model:
    places, weights = np.array(told["places"], dtype=float), np.array(told["weights"], dtype=float)
    counts, errors = np.array(told["counts"], dtype=int), np.array(told["errors"], dtype=float)
    if places.ndim != 2 or weights.shape != places.shape[:1] or counts.shape != errors.shape:
        raise ValueError("points, weights and errors do not belong together")
    pairs = [
        np.column_stack([t["indicator"], t["error"]]).astype(float) for t in told.get("trajectories", [])
    ]
    return Model(
        path, str(told["unknown"]), int(told["modes"]), int(told["responses"]), int(told["points"]),
        np.array(told["spectrum"], dtype=float), float(told["tolerance"]), float(told["cubature"]),
        counts, errors, places, weights, pairs, np.array(told.get("ratios", []), dtype=float),
    )  # fmt: skip
