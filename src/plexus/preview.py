"""`plexus check --mesh`: what a run of this deck would be, before it is started.

The mesh source tells its sizes and names (it reads a mesh file as far as it must, without MPI); unknowns and
memory are what the discretisation expects of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.deck.conditions import misplaced
from plexus.deck.discretisation import made_for
from plexus.deck.suggest import nearest
from plexus.discretisations._degree import degree_of
from plexus.errors import DeckError, InputError, Mark, Problem
from plexus.fileformat import DECK, FIELDS, LOG, PROGRESS, SERIES, SUMMARY, XDMF

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.mesh.mesh import Estimate
    from plexus.protocols import Outlook


def outlook(deck: Deck) -> Outlook:
    """Return the sizes of a run; reads a mesh file as far as it must."""
    return made_for(deck.physics.type).outlook(deck)


def cautions(deck: Deck) -> list[str]:
    """Return what is allowed and seldom wanted, each with its place in the deck.

    Raises
    ------
    InputError
        If the mesh file is unusable, or if the model does not go with its cells.
    """
    try:
        return [deck.placed(line) for line in made_for(deck.physics.type).cautions(deck)]
    except InputError as error:
        raise InputError(deck.placed(str(error))) from error


def preview(deck: Deck, ranks: int) -> str:
    """Return sizes, names, memory and output files as text.

    Raises
    ------
    DeckError
        If the deck names boundaries or regions that the mesh does not have.
    InputError
        If the mesh file is unusable.
    """
    found = outlook(deck)
    estimate, lines = found.estimate, []
    if estimate is not None:
        _check_names(deck, estimate)
        lines = [
            f"mesh         {estimate.n_cells:,} {estimate.cell} cells, {estimate.n_points:,} points",
            f"boundaries   {', '.join(estimate.boundaries) or '-'}",
            f"regions      {', '.join(estimate.regions) or '-'}",
        ]
        if estimate.skeleton:
            lines.insert(2, f"edges/points {', '.join(estimate.skeleton)}")
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


def _check_names(deck: Deck, estimate: Estimate) -> None:
    problems = []
    known = (*estimate.boundaries, *estimate.skeleton)
    for i, condition in enumerate(deck.boundary):
        for j, name in enumerate(condition.on):
            if name not in known:
                path = f"boundary[{i}].on"
                place = deck.origins.get(path) or deck.origins.get(f"{path}[{j}]", "")
                kind = "a region, no boundary" if name in estimate.regions else ""
                text = f"{name!r} is {kind}" if kind else f"the mesh has no boundary {name!r}"
                problems.append(Problem(_mark(place), path, text + nearest(name, known, 12)))
        for term, text in misplaced(condition, set(estimate.skeleton) - set(estimate.boundaries)):
            path = f"boundary[{i}].{term}"
            problems.append(Problem(_mark(deck.placed(path).removesuffix(f": {path}")), path, text))
    if problems:
        raise DeckError(problems)


def _mark(place: str) -> Mark | None:
    file, _, rest = place.rpartition(":")
    file, _, line = file.rpartition(":")
    return Mark(file, int(line), int(rest)) if file else None
