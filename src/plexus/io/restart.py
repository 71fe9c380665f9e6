"""Saving a run into a checkpoint and continuing from one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from plexus.deck.changes import changes
from plexus.errors import InputError
from plexus.fields.keys import Key, fields_of
from plexus.io import checkpoint
from plexus.io.hdf5 import on_root
from plexus.io.lineage import Lineage
from plexus.io.places import places, require_same_mesh
from plexus.runtime.context import Context
from plexus.runtime.folder import set_aside
from plexus.runtime.provenance import versions

LATEST = "latest"
Fields = Mapping[Key, tuple[Any, np.ndarray]]
"""Key -> (space, field array (n_local, m))."""


class Restartable(Protocol):
    """What this module needs of a run (`plexus.run.Run`)."""

    ctx: Context
    deck: Any
    mesh: Any
    lineage: Lineage
    dry: bool

    @property
    def steps(self) -> int:
        """Number of accepted steps since the start time."""

    def checkpoint_state(self) -> tuple[dict[str, Any], Fields]:
        """Return plain data and field arrays with their spaces."""

    def expect(self, meta: Mapping[str, Any]) -> None:
        """Make room for the state of a checkpoint with these plain data."""

    def layout(self) -> Mapping[Key, Any]:
        """Return the space of every array of the state."""

    def restore_state(self, meta: Mapping[str, Any], fields: Mapping[Key, np.ndarray]) -> None:
        """Continue from them."""


def save(run: Restartable, path: Path) -> None:
    """Write a checkpoint of the present state. Collective.

    Raises
    ------
    OutputError
        On all ranks, if it cannot be stored; earlier checkpoints stay.
    """
    meta, fields = run.checkpoint_state()
    deck = run.deck.plain()["data"]
    facts = {
        "run": meta,
        "lineage": run.lineage.plain(),
        "deck": deck,
        "deck_hash": deck_hash(deck),
        "mesh_sum": _sum(run),
        "ranks": run.ctx.comm.size,
        "versions": versions(),
    }
    # spaces of one degree differ in their components only: one list of names serves them all
    spaces = {space.key: space for space, _ in fields.values()}
    facts["places"] = {key: places(space) for key, space in spaces.items()}
    ids = {key: space.names()[: space.n_owned] for key, space in spaces.items()}
    arrays = {str(key): array[: space.n_owned] for key, (space, array) in fields.items()}
    sets = {str(key): space.key for key, (space, _) in fields.items()}
    checkpoint.write(path, run.ctx.comm, ids, checkpoint.Content(facts, arrays, sets), run.lineage.name)


def resume(run: Restartable, choice: str, folder: Path, own: bool = False) -> tuple[Path, list[str]]:
    """Continue from a checkpoint: a file, or ``latest`` for the newest valid one of a folder. Collective.

    Later checkpoints of the run folder, which are of a past that the run leaves or damaged, are set aside.
    With ``own`` the checkpoints of other runs are passed over.

    Returns
    -------
    tuple
        The file, and the changes of the deck since then, one line each.

    Raises
    ------
    InputError
        If there is no valid checkpoint, or it belongs to another mesh.
    """
    comm = run.ctx.comm
    paths = checkpoint.candidates(folder, comm) if choice == LATEST else [Path(choice)]
    if own:
        paths = comm.bcast([p for p in paths if _of(run, p)] if comm.rank == 0 else None)
    if not paths:
        raise InputError(f"{folder}: no checkpoint to restart from; leave --restart out to begin anew")
    # the last candidate is not caught: its error tells that nothing is left to try
    for path in paths[:-1]:
        try:
            return path, _load(run, path, folder)
        except InputError as problem:
            if comm.rank == 0:
                run.ctx.log.warn(f"{problem}; trying the one before")
    return paths[-1], _load(run, paths[-1], folder)


def _of(run: Restartable, path: Path) -> bool:
    """Return whether a checkpoint is of this run's own past, as far as its seal tells (one rank)."""
    return run.lineage.owns(checkpoint.line_of(path), checkpoint.step_of(path))


