"""Names inside the files that Plexus writes, and what is read of them; shared with ``plexus_post``.

This module imports nothing of ours, so that results can be read where there is no MPI, PETSc or torch.
"""

from __future__ import annotations

import math
import os
import stat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMAT_VERSION = 1
"""Raised when a reader of the previous version would misread a file."""

META = "/plexus"
"""Group beside ``/VTKHDF`` (and root of our own files) that holds metadata and provenance."""

DECK, SUMMARY, PROGRESS, LOG = "deck.yaml", "summary.json", "progress.json", "log.txt"
LOG_VIEW = "log_view.txt"
"""PETSc's own log with a stage per phase, on request."""
LOCK = ".lock"
"""Locked by the process that writes into a run folder, for as long as it lives; holds its host's name."""
MARK = ".plexus"
"""Makes a folder one of Plexus; holds the patterns of the names that were written there, one per line."""
EFFECTIVE = "# effective deck of "
"""How `DECK` begins."""
FIELDS, XDMF, SERIES = "fields.vtkhdf", "fields.xdmf", "series.h5"
CHECKPOINT = "checkpoint_{step:08d}.h5"
TRAINING = "training.safetensors"
"""The checkpoint of a training."""
CALIBRATION = "calibration.h5"
"""Controls that were fitted, and what is known of them."""
DRAWS = "draws"
"""Table of a campaign, in the file of histories: a row per draw."""
DRAW = ("draw", "trained", "failed", "indicator", "beyond", "newton", "outside")
"""What such a row tells beside its figures."""
MODES = ".modes.vtkhdf"
"""Ending of the file beside a reduced model that shows its modes, one per time."""
FACTS = ".json"
"""Ending of the file beside a reduced model that tells what it was made of."""
DATA = "data-{}.h5"
"""What trainings learn from, named by the hash of all that it depends on."""
SWEEP, MEMBER = "sweep.json", "member_{index:04d}"
"""What a sweep consists of, and the folder of each of its runs."""
SEAL = b"Plexus sealed file, version 1\n"
"""First bytes of a checkpoint; its digest follows."""
PARTIAL = ".partial"
"""Suffix of a file that is still being written; a rename removes it when the file is complete."""

NOT_FINITE = "not_finite"
"""Entry of JSON files that tells where a number is infinite or none: ``[{"at": [...], "value": "nan"}]``."""
MOST_ANSWERED = 0.1
"""Share of a validation that the fallback may answer, beyond which it does not judge the trained part."""

KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
"""What a name may stand for that is no file."""
WHITE = "\n\t\xa0\u2009\u202f"
"""White space that may be shown as it is."""
OBJECTS = 100_000
"""More groups and datasets than any HDF5 file of ours has."""


class Unsound(Exception):
    """Something in an HDF5 file that is not read; the message does not name the file."""


def shown(text: str, white: str = WHITE) -> str:
    """Return a text that may be written to a terminal: whatever could control it is escaped.

    Titles, names and messages of decks, meshes and results come from others.
    """
    if text.isprintable():
        return text
    harmless = (c if c.isprintable() or c in white else c.encode("unicode_escape").decode() for c in text)
    return "".join(harmless)


def special(path: str | os.PathLike[str]) -> str | None:
    """Return what a path names if it is neither a file nor missing: whoever opens it may wait for ever."""
    try:
        return KINDS.get(stat.S_IFMT(os.stat(path).st_mode))
    except (OSError, ValueError):
        return None


def checksum(tables: Mapping[str, Mapping[str, Any]], units: Mapping[str, Mapping[str, str]]) -> int:
    """Return the CRC-32 of tables of columns, (n,) numbers each, with their names and units."""
    import zlib

    import numpy as np

    found = 0
    for table, columns in sorted(tables.items()):
        for name, column in sorted(columns.items()):
            words = f"{table}/{name} {units.get(table, {}).get(name, '')} {len(column)}".encode()
            # NaN has many forms, and a column of counts becomes whole numbers
            values = np.nan_to_num(np.asarray(column, dtype=float), nan=-1.5)
            found = zlib.crc32(values.tobytes(), zlib.crc32(words, found))
    return found


