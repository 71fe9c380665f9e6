"""What of a deck the file of its reduced model cannot serve, as far as `rom.json` tells it without a mesh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.changes import changes
from plexus.errors import InputError, at_path
from plexus.protocols import Doubt
from plexus.reduction.coverage import quantile
from plexus.reduction.declared import BODY, NORMAL, VOLUME, Places, held, loaded, moved, names
from plexus.reduction.facts import beside, read
from plexus.reduction.origin import material

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

Facts = Mapping[str, Any]
ADMIT = "; `rom.new_shapes: respond` admits it, or reduce a run that has it"


def foreseen(deck: Deck) -> Iterator[str]:
    """Yield what only the run of a deck will tell, with its place; refuse what is known without a mesh.

    Raises
    ------
    InputError
        If facts beside the file of the model tell that it does not serve the deck, with a line for each.
    """
    path = Path(deck.rom.file)  # type: ignore[union-attr]
    # the deck `offline` makes it
    if not path.exists():
        return
    with at_path("rom.file"):
        facts = read(path)
    if facts is None:
        yield f"rom.file: there is no {beside(path).name} beside it: the run tells what it does not serve"
    elif told := list(misfits(deck, facts)):
        raise InputError("\n".join(f"{place}: {path} {text}" for place, text in told))


def misfits(deck: Deck, facts: Facts) -> Iterator[Doubt]:
    """Yield deck path, and what is said there of the file with these facts.

    Raises
    ------
    InputError
        If the facts do not tell what they should.
    """
    try:
        if deck.physics.type != facts["physics"]:
            yield "physics.type", f"was made of {facts['physics']}, not of {deck.physics.type}"
            return
        for path, text in [
            *_made(deck, facts),
            *_supports(deck, facts),
            *_memory(deck.rom, facts),
            *_shapes(deck, facts),
        ]:
            # what is a default has no place in the deck
            yield path if deck.place(path) else "rom.file", text
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"rom.file: the facts beside it do not tell what they should ({error!r})") from error


def _made(deck: Deck, facts: Facts) -> Iterator[Doubt]:
    """Yield other data of law and kinematics, another degree or mesh."""
    for line in changes(facts["material"], material(deck)):
        yield line.partition(": ")[0], f"was made of another material ({line})"
    if getattr(deck.physics, "degree", None) not in (None, facts["degree"]):
        yield "physics.degree", f"was made with elements of degree {facts['degree']}"
    here, mesh = registry.build("mesh", deck.mesh).estimate(), facts["mesh"]
    if (here.n_cells, here.cell) != (mesh["cells"], mesh["cell"]):
        there, now = f"{mesh['cells']:,} {mesh['cell']} cells", f"{here.n_cells:,} {here.cell} cells"
        yield "mesh", f"was made on another mesh: {there} there, {now} here"


def _supports(deck: Deck, facts: Facts) -> Iterator[Doubt]:
    """Yield supports that one of both lacks; what normals and components have in common only nodes tell."""
    there, here = facts["supports"], held(deck, facts["unknown"], facts["mesh"]["dimension"])
    for place in sorted({*there, *here}):
        old, new = there.get(place, []), here.get(place, [])
        if old != new and not (old and new and NORMAL in (*old, *new)):
            text = f"{place} is {_along(old)} there, {_along(new)} here"
            yield _path(deck, place), f"was made with other supports: {text}"


def _along(directions: list[str]) -> str:
    return f"held along {', '.join(directions)}" if directions else "free"


def _shapes(deck: Deck, facts: Facts) -> Iterator[Doubt]:
    """Yield loads, temperatures and prescribed values that no training had in such a place or direction."""
    rom, physics, dim = deck.rom, deck.physics, facts["mesh"]["dimension"]
    if rom.new_shapes == "respond":  # type: ignore[union-attr]
        return
    prescribed = moved(deck, facts["unknown"], dim)
    for here, there, what in (
        (loaded(deck, dim), facts["loads"], "a load"),
        (prescribed, facts["prescribed"], "a value other than zero"),
    ):
        for place, new in _unseen(here, there):
            yield _path(deck, place), f"has not seen {what} on {place} ({', '.join(new)}){ADMIT}"
    if physics.temperature is not None and not facts["temperature"]:
        yield "physics.temperature", f"has not seen a temperature{ADMIT}"


def _unseen(here: Places, there: Places) -> Iterator[tuple[str, list[str]]]:
    """Yield places and directions that are new; what a load along normals makes up for, nodes tell."""
    for place, along in here.items():
        old = there.get(place, [])
        new = [axis for axis in along if axis not in old]
        if new and (not old or NORMAL not in (*old, *new)):
            yield place, new


def _memory(rom: Any, facts: Facts) -> Iterator[Doubt]:
    """Yield what is asked of bases of the memory and of calibrations that are not there."""
    kept, indicator = facts["duals"], rom.indicator
    lacking = [name for name in facts["memory"] if name not in kept]
    if rom.duals == "gappy" and lacking:
        text = f"has no basis of {', '.join(lacking)}, which gappy needs; `reduce: {{duals: all}}` keeps it"
        yield "rom.duals", text
    if indicator is not None and indicator.of not in kept:
        yield "rom.indicator.of", f"has no basis of {indicator.of}; there is {', '.join(kept) or 'none'}"
    if indicator is not None and indicator.coverage is not None:
        try:
            quantile(facts["ratios"], indicator.coverage)
        except InputError as error:
            yield "rom.indicator.coverage", f"does not serve it: {str(error).partition(': ')[2]}"


def _path(deck: Deck, place: str) -> str:
    """Return the deck path of the first load or condition on a place, else that of the file."""
    if place == BODY:
        return next(f"physics.{key}" for key in VOLUME if getattr(deck.physics, key) is not None)
    numbers = [i for i, condition in enumerate(deck.boundary) if place in names(condition)]
    return f"boundary[{numbers[0]}]" if numbers else "rom.file"
