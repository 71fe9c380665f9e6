"""Files that were damaged or tampered with, and a look at what becomes of them, in a process of its own.

``PLEXUS_DAMAGES`` is the number of damaged files of each kind (default 150), ``PLEXUS_SEED`` repeats them.
As a program, ``python damage.py KIND FILE``, it reads names, and answers each with ``refused TEXT``,
``same``, ``OTHER`` or ``TRACEBACK ...``; if it dies, the file whose name it has read last killed it.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import select
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

DAMAGES = int(os.environ.get("PLEXUS_DAMAGES", "150"))
SEED = int(os.environ.get("PLEXUS_SEED", "20261129"))
PAGE = 4096
PATIENCE = 900.0
"""Seconds for one file; a reader that takes longer hangs."""


# damage to bytes


def flipped(raw: bytearray, dice: random.Random) -> None:
    """Flip bits here and there."""
    for _ in range(dice.choice((1, 1, 1, 2, 8, 64))):
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)


def flipped_in_front(raw: bytearray, dice: random.Random) -> None:
    """Flip bits of headers, where HDF5 keeps most of its own."""
    for _ in range(dice.choice((1, 2, 8))):
        raw[dice.randrange(min(len(raw), 3000))] ^= 1 << dice.randrange(8)


def paged(raw: bytearray, dice: random.Random) -> None:
    """Lose a page, or get it from elsewhere in the file."""
    start = dice.randrange(-(-len(raw) // PAGE)) * PAGE
    size = min(PAGE, len(raw) - start)
    other = dice.randrange(len(raw) - size + 1)
    page = dice.choice((bytes(size), b"\xff" * size, dice.randbytes(size), bytes(raw[other : other + size])))
    raw[start : start + size] = page


def spotted(raw: bytearray, dice: random.Random) -> None:
    """Overwrite some bytes."""
    start, size = dice.randrange(len(raw)), dice.choice((1, 8, 64, 512))
    raw[start : start + size] = dice.randbytes(len(raw[start : start + size]))


def cut(raw: bytearray, dice: random.Random) -> None:
    """Cut the end, the beginning, or a piece out of the middle."""
    size = min(len(raw), dice.choice((1, 8, 512, PAGE, dice.randrange(1, len(raw) + 1))))
    start = dice.choice((len(raw) - size, 0, dice.randrange(len(raw) - size + 1)))
    del raw[start : start + size]


def grown(raw: bytearray, dice: random.Random) -> None:
    """Add bytes at the end or in the middle."""
    start = dice.choice((len(raw), dice.randrange(len(raw))))
    raw[start:start] = dice.randbytes(dice.choice((1, 8, 512, PAGE)))


def lined(raw: bytearray, dice: random.Random) -> None:
    """Lose, repeat or swap lines of a text, or change a digit."""
    lines = bytes(raw).split(b"\n")
    a, b = dice.randrange(len(lines)), dice.randrange(len(lines))
    way = dice.randrange(4)
    if way == 0:
        del lines[a]
    elif way == 1:
        lines.insert(a, lines[b])
    elif way == 2:
        lines[a], lines[b] = lines[b], lines[a]
    else:
        digits = [i for i, byte in enumerate(raw) if 48 <= byte < 58]
        where = dice.choice(digits)
        raw[where] = dice.choice([byte for byte in b"0123456789-.e " if byte != raw[where]])
        return
    raw[:] = b"\n".join(lines)


def sectioned(raw: bytearray, dice: random.Random) -> None:
    """Lose, repeat or swap sections of a mesh of Gmsh."""
    parts = re.split(rb"(?<=\n)(?=\$[A-Z])(?!\$End)", bytes(raw))
    a, b = dice.randrange(len(parts)), dice.randrange(len(parts))
    way = dice.randrange(3)
    if way == 0:
        del parts[a]
    elif way == 1:
        parts.insert(a, parts[b])
    else:
        parts[a], parts[b] = parts[b], parts[a]
    raw[:] = b"".join(parts)


BYTES = (flipped, flipped_in_front, paged, spotted, cut, grown)
OWN = {"text mesh": (lined, lined, lined, sectioned), "binary mesh": (sectioned,)}
"""Kind of file -> further damage that it has."""


# tampering through HDF5


def tampered(path: Path, dice: random.Random, elsewhere: Path) -> None:
    """Change shapes, kinds, links and attributes of an HDF5 file through its library."""
    import h5py

    with h5py.File(path, "r+", locking=False) as file:
        found: list[str] = []
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
        name = dice.choice(sorted(found))
        dice.choice(TAMPERS)(file, name, dice, elsewhere)


def _gone(file: Any, name: str, dice: random.Random, elsewhere: Path) -> None:
    del file[name]


def _reshaped(file: Any, name: str, dice: random.Random, elsewhere: Path) -> None:
    attributes, values = dict(file[name].attrs), file[name][()]
    del file[name]
    made = dice.choice(([0.0] * 7, [[0.0]], [], 3.0, b"text", [[[1]]]))
    file[name] = made if dice.random() < 0.7 or getattr(values, "ndim", 0) == 0 else values[:-1]
    file[name].attrs.update(attributes)


def _retyped(file: Any, name: str, dice: random.Random, elsewhere: Path) -> None:
    attributes, values = dict(file[name].attrs), file[name][()]
    if getattr(values, "dtype", None) is not None and values.dtype.kind in "iuf":
        del file[name]
        file[name] = values.astype(dice.choice(("f4", "i4", "u1", "c16", "f2", ">f8")))
        file[name].attrs.update(attributes)
    else:
        file[name].attrs["unit"] = dice.choice((3, b"\xff\xfe", [1.0, 2.0]))


def _linked(file: Any, name: str, dice: random.Random, elsewhere: Path) -> None:
    import h5py

    del file[name]
    file[name] = dice.choice(
        (h5py.ExternalLink(str(elsewhere), name), h5py.SoftLink(f"/{name}"), h5py.SoftLink("/nowhere"),
         h5py.ExternalLink("nowhere.h5", "/"))
    )  # fmt: skip


def _external(file: Any, name: str, dice: random.Random, elsewhere: Path) -> None:
    import h5py

    values, attributes = file[name][()], dict(file[name].attrs)
    shape, dtype = getattr(values, "shape", ()), getattr(values, "dtype", "S8")
    del file[name]
    if dice.random() < 0.5 and shape:
        layout = h5py.VirtualLayout(shape, dtype)
        layout[:] = h5py.VirtualSource(str(elsewhere), name, shape)
        file.create_virtual_dataset(name, layout)
    else:
        file.create_dataset(name, shape or (1,), dtype, external=[(str(elsewhere), 0, h5py.h5f.UNLIMITED)])
    file[name].attrs.update(attributes)


def _attributed(file: Any, name: str, dice: random.Random, elsewhere: Path) -> None:
    place = file[dice.choice((name, "/plexus" if "/plexus" in file else "/"))]
    keys = sorted(place.attrs)
    if keys and dice.random() < 0.5:
        del place.attrs[dice.choice(keys)]
    else:
        place.attrs[dice.choice(["kind", "crc", "format_version", "checksum"])] = dice.choice(
            (99, -1, b"other", [1, 2], 1.5)
        )


def _looped(file: Any, name: str, dice: random.Random, elsewhere: Path) -> None:
    group = file[name].parent
    group["loop"] = file[dice.choice(("/", group.name))]


TAMPERS = (_gone, _reshaped, _retyped, _linked, _external, _attributed, _looped)


def damaged(
    source: Path, copy: Path, dice: random.Random, elsewhere: Path | None, more: Sequence[Any] = ()
) -> str:
    """Write a damaged copy of a file and return how it was damaged; its bytes differ from the source's."""
    raw = source.read_bytes()
    while True:
        if elsewhere is not None and dice.random() < 0.25:
            copy.write_bytes(raw)
            tampered(copy, dice, elsewhere)
            how = "tampered"
        else:
            way = dice.choice((*BYTES, *more))
            changed = bytearray(raw)
            way(changed, dice)
            copy.write_bytes(changed)
            how = way.__name__
        if copy.read_bytes() != raw:
            return how