def _leave(run: Restartable, path: Path, folder: Path, earlier: Lineage) -> None:
    """Set later checkpoints of the run folder aside, and note which run this is from here on. Collective."""
    comm = run.ctx.comm
    found = checkpoint.candidates(folder, comm)
    later = [p for p in found if checkpoint.step_of(p) > run.steps and p != path]
    elsewhere = comm.bcast(path.resolve().parent != folder.resolve() if comm.rank == 0 else None)
    run.lineage = earlier.branch(run.steps, comm) if later or elsewhere or not earlier.name else earlier
    if not later or run.dry:
        return
    places: list[Path] = []
    on_root(comm, lambda: places.append(set_aside(folder, later)))
    names = ", ".join(p.name for p in reversed(later))
    if comm.rank == 0:
        run.ctx.log.info(
            f"later checkpoints ({names}) were moved to {places[0]}, "
            "with the histories and fields as they were"
        )


def _same_memory(path: Path, content: checkpoint.Content, layout: Mapping[Key, Any]) -> None:
    """Refuse a checkpoint that remembers other internal variables than the run."""
    held = fields_of("internal", map(Key.parse, content.sets))
    here = fields_of("internal", layout)
    for names, whose, lacks in ((held, "checkpoint", here), (here, "run", held)):
        other = "run" if whose == "checkpoint" else "checkpoint"
        if found := [name for name in names if name not in lacks]:
            raise InputError(
                f"{path}: the {whose} has internal variables {', '.join(found)}, which the {other} lacks; "
                f"{checkpoint.REMEDY}"
            )


def _same_width(path: Path, key: Key, width: int, layout: Mapping[Key, Any]) -> None:
    """Refuse an array with another number of components than the run's of the same field."""
    needed = layout[key].components if key in layout else width
    if width != needed:
        raise InputError(
            f"{path}: the checkpoint belongs to another model ({key.field} has {width} numbers per point, "
            f"the run needs {needed})"
        )


def _load(run: Restartable, path: Path, folder: Path) -> list[str]:
    """Restore the run from one file; return how the deck differs."""
    about = checkpoint.about(path, run.ctx.comm)
    try:
        run.expect(about.facts["run"])
        layout = run.layout()
        spaces = {space.key: space for space in layout.values()}
        return _taken(run, path, folder, about, layout, spaces)
    # every rank has the same facts, and fails with them at the same place
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(
            f"{path}: the checkpoint does not tell what a restart needs ({type(error).__name__}: {error})"
        ) from error


def _taken(
    run: Restartable, path: Path, folder: Path, about: checkpoint.Content, layout: Mapping[Key, Any],
    spaces: Mapping[str, Any],
) -> list[str]:  # fmt: skip
    """Restore the run from a file whose header is known; return how the deck differs."""
    _same_memory(path, about, layout)
    require_same_mesh(path, about.facts.get("places", {}), spaces)
    ids = {key: space.names()[: space.n_owned] for key, space in spaces.items()}
    content = checkpoint.read(path, run.ctx.comm, ids, about)
    arrays = {}
    for name, owned in content.arrays.items():
        key = Key.parse(name)
        _same_width(path, key, owned.shape[1], layout)
        space = spaces[content.sets[name]]
        array = np.zeros((space.n_local, owned.shape[1]))
        array[: space.n_owned] = owned
        # ghosts come from their owners, so that a row is read by one rank only
        space.halo.forward(array)
        arrays[key] = array
    meta, deck, earlier = content.facts["run"], content.facts["deck"], Lineage.of(content.facts)
    run.restore_state(meta, arrays)
    _leave(run, path, folder, earlier)
    return [*_other_file(content.facts, run), *changes(deck, run.deck.plain()["data"])]


def _sum(run: Restartable) -> str:
    """Return the sum of the mesh's file, empty without one."""
    return "" if run.mesh is None else run.mesh.sha256


def _other_file(facts: Mapping[str, Any], run: Restartable) -> Iterator[str]:
    """Yield that the mesh's file is another one, though its points are the same."""
    before, now = facts.get("mesh_sum", ""), _sum(run)
    if before and now and before != now:
        yield f"mesh.file: another file with the same points, sum {before[:16]}… -> {now[:16]}…"


def deck_hash(deck: Any) -> str:
    """Return a short hash of a deck's data that does not depend on the order of keys."""
    return hashlib.sha256(json.dumps(deck, sort_keys=True, default=str).encode()).hexdigest()[:16]
