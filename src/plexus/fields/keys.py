"""Names of the arrays in a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Key:
    """What an array is: ``group/label/field`` in files, the label may be absent.

    Attributes
    ----------
    group : ``state``, ``internal``, ``history`` (of the stepper), ``memory`` (of the model), or
        ``observed`` (by outputs).
    field : unknown or internal variable whose rows and width the array has; of a memory its own name.
    label : what tells arrays of one group and field apart, e.g. the age of a state.
    """

    group: str
    field: str
    label: str = ""

    def __str__(self) -> str:
        """Return the name in files."""
        return "/".join(part for part in (self.group, self.label, self.field) if part)

    @classmethod
    def parse(cls, text: str) -> Key:
        """Return the key of a name in a file."""
        group, *label, field = text.split("/")
        return cls(group, field, "/".join(label))


def keyed(group: str, arrays: Mapping[str, T]) -> dict[Key, T]:
    """Return the arrays of a group by their keys."""
    return {Key(group, name): a for name, a in arrays.items()}


def of_group(group: str, arrays: Mapping[Key, T]) -> dict[Key, T]:
    """Return the arrays of one group."""
    return {key: a for key, a in arrays.items() if key.group == group}


def by_field(group: str, arrays: Mapping[Key, T]) -> dict[str, T]:
    """Return the arrays of a group without labels, by field."""
    return {key.field: a for key, a in of_group(group, arrays).items()}


def fields_of(group: str, keys: Iterable[Key]) -> list[str]:
    """Return the sorted fields of a group."""
    return sorted({key.field for key in keys if key.group == group})
