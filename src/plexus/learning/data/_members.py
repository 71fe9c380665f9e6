"""Members of reference runs: their decks, what they are called together, and their fields."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import h5py
import numpy as np
import torch

from plexus import __version__
from plexus.compose import compose
from plexus.deck.effective import to_data
from plexus.deck.load import load
from plexus.deck.strategies import points
from plexus.errors import InputError, at_path
from plexus.fileformat import DATA
from plexus.learning import kept
from plexus.learning.data._units import converted
from plexus.learning.samples import Samples
from plexus.learning.solved import Asked, Solved
from plexus.runtime import context, files
from plexus.runtime.log import Log

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.session import Session
    from plexus.protocols import Port
    from plexus.run import Run

Arrays = dict[str, np.ndarray]
PLACES = "places"
"""Where the nodes of a member on elements lie, (nodes, d) [m]."""


class Member(NamedTuple):
    """What a run gave: its number, the times, values (times, nodes) of each port, places without a grid."""

    number: int
    times: list[float]
    rows: Arrays
    places: np.ndarray | None


def members(params: Any) -> list[Deck]:
    """Return the decks of the members, checked, in order.

    Raises
    ------
    DeckError
        If a varied value does not fit.
    """
    return [load(params.deck, one) for one in varied(params)]


def varied(params: Any) -> list[list[str]]:
    """Return what each member changes, as texts ``a.b.c=value``."""
    vary = params.vary
    chosen = points(vary) if vary is not None and (vary.parameters or vary.members) else [{}]
    seeds = [{"runtime.seed": seed} for seed in vary.seed_list()] if vary is not None else []
    every = [point | seed for point in chosen for seed in seeds or [{}]]
    return [[f"{k}={json.dumps(v)}" for k, v in one.items()] for one in every]


def name_of(params: Any, decks: list[Deck]) -> str:
    """Return the name of the file that holds what members give: a hash over all that it depends on."""
    told = [
        [deck.plain()["data"], {p: hashlib.sha256(Path(p).read_bytes()).hexdigest() for p in _files(deck)}]
        for deck in decks
    ]
    asked = [to_data(params.fields), to_data(params.times), PLACES]
    text = json.dumps([__version__, told, asked], sort_keys=True, default=str)
    return DATA.format(hashlib.sha256(text.encode()).hexdigest()[:32])


def _files(deck: Deck) -> Iterator[str]:
    """Yield the files that a deck names."""

    def inside(value: Any) -> Iterator[str]:
        if isinstance(value, Mapping):
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                yield from inside(item)
        elif isinstance(value, str) and len(value) < 1000 and value.strip() and "\n" not in value:
            path = deck.folder / value
            if path.is_file():
                yield str(path)

    yield from sorted(set(inside(deck.plain()["data"])))


def samples(session: Session, params: Any, leads: tuple[int, ...]) -> Samples:
    """Return this rank's samples, from the file if it is there. Collective."""
    decks, comm = members(params), session.ctx.comm
    place = session.ctx.folder
    path = (kept.shared(place) or place) / name_of(params, decks)
    # members of a sweep that need them at once wait
    with kept.held(path) if comm.rank == 0 else nullcontext():
        _provide(session, params, decks, path)
    if isinstance(session.part, Solved):
        return _runs(session, params, path)
    return _read(session, path, leads)


def _provide(session: Session, params: Any, decks: list[Deck], path: Path) -> None:
    """Run the members unless their data are there. Collective."""
    comm, team = session.ctx.comm, session.team
    if not comm.bcast(path.is_file() if comm.rank == 0 else None):
        found = [_ran(session, params, n, deck) for n, deck in enumerate(decks) if n % team.size == team.rank]
        gathered = comm.gather(found)
        if gathered is not None:
            _write(path, [one for many in gathered for one in many])
        comm.Barrier()
    else:
        session.ctx.log.info(f"data of these runs are there already: {path.name}")


