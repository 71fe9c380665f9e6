"""`plexus check`: the mesh of a deck, and what a run of it would be, before it is started.

The mesh source tells its sizes and names (it reads a mesh file as far as it must, without MPI); unknowns and
memory are what the discretisation expects of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Any

from plexus.deck.discretisation import made_for
from plexus.discretisations._degree import degree_of
from plexus.errors import InputError
from plexus.fileformat import DECK, FIELDS, LOG, PROGRESS, SERIES, SUMMARY, XDMF, special
from plexus.measurements.base import checked

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.protocols import Outlook


WIDTH = 110
"""Characters of a line, of a mesh with many names of several."""
HDF5 = b"\x89HDF\r\n\x1a\n"
"""The first bytes of a file of HDF5."""


def outlook(deck: Deck) -> Outlook:
    """Return the sizes of a run; reads a mesh file as far as it must."""
    return made_for(deck.physics.type).outlook(deck)


def seen(deck: Deck) -> list[str]:
    """Return lines about the mesh of a deck, warnings behind them.

    Raises
    ------
    InputError
        If the mesh is unusable or the deck does not fit it, at its place in the deck.
    """
    with deck.located():
        found = made_for(deck.physics.type).look(deck)
        told = [*found.warnings, *checked(deck), *_foreseen(deck)]
    return _lines(found.lines) + [f"warning: {deck.placed(text)}" for text in told]


def _foreseen(deck: Deck) -> Iterator[str]:
    """Yield what the file of the deck's reduced model leaves open."""
    if deck.rom is None:
        return
    from plexus import registry

    cls: Any = registry.component("rom", deck.rom.type).cls
    # not every member keeps facts beside its file
    if hasattr(cls, "foreseen"):
        yield from cls.foreseen(deck)


def mesh_file(path: str, scale: float) -> list[str]:
    """Return lines about a mesh file, whatever deck it is for; ``scale`` is the unit of its lengths [m].

    Raises
    ------
    InputError
        If the mesh is unusable.
    """
    from plexus import registry
    from plexus.discretisations._look import of_mesh
    from plexus.mesh.sums import sum_of

    kind = "hdf5" if _begins(path).startswith(HDF5) else "gmsh"
    given = {"file": path} | ({"scale": scale} if kind == "gmsh" else {})
    member: Any = registry.component("mesh", kind)
    found = member.cls(member.params(**given)).look()
    lines = {**of_mesh(found), "in a deck": f"sha256: {sum_of(path)}"}
    return [*_lines(lines), *(f"warning: {text}" for text in found.warnings)]


def _begins(path: str) -> bytes:
    if what := special(path):
        raise InputError(f"{path} is {what}, not a file")
    try:
        with open(path, "rb") as file:
            return file.read(len(HDF5))
    except OSError as error:
        raise InputError(f"{path}: cannot read the mesh: {error.strerror}") from None


def _lines(labelled: Mapping[str, str]) -> list[str]:
    wrapped = TextWrapper(WIDTH, subsequent_indent=" " * 13, break_long_words=False, break_on_hyphens=False)
    # a name and what is said of it stay on one line
    held = (
        (label, re.sub(r" \([^)]*\)", lambda m: m[0].replace(" ", "\xa0"), text))
        for label, text in labelled.items()
    )
    lines = (line for label, text in held for line in wrapped.wrap(f"{label:12} {text}"))
    return [line.replace("\xa0", " ") for line in lines]


def preview(deck: Deck, ranks: int) -> str:
    """Return sizes, memory and output files as text.

    Raises
    ------
    InputError
        If the mesh file is unusable.
    """
    found = outlook(deck)
    estimate, lines = found.estimate, []
    if estimate is not None:
        lines = [f"in the run   {estimate.n_cells:,} {estimate.cell} cells, {estimate.n_points:,} points"]
    degree = None if estimate is None else degree_of(deck.physics, estimate.degree)
    degree = degree if hasattr(deck.physics, "degree") else None
    for name, n in found.unknowns.items():
        about = "" if estimate is None or estimate.nodes else "about "
        lines.append(f"{name:12} {about}{n:,} unknowns" + (f" (degree {degree})" if degree else ""))
    total = found.per_rank(ranks)
    lines.append(f"memory       about {total / 1e6:,.0f} MB per rank on {ranks} rank{'s' * (ranks > 1)}")
    lines.append(f"would write  {', '.join(files(deck))} in runs/{deck.name}/")
    return "\n".join(lines)


def files(deck: Deck) -> list[str]:
    """Return the names of the files that a run writes."""
    names = [DECK, SUMMARY, PROGRESS, LOG, SERIES]
    for output in deck.output:
        if output.type == "fields":
            stem = getattr(output, "name", "fields")
            names += [FIELDS.replace("fields", stem, 1), XDMF.replace("fields", stem, 1)]
        elif output.type == "checkpoint":
            names.append("checkpoint_<step>.h5")
    return list(dict.fromkeys(names))
