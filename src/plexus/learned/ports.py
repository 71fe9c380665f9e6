"""Ports of learned parts: how a model and a part find each other, and what a part declares about itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from plexus.protocols import Port, Setting
from plexus.protocols.learned import Ports


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

    def plain(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the ports, and all else, as mappings, lists, texts and numbers."""
        rest = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return {side: list(rest.pop(side)) for side in ("inputs", "outputs")}, rest


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
