"""Operators: learned or fitted maps from fields to fields, whatever they stand for in a deck."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from plexus.protocols.fields import Array
from plexus.protocols.learned import Learned, Setting


class Operator(Learned, Protocol):
    """A map from the fields of a model to such fields, prepared once for a grid, its ranks and a step."""

    @classmethod
    def surroundings(cls, deck: Any) -> Setting:
        """Return what the operator of a deck is asked for: ports, whole grid, constants, step; no MPI."""

    def apply(self, fields: Mapping[str, Array]) -> dict[str, Array]:
        """Return fields (N, ...) for the own cells of N samples. Pure, differentiable, collective."""

    def mean(self, u: Array) -> Array:
        """Return the means over the domain of values (N, own points), (N,). Collective."""
