"""Fields as columns of numbers, one per component, and CSV files of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np


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


def write_csv(target: Path, table: dict[str, np.ndarray]) -> None:
    """Write columns of equal length with a header line."""
    rows = np.column_stack(list(table.values()))
    np.savetxt(target, rows, fmt="%.16g", delimiter=",", header=",".join(table), comments="")
