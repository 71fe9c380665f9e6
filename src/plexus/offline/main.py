"""`plexus reduce`: march a deck, keep what its steps are, and make basis and cubature of them.

Snapshots are the displacements and stresses of the accepted steps, decomposed on the way. The basis is their
decomposition in L2 over the body; what the cubature has to integrate are the works σ_i:ε(ψ_j) of every stress
on every mode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial as bound
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus import registry
from plexus.compose import compose
from plexus.deck.reduce import Reduce
from plexus.errors import InputError
from plexus.fileformat import MODES, PARTIAL
from plexus.offline import modes as modes_file
from plexus.offline.calibration import trajectories
from plexus.offline.history import Carried, History
from plexus.offline.snapshots import Snapshots
from plexus.offline.whole import let_go
from plexus.protocols import Reducible
from plexus.reduction.balance import Balance
from plexus.reduction.lifts import Lifts
from plexus.reduction.loads import Loads, require_separable
from plexus.reduction.measures import mass
from plexus.reduction.model import Kept, Model, built, save
from plexus.reduction.origin import material, supports
from plexus.reduction.pod import FINEST, extended, pod
from plexus.reduction.responses import Elastic, spans
from plexus.reduction.times import sampled
from plexus.run.going_on import go_on
from plexus.runtime.files import partial

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.protocols import SnapshotSource
    from plexus.run import Run
    from plexus.runtime.context import Context
    from plexus.spaces.assembly import Form
    from plexus.spaces.lagrange import Space

Array = np.ndarray


def reducible(run: Run) -> Any:
    """Return the equation of a run.

    Raises
    ------
    InputError
        If no reduced model can be made of it.
    """
    equation = run.system.equations[0]  # type: ignore[attr-defined]
    if not isinstance(equation, Reducible):
        raise InputError(f"physics: plexus reduce takes elastoviscoplastic, not {run.deck.physics.type}")
    return equation


def kept_of(equation: Reducible, duals: str) -> list[str]:
    """Return the memory variables whose bases a deck wants: all, or scalars."""
    return [s.name for s in equation.internal if duals == "all" or s.shape == "scalar"]


def reduce(deck: Deck, ctx: Context, restart: str | None = None) -> tuple[Run, dict[str, Any]]:
    """March the deck and write its reduced model; return the run and what is told of the model. Collective.

    Of a run that stops early there is no model, and nothing is told; it goes on from its checkpoint, with the
    steps that it has kept.

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
    equation = reducible(run)
    name = equation.field.name
    require_separable(system.forms[name])
    found = history_of(run, name, kept_of(equation, deck.reduce.duals))
    source: SnapshotSource = registry.build("snapshots", deck.reduce.snapshots)
    run.observers.append(Carried(found))
    if restart is not None:
        if deck.reduce.snapshots.type != "run":
            raise InputError("reduce: snapshots of a file are read anew: leave --restart out")
        go_on(run, restart)
        found.require_whole(run)
    told = source.march(run, found.keep)
    if run.stop_reason:
        return run, {}
    require_balance(found.balance, deck.reduce.balance)
    with ctx.timers("reduction"):
        path = ctx.folder / deck.reduce.file
        # what is not calibrated yet is no result
        draft = partial(path) if deck.reduce.calibration else path
        model = reduced(run, found, draft, {"material": material(deck)})
    if deck.reduce.calibration:
        seen = trajectories(deck, ctx, draft)
        model.facts["trajectories"] = [asdict(one) for one in seen]
        model.facts["ratios"] = [one.ratio for one in seen]
        form = system.forms[name]
        save(path, form.space, system.quadrature, model)
    return run, model.facts | {"from": told}


def require_balance(balance: Balance, limit: float) -> None:
    """Refuse a history that the deck's forces do not follow."""
    if not balance.worst <= limit:
        raise InputError(
            f"reduce: the steps leave {balance.worst:.2g} of the deck's forces out of balance, more than "
            f"{limit:g}: law, loads, supports, temperature or times of the deck are not those of its "
            "snapshots, or these lie too far apart for the law"
        )


