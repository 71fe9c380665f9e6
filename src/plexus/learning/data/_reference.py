"""Reference runs in this process: members that differ in their starts alone march as one batch.

Where a discretisation has ensembles, a model of many members costs hardly more than one of a single member as
long as both are small. A batch has the starts of its members, and steps that do not depend on them: explicit
and semi-implicit steppers of fixed length. All other members are run one after the other.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from plexus import registry
from plexus.compose import compose
from plexus.deck.discretisation import made_for
from plexus.deck.ensemble import Ensemble
from plexus.errors import GuardError, InputError, PlexusError, SolveError, at_path
from plexus.fields.state import State
from plexus.learning.data._units import converted
from plexus.protocols import Implicit, TimeIntegrable
from plexus.runtime import context
from plexus.runtime.log import Log

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.session import Session
    from plexus.protocols import Port
    from plexus.run import Run

Arrays = dict[str, np.ndarray]
LARGEST = 1 << 22
"""Most numbers of a batch: beyond, arrays leave the caches and nothing is gained."""
ALONE = ""
"""What stands for the march of those that are no members of a batch."""
TOLD = ("fixed", "graded")
"""Controllers whose steps do not depend on the solution."""
EXACT = 1e-11
"""Relative residual of an implicit step that several members may share."""
STARTS = ("initial", "samples", "parameters", "runtime", "about", "output", "quantities", "sweep")
"""Blocks of a deck of which a march need not depend."""


class Member(NamedTuple):
    """What a run gave: number, times, values (times, nodes) of each port, places (nodes, d) on a mesh."""

    number: int
    times: list[float]
    rows: Arrays
    places: np.ndarray | None = None


def ran(session: Session, params: Any, decks: Mapping[int, Deck], rank: int, ranks: int) -> Iterator[Member]:
    """Yield number, times and values (times, nodes) of each port, of every n-th member for n ranks.

    Raises
    ------
    InputError, SolveError, GuardError
        With the number of the member.
    """
    for march, group in alike(decks).items():
        mine = group[rank::ranks]
        while mine:
            runs = {mine[0]: _composed(session, decks[mine[0]], mine[0])}
            count = 1 if march == ALONE else _fitting(runs[mine[0]])
            runs |= {n: _composed(session, decks[n], n) for n in mine[1:count]}
            yield from _marched(session, params, decks, runs)
            mine = mine[count:]


def alike(decks: Mapping[int, Deck]) -> dict[str, list[int]]:
    """Return the numbers of members by their march; all that must march alone are under `ALONE`."""
    groups: dict[str, list[int]] = {}
    for number, deck in decks.items():
        groups.setdefault(_march(deck) if _batched(deck) else ALONE, []).append(number)
    return groups


def _batched(deck: Deck) -> bool:
    """Return whether runs of a deck may be members of a batch."""
    if deck.time is None or deck.ensemble is not None or "ensemble" in made_for(deck.physics.type).blocks:
        return False
    stepper = registry.component("stepper", deck.time.stepper.type).cls
    own = getattr(stepper, "needs", Implicit) in (Implicit, TimeIntegrable)
    return deck.time.control.type in TOLD and (not own or _tight(deck))


def _tight(deck: Deck) -> bool:
    """Return whether solves are so exact that it does not matter who else is solved for."""
    cls: Any = registry.component("physics", deck.physics.type).cls
    blocks = [deck.solver_for(spec.name) for spec in cls.fields(deck.physics)]
    return all(b.snes_rtol <= EXACT and (b.ksp == "preonly" or (b.rtol or 1) <= EXACT) for b in blocks)


def _march(deck: Deck) -> str:
    """Return all that the march of a deck depends on, but for its start."""
    data = deck.plain()["data"]
    rest = {name: block for name, block in data.items() if name not in STARTS}
    rest["runtime"] = {k: v for k, v in data.get("runtime", {}).items() if k != "seed"}
    for kind in ("samples", "parameters"):
        text = json.dumps(rest, default=str)
        named = data.get(kind, {}).items()
        rest[kind] = {n: v for n, v in named if re.search(rf"\b{re.escape(n)}\b", text)}
    return json.dumps(rest, sort_keys=True, default=str)


def _composed(session: Session, deck: Deck, number: int | None = None) -> Run:
    """Return a run of a deck on this rank alone, without outputs."""
    from mpi4py import MPI

    ctx = context.create(MPI.COMM_SELF, session.ctx.folder, seed=deck.runtime.seed, device=session.ctx.device)
    ctx.log = Log(MPI.COMM_SELF, None, io.StringIO())
    with at_path("batch" if number is None else f"run {number}"):
        run = compose(deck, ctx)
    run.observers = []
    return run


def _fitting(run: Run) -> int:
    """Return how many members like a run a batch may have."""
    return max(1, LARGEST // max(1, sum(math.prod(v.shape) for v in run.state.values.values())))


def _marched(
    session: Session, params: Any, decks: Mapping[int, Deck], runs: Mapping[int, Run]
) -> Iterator[Member]:
    """Yield what runs give, together if there are several; where that fails each for itself, to be named."""
    if len(runs) > 1:
        try:
            yield from _together(session, params, decks, runs)
            return
        except PlexusError:
            runs = {n: _composed(session, decks[n], n) for n in runs}
    for number, run in runs.items():
        try:
            with at_path(f"run {number}"):
                found = Member(number, *_alone(session, params, run), _places(run))
        except (SolveError, GuardError) as error:
            raise type(error)(f"run {number}: {error}") from error
        yield found


def _alone(session: Session, params: Any, run: Run) -> tuple[list[float], Arrays]:
    """Return times and values of one run."""
    times, rows = [], []
    for t in _times(params, run):
        for _ in run.march(t):
            pass
        times.append(run.clock.t)
        rows.append(_looked(run, params.fields, _ports(session)))
    return times, _stacked(rows)


def _together(
    session: Session, params: Any, decks: Mapping[int, Deck], runs: Mapping[int, Run]
) -> list[Member]:
    """Return what runs give whose states march as one: an ensemble that has their starts."""
    every, number = list(runs.values()), next(iter(runs))
    plain = {"ensemble": Ensemble(members=len(every)), "quantities": {}, "output": ()}
    whole = _composed(session, decks[number].model_copy(update=plain))
    values = whole.state.values
    starts = {n: torch.stack([run.state.values[n] for run in every]) for n in values}
    whole.state = State({n: start.reshape(values[n].shape) for n, start in starts.items()}, whole.clock.t)
    times: list[float] = []
    rows: list[list[Arrays]] = [[] for _ in every]
    for t in _times(params, every[0]):
        for _ in whole.march(t):
            pass
        times.append(whole.clock.t)
        now = {n: v.reshape(starts[n].shape) for n, v in whole.state.values.items()}
        for k, run in enumerate(every):
            run.state = State({n: v[k] for n, v in now.items()}, whole.clock.t)
            rows[k].append(_looked(run, params.fields, _ports(session)))
    own = zip(runs.items(), rows, strict=True)
    return [Member(n, times, _stacked(looked), _places(run)) for (n, run), looked in own]


def _places(run: Run) -> np.ndarray | None:
    """Return where the values of a run stand, nodes or middles of cells (n, d); None without a mesh."""
    fields: Any = run.fields
    return None if run.deck.mesh is None else np.asarray(fields.space.points)


def _ports(session: Session) -> dict[str, Port]:
    return {p.name: p for p in (*session.part.inputs, *session.part.outputs)}


def _stacked(rows: Sequence[Arrays]) -> Arrays:
    """Return the values of all times behind each other."""
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _times(params: Any, run: Run) -> list[float]:
    """Return when a member is looked at: at the end, unless times are given."""
    if params.times is None:
        return [run.clock.end if run.stepper.marches else np.inf]
    late = [t for t in params.times.times() if t > run.clock.end * (1 + 1e-12)]
    if late:
        raise InputError(f"{late[0]:g} s is after the end of the run, {run.clock.end:g} s")
    return list(params.times.times())


def _looked(run: Run, fields: Mapping[str, Any], ports: Mapping[str, Port]) -> Arrays:
    """Return the values of each port at all nodes, in the port's unit."""

    def one(text: str, unit: str | None, port: Port) -> np.ndarray:
        spec, _, array = run.fields.evaluate(text)
        if array.shape[1] != 1:
            raise InputError(f"{text}: a port takes one number per node; name a component")
        return converted(np.asarray(array[:, 0], dtype=float), unit or spec.unit, port.unit, text)

    found = {}
    for name, field in fields.items():
        found[name] = one(field.name, field.unit, ports[name])
        if field.imaginary:
            found[name] = found[name] + 1j * one(field.imaginary, field.unit, ports[name])
    return found
