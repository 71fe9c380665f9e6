"""Members of reference runs: their decks, what they are called together, and the file of their fields."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import torch

from plexus import __version__
from plexus.deck.effective import to_data
from plexus.deck.load import load
from plexus.deck.strategies import points
from plexus.errors import GuardError, InputError, OutputError, PlexusError, SolveError
from plexus.fileformat import DATA
from plexus.learning import kept
from plexus.learning.data._reference import Member, ran
from plexus.learning.samples import Samples
from plexus.learning.solved import Asked, Solved
from plexus.runtime import files

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.deck.schema import Deck
    from plexus.learning.session import Session

PLACES = "places"
"""Where the nodes or cells of members lie, (members, nodes, d) [m]."""


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
    chosen = points(vary) if vary is not None and (vary.parameters or vary.members or vary.sample) else [{}]
    seeds = [{"runtime.seed": seed} for seed in vary.seed_list()] if vary is not None else []
    every = [point | seed for point in chosen for seed in seeds or [{}]]
    return [[f"{k}={json.dumps(v)}" for k, v in one.items()] for one in every]


def name_of(params: Any, decks: list[Deck]) -> str:
    """Return the name of the file that holds what members give: a hash over all that it depends on."""
    told = [
        [deck.plain()["data"], {p: hashlib.sha256(Path(p).read_bytes()).hexdigest() for p in _files(deck)}]
        for deck in decks
    ]
    # what earlier versions wrote has places on elements only
    asked = [to_data(params.fields), to_data(params.times), PLACES, 2]
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
    return _read(session, path, leads, params.lead)


def _provide(session: Session, params: Any, decks: list[Deck], path: Path) -> None:
    """Run the members unless their data are there; those that are done survive a kill. Collective.

    Raises
    ------
    InputError, SolveError, GuardError
        On all ranks, if a member fails on one.
    """
    comm, team, log = session.ctx.comm, session.team, session.ctx.log
    whole, parts = comm.bcast((path.is_file(), _parts(path)) if comm.rank == 0 else None)
    if whole:
        log.info(f"data of these runs are there already: {path.name}")
        return
    if parts:
        log.info(f"{len(parts)} of {len(decks)} runs are there already")
    left = {n: deck for n, deck in enumerate(decks) if n not in parts}

    def mine() -> None:
        for one in ran(session, params, left, team.rank, team.size):
            files.write_bytes(_part(path, one.number), _packed([one]))
            nodes = len(next(iter(one.rows.values()))[0])
            log.info(f"run {one.number}: {len(one.times)} times, {nodes} nodes")

    _agreed(comm, mine)
    _agreed(comm, lambda: _join(path) if comm.rank == 0 else None)


def _agreed(comm: Comm, work: Callable[[], None]) -> None:
    """Do what each rank does alone; what fails on one is an error on all. Collective."""
    problem: PlexusError | None = None
    try:
        work()
    except PlexusError as error:
        problem = error
    told = [each for each in comm.allgather((type(problem), str(problem)) if problem else None) if each]
    if told:
        kind, text = told[0]
        alike = kind if kind in (SolveError, GuardError, OutputError) else InputError
        raise problem or alike(text)


def _part(path: Path, number: int) -> Path:
    """Return the file of one member until all are there."""
    return path.with_name(f"{path.stem}.run-{number:06d}{path.suffix}")


def _parts(path: Path) -> dict[int, Path]:
    """Return the files of members that are there, by number."""
    found = path.parent.glob(_part(path, 0).name.replace("000000", "*"))
    return {int(part.stem.rpartition("-")[2]): part for part in sorted(found)}


def _join(path: Path) -> None:
    """Write what all members gave into one file, and delete their own (one rank only)."""
    parts, found = _parts(path), []
    for number, part in sorted(parts.items()):
        with h5py.File(part, "r") as file:
            rows = {name: file["fields"][name][()] for name in file["fields"]}
            places = file[PLACES][0] if PLACES in file else None
            found.append(Member(number, file["time"][()].tolist(), rows, places))
    files.write_bytes(path, _packed(found))
    for part in parts.values():
        part.unlink()


def _packed(found: list[Member]) -> bytes:
    """Return the content of a file of members, which stand in order."""
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
    return blob.getvalue()


def _read(session: Session, path: Path, leads: tuple[int, ...], lead: int = 0) -> Samples:
    """Return this rank's samples from the file; those whose run has no time so much later are left out."""
    team, device = session.team, session.ctx.device
    inputs, outputs = ([p.name for p in ports] for ports in (session.part.inputs, session.part.outputs))
    with h5py.File(path, "r") as file:
        group, time = file["group"][()], file["time"][()]
        ahead = max(*leads, lead, 0)
        at = np.flatnonzero(group[: len(group) - ahead] == group[ahead:])
        mine = at[team.rank :: team.size]

        def rows(names: list[str], later: int = 0) -> dict[str, torch.Tensor]:
            there = [name for name in names if name in file["fields"]]
            return {n: torch.from_numpy(file["fields"][n][()][mine + later]).to(device) for n in there}

        return Samples(
            torch.arange(len(at))[team.rank :: team.size], torch.from_numpy(group[mine]),
            torch.from_numpy(time[mine]), rows(inputs), rows(outputs, lead),
            {lead: rows(inputs, lead) for lead in leads}, len(at), team.rank, team.size, tuple(inputs),
        )  # fmt: skip


def _runs(session: Session, params: Any, path: Path) -> Samples:
    """Return the runs of this rank's group, one sample each, for a part that runs the deck itself.

    Raises
    ------
    InputError
        If the reference has no mesh.
    """
    team = session.team
    with h5py.File(path, "r") as file:
        if PLACES not in file:
            raise InputError(
                f"train.data.deck: {Path(params.deck).name} has no mesh, at whose nodes runs are compared"
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
