"""Contenders from the trained models in a folder."""

from __future__ import annotations

from pathlib import Path

from plexus.bundles import container
from plexus.studies.active_fluid.contenders import Contender

FOLDER = Path("input_decks/closures/bundles")
"""Where the bundles of this repository are."""


def contender(path: Path) -> Contender:
    """Return the model that a bundle closes, named like the file.

    Raises
    ------
    InputError
        If the file is no sound bundle.
    """
    found = container.read(path)
    # closures of S:T belong to models of one moment, as those of f_2 do
    order = int(found.metadata["architecture"]["hyper"].get("moment", 2)) - 1
    block = {"type": found.metadata["type"], "checkpoint": str(path.resolve()), "sha256": found.sha256}
    return Contender(path.stem, order, block)


def contenders(folder: Path = FOLDER) -> dict[str, Contender]:
    """Return the contenders of all bundles of a folder by name."""
    return {path.stem: contender(path) for path in sorted(folder.glob("*.safetensors"))}


def seeds(path: Path) -> list[int]:
    """Return the seeds of the runs that a bundle was trained on."""
    return [int(s) for s in container.read(path).metadata["training"]["seeds"]]


def spin(order: int, wide: bool = True, folder: Path = FOLDER) -> Contender | None:
    """Return the spin network that closes a model of ``order`` moments, None if its bundle is not there.

    Trained over a range of constants if ``wide``, else on one run.
    """
    path = folder / f"active_fluid_f{order + 1}{'_range' if wide else ''}.safetensors"
    return contender(path) if path.is_file() else None
