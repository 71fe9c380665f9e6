"""Which member of a sweep is best, by one figure of all that is done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from plexus.deck.members import brief
from plexus.errors import InputError
from plexus.learning.figures import Figure, figures
from plexus.sweep.folder import SweepFolder
from plexus.sweep.status import FINISHED, Status


def measured(states: Mapping[int, Status], name: str) -> dict[int, Figure]:
    """Return index -> figure of the members that are done and have a finite one.

    Raises
    ------
    InputError
        If members are done and none has this figure.
    """
    told = {i: figures(s.summary) for i, s in states.items() if s.state in FINISHED}
    if told and not any(name in own for own in told.values()):
        known = sorted({each for own in told.values() for each in own})
        raise InputError(f"sweep.best: no member has a figure {name!r}; there are {', '.join(known)}")
    found = {i: own[name] for i, own in told.items() if name in own}
    # inf - inf and nan - nan are no zeros
    return {i: figure for i, figure in found.items() if figure.value - figure.value == 0}


def best(states: Mapping[int, Status], name: str) -> int | None:
    """Return the number of the member with the smallest figure, the first of several; None without any."""
    found = measured(states, name)
    return min(found, key=lambda i: (found[i].value, i), default=None)


def verdict(sweep: SweepFolder, states: Mapping[int, Status], name: str) -> list[str]:
    """Return in words which member is best, where its bundle is, and whether a classical part is better."""
    index = best(states, name)
    if index is None:
        return [f"no member is best: none that is done has a number as {name}"]
    member, figure = sweep.member(index), measured(states, name)[index]
    values = f" ({member.words()})" if member.words() else ""
    lines = [f"best by {name}: member {index}{values}: {brief(figure.value)}{_beside(figure)}"]
    told = states[index].summary
    if told.get("bundle"):
        place = sweep.place(member) / Path(str(told["bundle"])).name
        lines.append(f"best bundle: {place}, sha256 {told.get('sha256')}")
    if figure.worse:
        lines.append(f"warning: the best member is no better than {figure.rival}, which needs no training")
    if figure.fallback:
        share = f"up to {100 * figure.fallback:.3g} % of a validation"
        lines.append(
            f"warning: {share} of the best member was answered by the fallback: it does not judge it"
        )
    return lines


def _beside(figure: Figure) -> str:
    """Return the rival beside a figure."""
    if figure.beside is None:
        return ""
    ratio = f", ratio {figure.value / figure.beside:.3g}" if figure.beside else ""
    return f", {figure.rival} {brief(figure.beside)}{ratio}"
