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
from plexus.errors import InputError, PlexusError
from plexus.fileformat import DATA
from plexus.learning import kept
from plexus.learning.data._reference import Arrays, ran
from plexus.learning.samples import Samples
from plexus.runtime import files

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.deck.schema import Deck
    from plexus.learning.session import Session


def members(params: Any) -> list[Deck]:
    """Return the decks of the members, checked, in order.

    Raises
    ------
    DeckError
        If a varied value does not fit.
    """
    vary = params.vary
    chosen = points(vary) if vary is not None and (vary.parameters or vary.members) else [{}]
    seeds = [{"runtime.seed": seed} for seed in vary.seed_list()] if vary is not None else []
    every = [point | seed for point in chosen for seed in seeds or [{}]]
    return [load(params.deck, [f"{k}={json.dumps(v)}" for k, v in one.items()]) for one in every]


def name_of(params: Any, decks: list[Deck]) -> str:
    """Return the name of the file that holds what members give: a hash over all that it depends on."""
    told = [
        [deck.plain()["data"], {p: hashlib.sha256(Path(p).read_bytes()).hexdigest() for p in _files(deck)}]
        for deck in decks
    ]
    asked = [to_data(params.fields), to_data(params.times)]
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
    return _read(session, path, leads)


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
        for number, times, rows in ran(session, params, left, team.rank, team.size):
            files.write_bytes(_part(path, number), _packed([(number, times, rows)]))
            log.info(f"run {number}: {len(times)} times, {len(next(iter(rows.values()))[0])} nodes")

    _agreed(comm, mine)
    _agreed(comm, lambda: _join(path) if comm.rank == 0 else None)


def _agreed(comm: Comm, work: Callable[[], None]) -> None:
    """Do what each rank does alone; what fails on one is an error on all. Collective."""
    problem: PlexusError | None = None
    try:
        work()
    except PlexusError as error:
        problem = error
    told = [text for text in comm.allgather(str(problem) if problem else None) if text]
    if told:
        raise problem or InputError(told[0])


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
            found.append((number, file["time"][()].tolist(), rows))
    files.write_bytes(path, _packed(found))
    for part in parts.values():
        part.unlink()


def _packed(found: list[tuple[int, list[float], Arrays]]) -> bytes:
    """Return the content of a file of members, which stand in order."""
    sizes = {value.shape[1] for _, _, rows in found for value in rows.values()}
    if len(sizes) > 1:
        raise InputError(f"runs have different numbers of nodes ({', '.join(map(str, sorted(sizes)))})")
    blob = io.BytesIO()
    with h5py.File(blob, "w", track_order=True) as file:
        file["group"] = np.concatenate([np.full(len(times), n) for n, times, _ in found])
        file["time"] = np.concatenate([times for _, times, _ in found])
        # in their order, in which sums over them are taken
        group = file.create_group("fields", track_order=True)
        for name in found[0][2]:
            group[name] = np.concatenate([rows[name] for _, _, rows in found])
    return blob.getvalue()


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
