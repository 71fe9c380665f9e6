"""`plexus reduce`: march a deck, keep every step, and make basis and cubature of them.

Snapshots are the displacements and stresses of the accepted steps. The basis is their decomposition in L2
over the body; what the cubature has to integrate are the works σ_i:ε(ψ_j) of every stress on every mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus import registry
from plexus.compose import compose
from plexus.deck.reduce import Reduce
from plexus.errors import InputError
from plexus.offline.calibration import ratios
from plexus.protocols import Reducible
from plexus.reduction.balance import Balance
from plexus.reduction.enrichment import decomposed
from plexus.reduction.loads import Loads, require_separable
from plexus.reduction.measures import mass, weights_of
from plexus.reduction.model import Kept, Model, built, save
from plexus.reduction.pod import extended, pod
from plexus.reduction.responses import Elastic, spans
from plexus.reduction.times import sampled

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.coupling.system import System
    from plexus.deck.schema import Deck
    from plexus.protocols import SnapshotSource
    from plexus.run import Run
    from plexus.runtime.context import Context
    from plexus.spaces.assembly import Form

Array = np.ndarray


class History:
    """What the steps of a march leave.

    Parameters
    ----------
    name : str
        The unknown.
    memory : sequence of str
        Memory variables that are kept.

    Attributes
    ----------
    fields : list of array (n_local, m)
        The unknown after each step.
    stresses : list of array (own points, 9)
        The stresses then.
    memory : dict
        Name -> rows (own points, c) after each step.
    balance : Balance
        How well the forces of these steps balance.
    """

    def __init__(self, system: System, name: str, memory: Sequence[str]):
        self.name, self.balance = name, Balance(system.forms[name])
        self.fields: list[Array] = []
        self.stresses: list[Array] = []
        self.memory: dict[str, list[Array]] = {dual: [] for dual in memory}

    def keep(self, run: Run) -> None:
        """Keep the present state, and look whether its forces balance. Collective."""
        state, u = run.state, run.state.values[self.name]
        n = next(iter(run.system.points.values())).n_owned  # type: ignore[attr-defined]
        self.balance.look(state.t, u, state.internal)
        self.fields.append(u.copy())
        self.stresses.append(run.fields.evaluate("stress", "point")[2][:n].copy())
        for dual, rows in self.memory.items():
            rows.append(state.internal[dual][:n].copy())


def reduce(deck: Deck, ctx: Context) -> tuple[Run, dict[str, Any]]:
    """March the deck and write its reduced model; return the run and what is told of the model. Collective.

    Raises
    ------
    InputError
        If the model cannot be reduced.
    SolveError
        If the cubature does not reach its tolerance.
    """
    assert isinstance(deck.reduce, Reduce)
    run = compose(deck.model_copy(update={"rom": None}), ctx)
    system: Any = run.system
    equation = system.equations[0]
    name = equation.field.name
    if not isinstance(equation, Reducible):
        raise InputError(f"physics: plexus reduce takes elastoviscoplastic, not {deck.physics.type}")
    require_separable(system.forms[name])
    every = deck.reduce.duals == "all"
    found = History(system, name, [s.name for s in equation.internal if every or s.shape == "scalar"])
    source: SnapshotSource = registry.build("snapshots", deck.reduce.snapshots)
    told = source.march(run, found.keep)
    require_balance(found.balance, deck.reduce.balance)
    with ctx.timers("reduction"):
        path = ctx.folder / deck.reduce.file
        model = reduced(run, found, path)
    if deck.reduce.calibration:
        model.facts["ratios"] = ratios(deck, ctx, path)
        form = system.forms[name]
        save(path, form.space, next(iter(system.points.values())), model)
    return run, model.facts | {"from": told}


def require_balance(balance: Balance, limit: float) -> None:
    """Refuse a history that the deck's forces do not follow."""
    if not balance.worst <= limit:
        raise InputError(
            f"reduce: the steps leave {balance.worst:.2g} of the deck's forces out of balance, more than "
            f"{limit:g}: law, loads, supports, temperature or times of the deck are not those of its "
            "snapshots, or these lie too far apart for the law"
        )


def reduced(run: Run, found: History, path: Path) -> Model:
    """Make basis and cubature, and write them. Collective."""
    block, system = run.deck.reduce, run.system
    assert isinstance(block, Reduce)
    form: Form = system.forms[found.name]  # type: ignore[attr-defined]
    points = next(iter(system.points.values()))  # type: ignore[attr-defined]
    space, comm = form.space, form.space.comm
    product = partial(mass, form)
    basis = pod(
        comm, np.column_stack([u.ravel() for u in found.fields]), product, block.tolerance, block.modes
    )
    times, start = sampled(run.deck), run.deck.time.start  # type: ignore[union-attr]
    elastic = Elastic(system, start)  # type: ignore[arg-type]
    loads = Loads(form, form.equation.load, elastic.given, times, space.zeros()[:, :, None])  # type: ignore[attr-defined]
    answers = elastic.respond(elastic.shapes(loads, times) if block.responses else [])
    modes = extended(comm, basis.modes, product, answers.fields, block.tolerance)
    root = np.sqrt(weights_of(form))
    kept = Kept(
        decomposed(comm, np.concatenate([np.array(found.stresses), answers.stresses]), root),
        {name: decomposed(comm, np.array(rows)) for name, rows in found.memory.items()},
        *spans(loads, elastic, times),
    )
    facts = {
        "unknown": found.name, "points": points.n_global, "snapshots": len(found.fields),
        "forces": found.balance.scale, "imbalance": found.balance.worst,
        "responses": answers.fields.shape[1], "spectrum": basis.spectrum.tolist(),
        "tolerance": block.tolerance, "cubature": block.cubature,
        "widths": {name: modes.shape[1] for name, modes in kept.duals.items()},
        "largest": {name: largest(comm, rows) for name, rows in found.memory.items()},
    }  # fmt: skip
    modes = modes.reshape(space.n_local, space.components, modes.shape[1])
    model = built(form, points, modes, kept, facts, stalls=block.stalls)
    save(path, space, points, model)
    return model


def largest(comm: Comm, rows: Sequence[Array]) -> float:
    """Return the largest root mean square of snapshots (k, c). Collective."""
    squares, count = (
        comm.allreduce(np.array([float((a**2).sum()) for a in rows])),
        comm.allreduce(rows[0].size),
    )
    return float((squares.max() / count) ** 0.5)
