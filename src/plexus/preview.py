"""`plexus check`: the mesh of a deck, and what a run of it would be, before it is started.

The mesh source tells its sizes and names (it reads a mesh file as far as it must, without MPI); unknowns and
memory are what the discretisation expects of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.deck.discretisation import made_for
from plexus.discretisations._degree import degree_of
from plexus.errors import InputError
from plexus.fileformat import DECK, FIELDS, LOG, PROGRESS, SERIES, SUMMARY, XDMF

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.protocols import Outlook


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
    try:
        found = made_for(deck.physics.type).look(deck)
    except InputError as error:
        raise InputError("\n".join(deck.placed(line) for line in str(error).splitlines())) from error
    lines = [f"{label:12} {text}" for label, text in found.lines.items()]
    return lines + [f"warning: {deck.placed(text)}" for text in found.warnings]


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
