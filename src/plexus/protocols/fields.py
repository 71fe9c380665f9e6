"""Arrays and what is known of a field before it has values.

Arrays are NumPy arrays or torch tensors, whichever the device's backend uses; code between the protocols is
written with operators and ``plexus.fields.arrays`` so that it runs on both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Array = Any
"""numpy.ndarray or torch.Tensor."""

Values = dict[str, Array]
"""Field name -> array of the system's own kind."""

Plain = Mapping[str, Any]
"""Plain data, as JSON has it."""

Shape = Literal["scalar", "vector", "tensor"]

Location = Literal["node", "cell", "point"]
"""What rows of values stand for: nodes of the space, owned cells, or quadrature points cell by cell."""


@dataclass(frozen=True)
class FieldSpec:
    """An unknown or derived field: name, unit (as pint text), shape and a one-line tip."""

    name: str
    unit: str
    shape: Shape = "scalar"
    tip: str = ""
    start: float = 0.0
    """Initial value, or guess of a steady solve, where the deck gives none."""
    bounds: tuple[float | None, float | None] | None = None
    """What nature allows; a run tells where it is left. None: anything."""
    rows: int = 0
    """Rows of a tensor that has them on any mesh, 3 for a stress; 0: as many as the mesh has directions."""

    def components(self, dim: int) -> int:
        """Return the number of components in ``dim`` space dimensions (tensor: rows*rows)."""
        return {"scalar": 1, "vector": dim, "tensor": (self.rows or dim) ** 2}[self.shape]


MEAN, SPREAD = "_mean", "_spread"
"""What the names of the fields of an ensemble end with."""


def reads(names: Collection[str], fields: Collection[str]) -> bool:
    """Return whether one of the names is a field, or a component of one."""
    return any(n in fields or n.rpartition("_")[0] in fields for n in names)


def of_members(name: str) -> str:
    """Return what is said of an unknown of single members, where only all of them together are shown."""
    return f"{name}: of an ensemble there are {name}{MEAN} and {name}{SPREAD}"


def of_ensemble(unknowns: Sequence[FieldSpec]) -> dict[str, FieldSpec]:
    """Return the fields of an ensemble beside those of its members: mean and standard deviation."""
    tips = {MEAN: "mean over the members", SPREAD: "standard deviation of the members"}
    return {
        u.name + end: FieldSpec(u.name + end, u.unit, u.shape, f"{u.name}: {tip}")
        for u in unknowns
        for end, tip in tips.items()
    }
