"""Ports of learned parts: how a model and a part find each other, and what a part declares about itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from plexus.deck.units import BASE, parse_unit
from plexus.protocols import Port, Setting
from plexus.protocols.learned import Ports

EXPONENTS = ("m", "s", "kg")
"""Base units whose exponents bundles hold, in this order."""


@dataclass(frozen=True)
class Properties:
    """What a part declares about itself; bundles carry it, and loading compares it."""

    kind: str
    """What it stands for: ``moment``, ``stress``, ``forcing``, ``coefficient``, ``correction`` ..."""
    locality: str
    """``pointwise``, ``stencil(radius)``, ``spectral(modes)``, ``global`` or ``agents``."""
    inputs: Sequence[Port]
    outputs: Sequence[Port]
    symmetry: tuple[str, ...] = ("translation", "rotation", "reflection", "galilean")
    conservation: str = "moment equations stay in divergence form"
    resolution: str = "none"
    """How grid spacing enters."""

    def plain(self) -> dict[str, Any]:
        """Return mappings, lists, texts and numbers only."""
        own = {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}
        sides = {side: [self.plain_port(p) for p in getattr(self, side)] for side in ("inputs", "outputs")}
        return own | sides

    def plain_port(self, port: Port) -> dict[str, Any]:
        """Return a port as bundles hold it."""
        return asdict(port) | {"unit": exponents(port.unit)}


def exponents(unit: str) -> list[int]:
    """Return the exponents of length, time and mass in a unit."""
    found = dict(zip(BASE, parse_unit(unit).dimension, strict=True))
    return [found[base] for base in EXPONENTS]


def names(ports: Iterable[Port]) -> tuple[str, ...]:
    """Return the names of ports."""
    return tuple(port.name for port in ports)


def fills(outputs: Iterable[Port], setting: Setting) -> bool:
    """Return whether a part that gives these ports gives one of the groups that the model leaves open."""
    given = set(names(outputs))
    return any(given >= set(names(group)) for group in setting.missing)


def in_words(groups: Iterable[Ports]) -> str:
    """Return alternatives as text, e.g. ``f2, or st and trace``."""
    return ", or ".join(" and ".join(names(group)) for group in groups)