def _ran(session: Session, params: Any, number: int, deck: Deck) -> Member:
    """Run one member."""
    from mpi4py import MPI

    ports = {p.name: p for p in (*session.part.inputs, *session.part.outputs)}
    ctx = context.create(MPI.COMM_SELF, session.ctx.folder, seed=deck.runtime.seed, device=session.ctx.device)
    ctx.log = Log(MPI.COMM_SELF, None, io.StringIO())
    with at_path(f"run {number}"):
        run = compose(deck, ctx)
        run.observers = []
        times, rows = [], []
        for t in _times(params, run):
            for _ in run.march(t):
                pass
            times.append(run.clock.t)
            rows.append(_looked(run, params.fields, ports))
    session.ctx.log.info(f"run {number}: {len(times)} times, {len(next(iter(rows[0].values())))} nodes")
    values = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return Member(number, times, values, _places(run))


def _places(run: Run) -> np.ndarray | None:
    """Return where the nodes of a run on elements lie, None for others."""
    nodes = getattr(run.fields, "space", None) if hasattr(run.system, "controls") else None
    return None if nodes is None else np.asarray(nodes.points)


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


def _write(path: Path, found: list[Member]) -> None:
    """Write what members gave, in their order; the file appears when it is whole (one rank only)."""
    found = sorted(found, key=lambda one: one.number)
    sizes = {value.shape[1] for one in found for value in one.rows.values()}
    if len(sizes) > 1:
        raise InputError(f"runs have different numbers of nodes ({', '.join(map(str, sorted(sizes)))})")
    blob = io.BytesIO()
    # without order and times of creation, the same data are the same bytes
    with h5py.File(blob, "w") as file:
        file["group"] = np.concatenate([np.full(len(one.times), one.number) for one in found])
        file["time"] = np.concatenate([one.times for one in found])
        for name in found[0].rows:
            file[f"fields/{name}"] = np.concatenate([one.rows[name] for one in found])
        places = [one.places for one in found if one.places is not None]
        if places:
            file[PLACES] = np.stack(places)
    files.write_bytes(path, blob.getvalue())


def _read(session: Session, path: Path, leads: tuple[int, ...]) -> Samples:
    """Return this rank's samples from the file; those whose run has no time so much later are left out."""
    team, device = session.team, session.ctx.device
    inputs, outputs = ([p.name for p in ports] for ports in (session.part.inputs, session.part.outputs))
    with h5py.File(path, "r") as file:
        group, time = file["group"][()], file["time"][()]
        ahead = max(leads, default=0)
        at = np.flatnonzero(group[: len(group) - ahead] == group[ahead:])
        mine = at[team.rank :: team.size]

        def rows(names: list[str], later: int = 0) -> dict[str, torch.Tensor]:
            there = [name for name in names if name in file["fields"]]
            return {n: torch.from_numpy(file["fields"][n][()][mine + later]).to(device) for n in there}

        return Samples(
            torch.arange(len(at))[team.rank :: team.size], torch.from_numpy(group[mine]),
            torch.from_numpy(time[mine]), rows(inputs), rows(outputs),
            {lead: rows(inputs, lead) for lead in leads}, len(at), team.rank, team.size, tuple(inputs),
        )  # fmt: skip


def _runs(session: Session, params: Any, path: Path) -> Samples:
    """Return the runs of this rank's group, one sample each, for a part that runs the deck itself.

    Raises
    ------
    InputError
        If the reference has no nodes.
    """
    team = session.team
    with h5py.File(path, "r") as file:
        if PLACES not in file:
            raise InputError(
                f"train.data.deck: {Path(params.deck).name} has no elements, at whose nodes runs are compared"
            )
        places, time = file[PLACES][()], file["time"][()].reshape(len(file[PLACES]), -1)
        shape = (*time.shape, places.shape[1])
        targets = {name: torch.from_numpy(value[()].reshape(shape)) for name, value in file["fields"].items()}
    # a steady reference has no time: its end is compared with the end
    times = np.where(time == 0, np.inf, time) if params.times is None else time
    asked = [Asked(*one) for one in zip(varied(params), times.tolist(), places, strict=True)]
    first, mine = session.part.enlist(asked, list(targets)), slice(team.share, None, team.shares)
    number = torch.arange(len(time))[mine]
    return Samples(
        number, number.clone(), torch.from_numpy(time[mine, -1].copy()), {"run": first + number},
        {name: value[mine] for name, value in targets.items()}, {}, len(time), team.share, team.shares,
    )  # fmt: skip