UNKNOWABLE = {
    "text mesh": ("OTHER-points", "OTHER-groups", "OTHER-cells-groups"),
    "binary mesh": ("OTHER-points", "OTHER-groups"),
}
"""Meshes of Gmsh have no sums: another digit of a coordinate, a name, or a node may make a mesh as good."""
NAMED = ", its sum in the deck"
"""Behind a kind of mesh: nothing but the file itself is taken."""


class Reader:
    """A process that reads files one after the other; started again when a file has killed it."""

    def __init__(self, kind: str, original: Path):
        self.command = [sys.executable, __file__, kind, str(original)]
        self.process: subprocess.Popen[str] | None = None

    def ask(self, path: Path) -> str:
        """Return what has become of a file."""
        if self.process is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen(self.command, text=True, **pipes)
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.process.kill()
            return "HANGS"
        answer = self.process.stdout.readline().strip()
        if not answer:
            answer, self.process = f"KILLED the reader ({self.process.wait()})", None
        return answer

    def close(self) -> None:
        """End the process."""
        if self.process is not None and self.process.stdin:
            self.process.stdin.close()
            self.process.wait()


def campaign(kind: str, source: Path, folder: Path, count: int, elsewhere: Path | None) -> Counter[str]:
    """Damage a file in many ways and return what became of it: how it was damaged and the outcome -> number.

    Raises
    ------
    AssertionError
        With how to repeat it, if a file was taken with another content, or neither taken nor refused.
    """
    reader, told = Reader(kind, source), Counter[str]()
    assert reader.ask(source) == "same"
    for n in range(count):
        path = folder / source.name
        dice = random.Random(f"{SEED} {kind} {n}")
        how = damaged(source, path, dice, elsewhere, OWN.get(kind.removesuffix(NAMED), ()))
        answer = reader.ask(path)
        told[f"{how}: {answer.split()[0]}"] += 1
        allowed = ("refused", "same", *UNKNOWABLE.get(kind, ()))
        assert answer.split()[0] in allowed, f"{kind} {n} of seed {SEED}, {how}: {answer}"
    reader.close()
    return told


