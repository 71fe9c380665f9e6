"""The discretisation that a physics is made for."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from plexus import registry
from plexus.protocols import Discretisation

USUAL = "elements"
"""Discretisation of a physics that names none."""


@lru_cache
def made_for(physics: str) -> Discretisation:
    """Return the discretisation of a member of kind ``physics``.

    Raises
    ------
    KeyError
        If there is no such physics, or if it names a discretisation that does not exist.
    """
    cls = registry.component("physics", physics).cls
    found = registry.component("discretisation", getattr(cls, "discretisation", USUAL))
    return cast(Discretisation, found.cls(found.params()))


def serves(slot: str, name: str, here: Discretisation) -> bool:
    """Return whether a mesh, stepper, quantity or output goes with models of a discretisation.

    Mesh sources must give what the discretisation builds on; the others may name in an attribute ``needs``
    what a system or its fields must offer.
    """
    cls = registry.component(slot, name).cls
    if slot == "mesh":
        return here.mesh is not None and issubclass(cls, here.mesh)
    needs = getattr(cls, "needs", None)
    return needs is None or needs in here.offers