def reduced(run: Run, found: History, path: Path, told: Mapping[str, Any] | None = None) -> Model:
    """Make basis and cubature, and write them with what is told of the history. Collective."""
    block, system = run.deck.reduce, run.system
    assert isinstance(block, Reduce)
    form: Form = system.forms[found.name]  # type: ignore[attr-defined]
    space, comm, snapshots = form.space, form.space.comm, found.snapshots
    product = bound(mass, form)
    times, elastic = sampled(run.deck), Elastic(system, run.deck.time.start)  # type: ignore[arg-type, union-attr]
    fields = snapshots.fields
    shown = np.column_stack([u.ravel() for u in fields.rows])
    basis = pod(comm, shown, product, block.tolerance, block.modes, fields.left)
    loads = Loads(form, form.equation.load, elastic.given, times, space.zeros()[:, :, None])  # type: ignore[attr-defined]
    answers = elastic.respond(elastic.shapes(loads, times) if block.responses else [])
    solved(system, found.name)
    modes = extended(comm, basis.modes, product, answers.fields, block.tolerance)
    for stress in answers.stresses:
        snapshots.stresses.add(stress)
    # the modes stand for them, and a large body has no room for both
    answers.stresses.clear()
    lifted = space.zeros()[:, :, None][:, :, :0] if found.lifts is None else found.lifts.fields
    duals = {name: rows.decomposed() for name, rows in snapshots.memory.items()}
    kept = Kept(snapshots.stresses.decomposed(), duals, *spans(loads, elastic, times), lifted)
    facts = {
        "snapshots": snapshots.count, "forces": found.balance.scale, "imbalance": found.balance.worst,
        "responses": answers.fields.shape[1], "lifts": lifted.shape[2], "spectrum": basis.spectrum.tolist(),
        "left": fields.left, "largest": snapshots.largest, "memory_tolerance": FINEST,
    }  # fmt: skip
    return finished(run, path, modes, kept, facts | dict(told or {}))


def history_of(run: Run, name: str, memory: Sequence[str]) -> History:
    """Return the history of a run that begins, without what is prescribed of the unknown. Collective."""
    system: Any = run.system
    assert run.deck.time is not None and isinstance(run.deck.reduce, Reduce)
    snapshots = Snapshots(system.forms[name], system.quadrature, memory, run.deck.reduce)
    lifts = Lifts(system, name, sampled(run.deck))
    if not lifts.count:
        return History(system, name, snapshots)
    held = Elastic(system, run.deck.time.start).lifted(lifts.parts.shapes, lifts.sizes)
    lifts.fields = held.fields.reshape(*lifts.fields.shape[:2], lifts.count)
    for stress in held.stresses:
        snapshots.stresses.add(stress)
    return History(system, name, snapshots, lifts)


def solved(system: Any, name: str) -> None:
    """Free solver and matrix of an unknown for which all is solved: the rest needs room. Collective."""
    system.solvers[name].let_go()
    system.forms[name].let_go()
    let_go()


def finished(run: Run, path: Path, modes: Array, kept: Kept, told: dict[str, Any]) -> Model:
    """Choose points for modes (n_local m, n), write model and modes, and return the model. Collective."""
    block, system = run.deck.reduce, run.system
    assert isinstance(block, Reduce)
    name = system.equations[0].field.name  # type: ignore[attr-defined]
    form, points = system.forms[name], system.quadrature  # type: ignore[attr-defined]
    space: Space = form.space
    facts = told | {
        "unknown": name, "points": points.n_global, "tolerance": block.tolerance, "cubature": block.cubature,
        "stalls": block.stalls, "supports": supports(space, system.prescribed[name]),  # type: ignore[attr-defined]
        "widths": {dual: rows.shape[1] for dual, rows in kept.duals.items()},
    }  # fmt: skip
    basis = modes.reshape(space.n_local, space.components, modes.shape[1])
    model = built(form, points, basis, kept, facts, stalls=block.stalls)
    save(path, space, points, model)
    final = path.with_name(path.name.removesuffix(PARTIAL))
    modes_file.write(final.with_suffix(MODES), run, name, model.basis)
    return model