# what reads


def _checkpoint(path: Path) -> Any:
    from mpi4py import MPI

    from plexus.io import checkpoint

    known = checkpoint.about(path, MPI.COMM_SELF)
    wanted = {key: np.arange(COUNTS[key]) for key in set(known.sets.values()) if key in COUNTS}
    content = checkpoint.read(path, MPI.COMM_SELF, wanted, known)
    return content.facts, content.sets, {k: a.tobytes() for k, a in content.arrays.items()}


COUNTS = {"nodes": 60, "points": 9}
"""Row sets of the checkpoint that is damaged, and their rows."""


def _bundle(path: Path) -> Any:
    from plexus.bundles import store

    found = store.load(path)
    pair = found.golden
    values = [found.weights] + ([pair.inputs, pair.outputs] if pair else [])
    return found.metadata, [{k: v.numpy().tobytes() for k, v in each.items()} for each in values]


def _training(path: Path) -> Any:
    from plexus.learning import memo

    facts, tensors = memo.read(path)
    return facts, {k: v.numpy().tobytes() for k, v in tensors.items()}


def _series(path: Path) -> Any:
    from plexus.errors import InputError
    from plexus.io.results import damaged
    from plexus.io.series import Series

    if told := damaged([path]):
        raise InputError(told[path])
    found = Series.resume(path, 10**9)
    return {t: {n: repr(list(c)) for n, c in columns.items()} for t, columns in found.tables.items()}


def _fields(path: Path) -> Any:
    from plexus.errors import InputError
    from plexus.io.results import damaged
    from plexus.io.vtkhdf_layout import read_layout

    if told := damaged([path]):
        raise InputError(told[path])
    read_layout(path)
    # the numbers of pictures carry no digest
    return "a layout that fits"


def _mesh(path: Path, sha256: str | None = None) -> Any:
    from plexus.mesh.alone import Alone
    from plexus.mesh.sources.gmsh import Gmsh, GmshParams
    from plexus.mesh.sources.hdf5 import Hdf5, Hdf5Params

    given = {"file": str(path), "sha256": sha256}
    ours = path.suffix == ".h5"
    source = Hdf5(Hdf5Params(**given)) if ours else Gmsh(GmshParams(**given))
    assert source.look().mesh is not None
    mesh: Any = source.build(Alone())
    # the order of the elements in the file does not matter
    cells = [tuple(row) for row in np.sort(mesh.point_ids[mesh.cells], axis=1).tolist()]
    named = {}
    for name, rows in (mesh.regions | mesh.boundaries | mesh.skeleton).items():
        parts = mesh.cells[rows] if rows.ndim == 1 else mesh.vertices[rows[:, 0]]
        corners = mesh.reference.facets
        if rows.ndim > 1 and name in mesh.boundaries:
            parts = np.take_along_axis(parts, corners[rows[:, 1]], axis=1)
        named[name] = sorted(map(tuple, np.sort(mesh.point_ids[parts], axis=1).tolist()))
    points = mesh.points[np.argsort(mesh.point_ids)].tolist()
    return {"cells": (mesh.cell, mesh.geometry_degree, sorted(cells)), "groups": named, "points": points}


READERS: dict[str, Callable[..., Any]] = {
    "checkpoint": _checkpoint, "unsealed": _checkpoint, "bundle": _bundle, "training": _training,
    "series": _series, "fields": _fields, "text mesh": _mesh, "binary mesh": _mesh, "our mesh": _mesh,
}  # fmt: skip


def _other(found: Any, whole: Any) -> str:
    """Return what is said of another content; of a mesh, what it is that differs."""
    if not (isinstance(whole, dict) and "cells" in whole):
        return "OTHER content"
    return "OTHER-" + "-".join(key for key in whole if found[key] != whole[key])


def _answers(kind: str, original: Path) -> Iterator[str]:
    from plexus.errors import InputError

    read = READERS[kind.removesuffix(NAMED)]
    if kind.endswith(NAMED):
        read = partial(_mesh, sha256=hashlib.sha256(original.read_bytes()).hexdigest())
    whole = read(original)
    for line in sys.stdin:
        try:
            found = read(Path(line.strip()))
            yield "same" if found == whole else _other(found, whole)
        except InputError as error:
            yield "refused " + " ".join(str(error).split())
        except BaseException as error:
            yield f"TRACEBACK {type(error).__name__} {' '.join(traceback.format_exc().split())[-400:]}"


if __name__ == "__main__":
    for answer in _answers(sys.argv[1], Path(sys.argv[2])):
        print(answer, flush=True)
