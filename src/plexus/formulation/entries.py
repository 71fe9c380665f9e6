"""Numbers of entries: one per axis, square tensors, one per component.

While a deck is read the dimension of the mesh is often known already, and a wrong number of entries is
reported at its place. Where only the mesh itself tells, the same rule is checked when the entries are used.
"""

from __future__ import annotations

from typing import Any

from pydantic import AfterValidator, ValidationInfo

from plexus.deck.context import known
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.protocols import FieldSpec


def _per_axis(value: Any, info: ValidationInfo) -> Any:
    dim = known(info).dim
    if isinstance(value, tuple) and dim is not None and len(value) != dim:
        raise refuse(f"{_entries(len(value))} for a {dim}-D mesh: one per axis is needed")
    return value


def _square(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, tuple) and any(len(row) != len(value) for row in value):
        raise refuse("a tensor needs as many rows as columns")
    return _per_axis(value, info)


PerAxis = AfterValidator(_per_axis)
"""Annotation of a tuple with one entry per axis of the mesh."""
Square = AfterValidator(_square)
"""Annotation of a property that may be a tensor: as many rows and columns as the mesh has axes."""


def check_per_axis(place: str, count: int, dim: int) -> None:
    """Raise InputError naming the deck's ``place`` unless there is one entry per axis."""
    if count != dim:
        raise InputError(f"{place}: {_entries(count)} for a {dim}-D mesh: one per axis is needed")


def check_components(spec: FieldSpec, count: int, info: ValidationInfo) -> None:
    """Refuse a list that does not have one entry per component of a field, as far as that is known.

    A tensor of three rows may be given by those that lie in a section.
    """
    dim = known(info).dim
    # a tensor of three rows may be told by its part in the section
    parts = {d**2 for d in ([dim] if dim else (1, 2, 3)) if spec.shape == "tensor"}
    valid = {spec.components(d) for d in ([dim] if dim else (1, 2, 3))} | parts
    if count not in valid:
        wanted = " or ".join(str(n) for n in sorted(valid))
        raise refuse(f"{spec.name} is a {spec.shape}: {_entries(count)} instead of {wanted}")


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
