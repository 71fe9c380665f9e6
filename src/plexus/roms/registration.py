"""Evaluation of a registered run in the place of the full one: a moving grid, modes on it, a code in time.

    w(x, t) ≈ w_0 + Σ_j c_j(t) W_j(ξ),    x = ξ + Σ_k U_k(ξ) V_k(t)

Between the snapshots of the training the code is interpolated, beyond them it goes on as it ends. Source: R.
Mojgani, M. Balajewicz, arXiv:2006.15655 (2020). Valid for the run that was registered; nothing is solved, so
that another start, side or coefficient leaves the answer as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field, InputFile, Params
from plexus.errors import InputError
from plexus.protocols import Found, Waves
from plexus.registry import register
from plexus.roms import _line

if TYPE_CHECKING:
    from plexus.coupling.evaluated import EvaluatedSystem
    from plexus.coupling.volumes import VolumeSystem
    from plexus.deck.schema import Deck
    from plexus.protocols import Values


class RegistrationParams(Params):
    """Parameters of `Registration`."""

    file: InputFile = Field(description="rom.h5 that `plexus reduce` has made of this deck")
    beyond: float = Field(
        0.0, ge=0, description="how far beyond the training it may be shown, relative to its length"
    )


@register("rom", "registration", RegistrationParams)
class Registration:
    """A registered run, looked up."""

    needs = Waves

    def __init__(self, params: RegistrationParams):
        self.params = params

    @staticmethod
    def problems(deck: Any) -> Iterator[Found]:
        """Yield what a deck has that the model does not take."""
        yield from _line.problems(deck, "rom")

    def reduce(self, full: VolumeSystem, values: Values, deck: Deck) -> tuple[EvaluatedSystem, Values]:
        """Return the system that is shown in the place of ``full``, and its values at the start. Collective.

        Raises
        ------
        InputError
            If the file is of another run, or the deck goes on for longer than ``beyond`` allows.
        """
        from plexus.coupling.evaluated import EvaluatedSystem
        from plexus.reduction.registered import load

        model, facts = load(Path(self.params.file), full.cells.comm)
        _require_same(model, facts, full, deck)
        assert deck.time is not None
        begin, end = model.times[0], model.times[-1]
        most = end + self.params.beyond * (end - begin)
        if deck.time.end > most * (1 + 1e-9) or deck.time.start < begin - 1e-9 * (end - begin):
            raise InputError(
                f"time: the registration knows {begin:g} s to {end:g} s, and with rom.beyond "
                f"{self.params.beyond:g} may be shown until {most:g} s, not from {deck.time.start:g} s to "
                f"{deck.time.end:g} s"
            )
        system = EvaluatedSystem(full, model)
        return system, system.start()


def _require_same(model: Any, facts: dict[str, Any], full: VolumeSystem, deck: Deck) -> None:
    """Refuse a model of another field, grid or problem."""
    from plexus.reduction.registered import problem_of

    if facts["field"] != full.evolving[0] or facts["points"] != list(full.cells.mesh.cells):
        raise InputError(
            f"rom.file: a registration of {facts['field']} on {facts['points']} points, not of "
            f"{full.evolving[0]} on these {full.cells.n_global} cells"
        )
    if facts["problem"] != problem_of(deck):
        raise InputError(
            "rom.file: the registration is of another mesh, physics, start or boundary; nothing is solved, "
            "and the answer would be that of the other: reduce this deck"
        )


EXAMPLE: dict[str, Any] = {"type": "registration", "file": "rom.h5"}
