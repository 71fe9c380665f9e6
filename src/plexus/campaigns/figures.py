"""Which of a deck's quantities every draw of a campaign has, and how each is had.

A quantity of the displacement is evaluated as in any run. Lives and largest values of p are those of the
places that are looked at. What needs the memory of the whole body is no figure of a campaign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np

from plexus import registry
from plexus.coupling.reducedfields import CostlyError, ReducedFields
from plexus.errors import InputError
from plexus.fields.state import State
from plexus.spaces.names import region_cells
from plexus.stepping.turns import turns_of

if TYPE_CHECKING:
    from plexus.campaigns.places import Lifing
    from plexus.coupling.reduced import ReducedSystem
    from plexus.deck.schema import Deck
    from plexus.run import Run

Array = np.ndarray
Way = Literal["life", "p", "body"]
MEMORY = "p"
"""Memory variable whose largest value is told."""


class Body:
    """What fields of a draw are made of: its displacement, and no memory."""

    full_order = False

    def __init__(self, system: ReducedSystem):
        self.full, self.name, self.system = system.full, system.name, system

    def displacement(self, state: State) -> dict[str, Array]:
        """Return the displacement at all nodes."""
        return self.system.displacement(state)

    def remembered(self, state: State) -> NoReturn:
        """Refuse."""
        raise CostlyError


class DrawFields(ReducedFields):
    """Fields of the present draw; nothing is kept from one draw to the next, whose controls differ."""

    def _is_linear(self, expression: Any) -> bool:
        return False


class Seen:
    """A run as a quantity sees it, with the fields of a draw."""

    def __init__(self, run: Run):
        self.run = run
        self.fields = DrawFields(Body(run.system), run.deck.constants)  # type: ignore[arg-type]
        self.state = run.state

    def __getattr__(self, name: str) -> Any:
        """Return what is the run's."""
        return getattr(self.run, name)

    def look(self, g: Array, t: float, step: int) -> None:
        """Turn to coordinates (n,) at a time [s]. The controls have been put."""
        name = self.run.system.name  # type: ignore[attr-defined]
        self.state = State({name: g[:, None]}, t, step, {})
        self.fields.look(self.state)


class Figures:
    """The quantities of a campaign. Construction is collective.

    Parameters
    ----------
    run : Run
        The reduced run of the deck itself.

    Attributes
    ----------
    ways : dict
        How each quantity is had.
    left_out : list of str
        Quantities of the deck that no draw has.

    Raises
    ------
    InputError
        If a quantity that the deck names needs the memory of the whole body.
    """

    def __init__(self, run: Run):
        self.run, self.seen = run, Seen(run)
        block, deck = run.deck.campaign, run.deck
        asked = block.quantities if block is not None else ()
        self.ways: dict[str, Way] = {}
        for name in asked or deck.quantities:
            way = self._way(name)
            if way is not None:
                self.ways[name] = way
            elif asked:
                raise InputError(
                    f"quantities.{name}: a campaign looks at the memory of few points: it has lives, the "
                    f"largest {MEMORY} of the body, and what the displacement alone tells"
                )
        if not self.ways:
            raise InputError("campaign: none of the deck's quantities can be had of a draw")
        self.units = {name: run.units[name] for name in self.ways}
        self.left_out = [name for name in deck.quantities if not asked and name not in self.ways]

    def _way(self, name: str) -> Way | None:
        """Return how a quantity is had; None where it is not. Collective."""
        params: Any = self.run.deck.quantities[name]
        if params.type == "shortest_life":
            return "life" if params.tell == "life" else None
        place = getattr(params, "region", None) or getattr(params, "on", None)
        if params.type == "maximum" and params.of.text == MEMORY and not place:
            return "p"
        modes = self.run.system.model.basis.shape[2]  # type: ignore[attr-defined]
        self.seen.look(np.zeros(modes), self.run.clock.end, 1)
        try:
            self.run.quantities[name].evaluate(self.seen)  # type: ignore[arg-type]
        except CostlyError:
            return None
        return "body"

    def of_body(self, g: Array, step: int) -> dict[str, float]:
        """Return what the displacement of a draw, coordinates (n,) at the end, tells. Collective."""
        self.seen.look(g, self.run.clock.end, step)
        return {
            name: float(self.run.quantities[name].evaluate(self.seen))  # type: ignore[arg-type]
            for name, way in self.ways.items()
            if way == "body"
        }

    def of_places(self, p: float, damage: float) -> dict[str, float]:
        """Return what the largest p and damage of a draw tell."""
        told = {"p": p, "life": 1.0 / damage if damage > 0 else float("inf")}
        return {name: told[way] for name, way in self.ways.items() if way in told}

    def lifing(self) -> Lifing | None:
        """Return how lives are judged; None where no figure is one."""
        from plexus.campaigns.places import Lifing

        found = output_of(self.run.deck, self.ways)
        if found is None:
            return None
        mesh: Any = self.run.mesh
        cells = np.arange(mesh.n_owned_cells)
        if found.region is not None:
            cells = np.intersect1d(cells, region_cells(mesh, found.region))
        path = f"output[{self.run.deck.output.index(found)}]"
        return Lifing(registry.build("life", found.life), begin_of(self.run.deck), cells, path)


def output_of(deck: Deck, names: Mapping[str, Way] | Sequence[str]) -> Any:
    """Return the output `cycles` whose lives some quantities tell; None where none does.

    Raises
    ------
    InputError
        If there are several.
    """
    chosen: list[Any] = [q for n, q in deck.quantities.items() if n in names]
    outputs: list[Any] = [o for o in deck.output if o.type == "cycles"]
    wanted = {q.output for q in chosen if q.type == "shortest_life"}
    if len(wanted) > 1:
        raise InputError(f"campaign: lives of one output only, not of {' and '.join(sorted(wanted))}")
    return next((o for o in outputs if o.name in wanted), None)


def begin_of(deck: Deck) -> float:
    """Return when the last cycle of a run begins, a little earlier than that [s]."""
    turns = turns_of(deck)
    return turns.start + (turns.total - 1 - 1e-6) * turns.period
