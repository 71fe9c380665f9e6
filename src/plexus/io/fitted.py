"""``calibration.h5``: fitted numbers of controls, and what is known of them.

``controls/<name>/``: ``values``, ``start`` and ``std`` (n,), ``before`` (n,) the deviation without data,
``seen`` (n,) the share of the variance that the data have taken away, of fields ``places`` (n, d) [m], of
tables ``knots`` [s], of functions ``courses/<input>/``: ``at``, ``values``, ``start``, ``std`` (k,);
attributes ``unit`` and ``location``: own, node or cell. ``data/``: ``measured``, ``computed``,
``deviation``, ``time``, ``places``, and ``entry``, the block of the deck, whose ``of`` and ``unit`` are
attributes. ``history`` (k, 3): objective, sum of squares, steepness. ``spectrum`` (n,).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from plexus.errors import InputError
from plexus.fileformat import CALIBRATION
from plexus.io.hdf5 import LIBRARY, open_read
from plexus.runtime.files import write_bytes

NAME = CALIBRATION


def write(path: Path, data: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Write arrays by their place in the file (one rank only); ``facts`` are attributes of groups.

    Raises
    ------
    OutputError
        If the disk refuses.
    """
    with h5py.File("fitted", "w", libver=LIBRARY, driver="core", backing_store=False) as file:
        for place, values in data.items():
            file.create_dataset(place, data=np.asarray(values))
        for group, told in facts.items():
            file[group].attrs.update(told)
        file.flush()
        image: bytes = file.id.get_file_image()
    write_bytes(path, image)


def read(path: Path, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the numbers of a control, and of a field their places.

    Raises
    ------
    InputError
        If the file holds no such control.
    """
    with open_read(path) as file:
        group = file.get(f"controls/{name}")
        if group is None or "values" not in group:
            known = ", ".join(file.get("controls", {})) or "none"
            raise InputError(f"{path}: no control is called {name!r}; it holds {known}")
        places = np.asarray(group["places"]) if "places" in group else None
        return np.asarray(group["values"], dtype=float), places
