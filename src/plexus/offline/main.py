"""`plexus reduce`: march a deck, keep every step, and make basis and cubature of them.

Snapshots are the displacements and stresses of the accepted steps. The basis is their decomposition in L2
over the body; what the cubature has to integrate are the works σ_i:ε(ψ_j) of every stress on every mode.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.compose import compose
from plexus.deck.schedules import ScheduleText
from plexus.errors import InputError
from plexus.observers.base import Scheduled
from plexus.protocols import Reducible
from plexus.reduction.cubature import compressed, cubature
from plexus.reduction.measures import mass, weights_of
from plexus.reduction.model import save, strains_of
from plexus.reduction.pod import pod

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context
    from plexus.spaces.assembly import Form

Array = np.ndarray


class Snapshots(Scheduled):
    """An output that keeps every step in memory."""

    def __init__(self, name: str):
        super().__init__(SimpleNamespace(every=ScheduleText("steps", 1)))
        self.name = name
        self.fields: list[Array] = []
        self.stresses: list[Array] = []

    def observe(self, run: Run) -> None:
        """Keep the present state. Collective."""
        if run.clock.step == 0:
            return
        points = next(iter(run.system.points.values()))  # type: ignore[attr-defined]
        self.fields.append(run.state.values[self.name].copy())
        self.stresses.append(run.fields.evaluate("stress", "point")[2][: points.n_owned].copy())


def reduce(deck: Deck, ctx: Context) -> tuple[Run, dict[str, Any]]:
    """March the deck and write its reduced model; return the run and what is told of the model. Collective.

    Raises
    ------
    InputError
        If the model cannot be reduced.
    SolveError
        If the cubature does not reach its tolerance.
    """
    assert deck.reduce is not None
    run = compose(deck.model_copy(update={"rom": None}), ctx)
    equation = run.system.equations[0]  # type: ignore[attr-defined]
    name = equation.field.name
    if not isinstance(equation, Reducible):
        raise InputError(f"physics: plexus reduce takes elastoviscoplastic, not {deck.physics.type}")
    found = Snapshots(name)
    run.observers.append(found)
    run.execute()
    with ctx.timers("reduction"):
        facts = reduced(run, found, ctx.folder / deck.reduce.file)
    return run, facts


def reduced(run: Run, found: Snapshots, path: Path) -> dict[str, Any]:
    """Make basis and cubature, write them, and return the facts. Collective."""
    block, system = run.deck.reduce, run.system
    assert block is not None
    form: Form = system.forms[found.name]  # type: ignore[attr-defined]
    points = next(iter(system.points.values()))  # type: ignore[attr-defined]
    space, comm = form.space, form.space.comm
    rows = np.column_stack([u.ravel() for u in found.fields])
    basis = pod(comm, rows, lambda a: mass(form, a), block.tolerance, block.modes)
    modes = basis.modes.reshape(space.n_local, space.components, -1)
    strains = strains_of(form, points, modes)
    weights, names = weights_of(form), points.names()[: points.n_owned]
    works = np.einsum("ika,kaj->ijk", np.array(found.stresses), strains)
    works = works.reshape(-1, len(weights))
    chosen = cubature(
        comm, compressed(comm, works, weights, block.cubature), weights, names, block.cubature,
        stalls=block.stalls,
    )  # fmt: skip
    facts = {
        "unknown": found.name, "modes": int(modes.shape[2]), "points": points.n_global,
        "names": chosen.names.tolist(), "weights": chosen.weights.tolist(), "error": chosen.error,
        "spectrum": basis.spectrum.tolist(), "snapshots": len(found.fields),
        "tolerance": block.tolerance, "cubature": block.cubature,
    }  # fmt: skip
    save(path, space, found.name, modes, {"reduced": facts})
    return facts