def to_json(content: dict[str, object]) -> dict[str, object]:
    """Return plain data with null in place of numbers that JSON does not know, told under `NOT_FINITE`."""
    found: list[dict[str, object]] = []

    def cleaned(value: object, at: tuple[object, ...]) -> object:
        if isinstance(value, dict):
            return {str(key): cleaned(part, (*at, str(key))) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [cleaned(part, (*at, i)) for i, part in enumerate(value)]
        if isinstance(value, float) and value - value != 0:
            found.append({"at": list(at), "value": str(value)})
            return None
        return value

    made = {key: cleaned(value, (key,)) for key, value in content.items() if key != NOT_FINITE}
    return made | {NOT_FINITE: found} if found else made


def from_json(content: dict[str, object]) -> dict[str, object]:
    """Return what `to_json` was given; the data are changed.

    Raises
    ------
    ValueError
        If an entry of `NOT_FINITE` does not fit the data.
    """
    try:
        for each in content.pop(NOT_FINITE, []):  # type: ignore[attr-defined]  # a list, or not ours
            at, place = list(each["at"]), content
            for key in at[:-1]:
                place = place[key]  # type: ignore[assignment]  # plain data, nested as they were written
            place[at[-1]] = float(each["value"])
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"{NOT_FINITE}: {error}") from None
    return content


def examine(h5py: Any, path: str | os.PathLike[str], kinds: str, packed: bool = False) -> None:
    """Read all that HDF5 needs to reach the numbers of a file, and the small parts themselves.

    Parameters
    ----------
    h5py
        The package. Who reads a deck imports this module, and must not wait for that one.
    path
        The file. HDF5 may crash or hang on a damaged one.
    kinds, packed
        As `require_plain` takes them.

    Raises
    ------
    Unsound
        If there is a link to elsewhere, an object twice, or a dataset that `require_plain` refuses. What HDF5
        itself fails on is raised as it is.
    """
    with h5py.File(path, "r", locking=False) as file:
        for name, item in _objects(h5py, file):
            for key in item.attrs:
                item.attrs[key]
            if isinstance(item, h5py.Dataset):
                require_plain(h5py, item, name, os.stat(path).st_size, kinds, packed)
                if item.ndim == 0 or item.chunks:
                    item[()]


def _objects(h5py: Any, file: Any) -> Iterator[tuple[str, Any]]:
    """Yield names and objects of a file; only what is in it, each once."""
    seen: set[int] = set()
    waiting = [("", file["/"])]
    while waiting:
        name, here = waiting.pop()
        address = h5py.h5o.get_info(here.id).addr
        if address in seen or len(seen) > OBJECTS:
            raise Unsound(f"{name or '/'} is there twice")
        seen.add(address)
        yield name, here
        for part in here if isinstance(here, h5py.Group) else ():
            if not isinstance(here.get(part, getlink=True), h5py.HardLink):
                raise Unsound(f"{name}/{part} is a link to elsewhere")
            waiting.append((f"{name}/{part}", here[part]))


def require_plain(h5py: Any, data: Any, key: str, size: int, kinds: str, packed: bool = False) -> None:
    """Refuse a dataset whose numbers are not inside the file of so many bytes.

    Parameters
    ----------
    h5py
        The package.
    data, key
        The dataset, and the name by which it is told.
    size
        Bytes of the file.
    kinds
        Kinds of numbers and texts, as NumPy names them, that are read.
    packed
        Whether numbers may be stored in another form than they have; where they are, their length in the file
        tells nothing.

    Raises
    ------
    Unsound
        If they are elsewhere, of another kind or form, or longer than the file.
    """
    plist = data.id.get_create_plist()
    if plist.get_external_count() or plist.get_layout() == h5py.h5d.VIRTUAL:
        raise Unsound(f"{key} has its numbers in another file")
    filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
    # sums of chunks change nothing about the numbers
    changed = filters - {h5py.h5z.FILTER_FLETCHER32}
    if (changed and not packed) or data.dtype.kind not in kinds or data.shape is None:
        raise Unsound(f"{key} holds {data.dtype}, which is not read")
    if packed and (filters or data.dtype.kind == "O"):
        return
    needed = math.prod(data.shape) * data.dtype.itemsize
    begin = data.id.get_offset() if plist.get_layout() == h5py.h5d.CONTIGUOUS else 0
    # a chunk may reserve more than is in use
    stored = data.id.get_storage_size()
    if needed and (begin is None or stored < needed or begin + stored > size):
        raise Unsound(f"{key} is longer than the file")
