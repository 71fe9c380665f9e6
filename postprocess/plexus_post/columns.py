"""Fields as columns of numbers, one per component, and CSV files of them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from plexus_post.errors import PostError


def component_names(count: int) -> list[str]:
    """Return the suffixes of a field's components: none for a scalar, _x _y _z, _xx _xy …."""
    # 4 and 9 components are tensors in two and three dimensions
    if count in (4, 9):
        axes = "xy" if count == 4 else "xyz"
        return [f"_{a}{b}" for a in axes for b in axes]
    if count > 3:
        return [f"_{i}" for i in range(count)]
    return [""] if count == 1 else [f"_{a}" for a in "xyz"[:count]]


def columns(data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return one column per scalar field or component: name (with suffix) -> (N,)."""
    out: dict[str, np.ndarray] = {}
    for name, values in data.items():
        flat = values.reshape(len(values), -1)
        out |= {name + s: flat[:, i] for i, s in enumerate(component_names(flat.shape[1]))}
    return out


def write_csv(target: Path, table: Mapping[str, np.ndarray], units: Mapping[str, str] | None = None) -> None:
    """Write columns of equal length with a header line: names, with their units in brackets where known.

    Raises
    ------
    PostError
        If the file cannot be written.
    """
    head = [f"{n} [{unit}]" if (unit := (units or {}).get(n)) else n for n in table]
    try:
        with target.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(head)
            for row in zip(*table.values(), strict=True):
                out.writerow([f"{v:.16g}" for v in row])
    except OSError as error:
        raise PostError(f"{target}: {error.strerror or error}") from None
