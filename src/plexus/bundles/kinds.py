"""What the kinds of learned parts add to the fields that every bundle has.

A kind states it in its own folder, in a module ``_bundle`` with one `Own` named ``OWN``: a closure has a box
and a guard, a law or an operator something else. A kind without that module has the common fields only.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from plexus import registry

Fields = Mapping[str, tuple[type, tuple[str, ...]]]
"""Field -> (type, keys that it must have)."""


def _nothing(_: dict[str, Any]) -> None:
    """Find nothing wrong."""


@dataclass(frozen=True)
class Own:
    """Fields of one kind, and a check of their contents.

    Attributes
    ----------
    fields :
        Fields beside the common ones; further keys where a common field is named again.
    check :
        Raises `plexus.errors.InputError` with the name of the field whose content is wrong.
    """

    fields: Fields = field(default_factory=dict)
    check: Callable[[dict[str, Any]], None] = _nothing


def own(kind: str) -> Own:
    """Return what a kind adds; nothing for a kind that this Plexus does not have, which no part will take."""
    if kind not in registry.KINDS:
        return Own()
    name = f"{registry.KINDS[kind][0]}._bundle"
    if find_spec(name) is None:
        return Own()
    found = importlib.import_module(name).OWN
    assert isinstance(found, Own)
    return found
