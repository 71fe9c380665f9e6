"""Conversion of a Gmsh mesh to our HDF5 layout, which ranks read in slices."""

from __future__ import annotations

import os
from pathlib import Path

from plexus.errors import InputError, at_path
from plexus.mesh.look import whole
from plexus.mesh.msh import read_msh
from plexus.mesh.store import MeshFile, write
from plexus.runtime.files import partial, publish, storage_errors


def convert(src: str | Path, dst: str | Path, scale: float = 1.0) -> None:
    """Convert ``src`` (.msh) to ``dst`` (HDF5); ``dst`` appears only when it is complete.

    ``scale`` is the length of the source's unit [m].

    Raises
    ------
    InputError
        If the source is unusable, as a run would refuse it, or the result would take the place of something
        that is no mesh of ours.
    OutputError
        If the result cannot be stored.
    """
    target = Path(dst)
    if target.exists():
        _replaceable(Path(src), target)
    slices = read_msh(src, scale)
    with at_path(str(src)):
        # facets of three cells and cells on one side of a facet are found where neighbours meet
        whole(slices, periodic=False)
    try:
        with storage_errors(target):
            write(partial(target), slices)
        publish(target)
    except (InputError, OSError):
        partial(target).unlink(missing_ok=True)
        raise


def _replaceable(source: Path, target: Path) -> None:
    """Refuse to put a mesh where the source, or anything but an earlier result, is."""
    if source.exists() and os.path.samefile(source, target):
        raise InputError(f"{target}: this is the mesh that is read; name another file for the result")
    try:
        with MeshFile(target):
            return
    except InputError:
        raise InputError(f"{target} is there and is no mesh of ours; name another file") from None
