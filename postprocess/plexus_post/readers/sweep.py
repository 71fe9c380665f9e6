"""Sweeps: all members of a sweep folder as one table, one HDF5 file, one CSV file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.fileformat import FORMAT_VERSION, META, PARTIAL, PROGRESS, SUMMARY, SWEEP, shown
from plexus_post.errors import PostError
from plexus_post.readers.plain import SUMMARY_SHAPE, SWEEP_SHAPE, read_json
from plexus_post.text import number
from plexus_post.units import words

if TYPE_CHECKING:
    import pandas

COSTS = ("wall_seconds", "peak_memory_mb", "unknowns", "steps", "iterations")
"""What a run took; gathered beside the quantities."""
UNITS = {"wall_seconds": "s", "peak_memory_mb": "MB"}
STATES = ("member", "status", "exit_code", "message")
"""Columns that every table has."""
LONG = 24
"""A value with more characters is told only where nothing else tells two blocks apart."""
GOOD = ("done", "degraded")
"""States whose numbers count; the others may have stopped anywhere."""
FORMATS = ("h5", "csv")


@dataclass(frozen=True)
class Parameter:
    """What varies: deck path, short name, unit, and the value of each member.

    ``values`` is (N,) floats, NaN where a member leaves the value to the deck, or (N,) texts.
    """

    path: str
    name: str
    unit: str
    values: np.ndarray

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.values.dtype.kind == "f"

    @cached_property
    def named(self) -> dict[str, str]:
        """Text of each different value -> what tables and pictures call it; blocks of the deck get short."""
        texts = [str(v) for v in np.unique(self.values)]
        blocks = {t: b for t in texts if (b := _block(t))}
        return {t: t for t in texts} | _briefly({t: b for t, b in blocks.items() if "type" in b})

    @property
    def shown(self) -> list[Any]:
        """Value of each member as a table has it."""
        return self.values.tolist() if self.numeric else [self.named[v] for v in self.values.tolist()]

    @property
    def varies(self) -> bool:
        """Whether there are at least two values."""
        return len(np.unique(self.values)) > 1


def is_sweep(path: str | Path) -> bool:
    """Return whether a path is a sweep folder or its ``sweep.json``."""
    place = Path(path)
    return (place / SWEEP).is_file() or (place.is_file() and place.name == SWEEP)


def gather(path: str | Path) -> pandas.DataFrame:
    """Return one row per member: parameters, ranks, status, exit code, message, costs, quantities.

    ``attrs["units"]`` holds the units of parameters, costs and quantities.
    """
    return Sweep(path).frame()


class Sweep:
    """The members of a sweep and what they found.

    Parameters
    ----------
    path
        The sweep folder, or its ``sweep.json``.

    Raises
    ------
    PostError
        If there is no readable ``sweep.json``.
    """

    def __init__(self, path: str | Path):
        self.folder = Path(path).parent if Path(path).name == SWEEP else Path(path)
        file = self.folder / SWEEP
        version = read_json(file, {}).get("format")
        if version is None:
            raise PostError(f"{file}: not readable (no sweep of ours)")
        if version != FORMAT_VERSION:
            raise PostError(f"{file}: written by another version of Plexus")
        self.facts = read_json(file, SWEEP_SHAPE)
        self.entries: list[dict[str, Any]] = self.facts["members"]
        for entry in self.entries:
            if entry["folder"] in ("", ".", "..") or Path(entry["folder"]).name != entry["folder"]:
                raise PostError(f"{file}: member {entry['index']} is in another folder, {entry['folder']!r}")
        for column in self.facts["columns"]:
            given = column["numbers"]
            if given is not None and not (
                len(given) == len(self.entries)
                and all(v is None or isinstance(v, int | float) for v in given)
            ):
                raise PostError(f"{file}: {column['name']} has not one number for each member")

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.entries)

    @property
    def title(self) -> str:
        """Title of the deck."""
        return shown(str(self.facts.get("title") or self.folder.resolve().name))

    @cached_property
    def parameters(self) -> list[Parameter]:
        """What varies, in the deck's order; ranks last."""
        found: list[Parameter] = []
        taken = {*STATES, "ranks"}
        for column in self.facts["columns"]:
            if column["numbers"] is None:
                own = [entry["values"].get(column["path"]) for entry in self.entries]
                values = np.array(
                    ["" if v is None else v if isinstance(v, str) else json.dumps(v) for v in own]
                )
            else:
                values = np.array([np.nan if v is None else v for v in column["numbers"]], dtype=float)
            # the last part of a deck path may be that of another, or a column that every table has
            name = column["path"] if column["name"] in taken else column["name"]
            taken.add(name)
            found.append(Parameter(column["path"], name, column["unit"], values))
        if any(entry["ranks"] for entry in self.entries):
            ranks = np.array([entry["ranks"] or np.nan for entry in self.entries], dtype=float)
            found.append(Parameter("ranks", "ranks", "", ranks))
        return found

    @property
    def labels(self) -> list[str]:
        """What each member has of its own, e.g. ``order 2, closure bingham``."""
        shown = [p for p in self.parameters if p.varies]
        return [
            ", ".join(f"{words(p.name)} {number(v)}" for p in shown for v in [p.shown[i]]) or entry["folder"]
            for i, entry in enumerate(self.entries)
        ]

    @cached_property
    def summaries(self) -> list[dict[str, Any]]:
        """``summary.json`` of each member; empty where there is none."""
        return [read_json(self.folder / entry["folder"] / SUMMARY, SUMMARY_SHAPE) for entry in self.entries]

    @cached_property
    def status(self) -> list[str]:
        """State of each member; ``waiting`` if it was never begun, ``unfinished`` if its end is not known."""
        begun = [(self.folder / entry["folder"] / PROGRESS).exists() for entry in self.entries]
        return [
            str(s.get("status")) if s else "unfinished" if b else "waiting"
            for s, b in zip(self.summaries, begun, strict=True)
        ]

    @property
    def exit_codes(self) -> list[int | None]:
        """Exit code of each member, None before its end."""
        return [s.get("exit_code") for s in self.summaries]

    @property
    def messages(self) -> list[str]:
        """Why a member failed; empty for the others."""
        return [str(s.get("message") or "") for s in self.summaries]

    @cached_property
    def good(self) -> np.ndarray:
        """Which members are done (N,)."""
        return np.array([s in GOOD for s in self.status])

    @cached_property
    def quantities(self) -> dict[str, np.ndarray]:
        """Quantity -> final value of each member (N,); NaN where a member is not done."""
        kept = [
            (s.get("quantities") or {}) if g else {} for s, g in zip(self.summaries, self.good, strict=True)
        ]
        return {
            n: np.array([_number(k.get(n)) for k in kept]) for n in dict.fromkeys(n for k in kept for n in k)
        }

    @cached_property
    def result_units(self) -> dict[str, str]:
        """Units of costs and quantities by name; empty texts where there is none."""
        found = {name: UNITS.get(name, "") for name in COSTS}
        for summary in self.summaries:
            found |= {n: str(u) for n, u in (summary.get("units") or {}).items()}
        return found

    @cached_property
    def units(self) -> dict[str, str]:
        """Units of the columns of the table by name; empty texts where there is none."""
        found = {shown: self.result_units.get(n, "") for n, shown in self.result_names.items()}
        return found | {p.name: p.unit for p in self.parameters}

    @cached_property
    def result_names(self) -> dict[str, str]:
        """Cost or quantity -> its column: a quantity may be called like a parameter or a state."""
        taken = {*STATES, *(p.name for p in self.parameters)}
        found = {}
        for name in {**self.costs, **self.quantities}:
            shown = name
            while shown in taken:
                shown += " (result)"
            taken.add(shown)
            found[name] = shown
        return found

    @cached_property
    def costs(self) -> dict[str, np.ndarray]:
        """Name from `COSTS` -> value of each member (N,)."""
        return {n: np.array([_number(_cost(s, n)) for s in self.summaries]) for n in COSTS}

    def column(self, name: str) -> np.ndarray:
        """Return a quantity or a cost by name (N,).

        Raises
        ------
        PostError
            If there is no such column.
        """
        known = {**self.costs, **self.quantities}
        if name not in known:
            raise PostError(f"{self.folder}: no quantity {name!r}; there are {', '.join(known)}")
        return known[name]

    def columns(self) -> dict[str, Sequence[Any]]:
        """Return the whole table, column by column."""
        out: dict[str, Sequence[Any]] = {"member": [entry["index"] for entry in self.entries]}
        out |= {p.name: p.values.tolist() for p in self.parameters}
        out |= {"status": self.status, "exit_code": self.exit_codes, "message": self.messages}
        return out | {self.result_names[n]: v.tolist() for n, v in {**self.costs, **self.quantities}.items()}

    def frame(self) -> pandas.DataFrame:
        """Return the table as pandas has it, indexed by member."""
        import pandas

        frame = pandas.DataFrame(self.columns()).set_index("member")
        frame.attrs["units"] = self.units
        return frame

    def write(self, target: Path) -> None:
        """Write the table; the suffix chooses the format, ``.h5`` or ``.csv``.

        Raises
        ------
        PostError
            If the suffix is another one, or the file cannot be written.
        """
        suffix = target.suffix.lstrip(".")
        if suffix not in FORMATS:
            raise PostError(f"{target}: unknown format .{suffix}; of a sweep there are {', '.join(FORMATS)}")
        partial = target.with_name(target.name + PARTIAL)
        try:
            (self._csv if suffix == "csv" else self._hdf5)(partial)
            os.replace(partial, target)
        except OSError as error:
            raise PostError(f"{target}: {error.strerror or error}") from None

    def _csv(self, target: Path) -> None:
        columns = self.columns()
        with target.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(columns)
            out.writerows(zip(*(map(_cell, values) for values in columns.values()), strict=True))

    def _hdf5(self, target: Path) -> None:
        """Write groups ``parameters``, ``quantities`` and ``costs``; states beside them."""
        import h5py

        with h5py.File(target, "w") as file:
            meta = file.create_group(META)
            meta.attrs["format_version"], meta.attrs["kind"] = FORMAT_VERSION, np.bytes_("sweep")
            for name in ("deck", "title", "mode"):
                meta.attrs[name] = str(self.facts.get(name, ""))
            file["member"] = np.array([entry["index"] for entry in self.entries])
            file["exit_code"] = np.array([-1 if c is None else c for c in self.exit_codes])
            for name, texts in (("status", self.status), ("message", self.messages)):
                file.create_dataset(name, data=list(texts), dtype=h5py.string_dtype())
            for p in self.parameters:
                how = {} if p.numeric else {"dtype": h5py.string_dtype()}
                place = f"parameters/{p.name.replace('/', '_')}"
                while place in file:
                    place += "_"
                data = file.create_dataset(place, data=p.values if p.numeric else p.values.tolist(), **how)
                data.attrs["path"], data.attrs["unit"] = p.path, p.unit
            for group, columns in (("quantities", self.quantities), ("costs", self.costs)):
                for name, values in columns.items():
                    data = file.create_dataset(f"{group}/{name}", data=values)
                    data.attrs["unit"] = self.result_units.get(name, "")


def _cell(value: Any) -> Any:
    """Return a value as CSV has it."""
    if isinstance(value, float):
        return "" if np.isnan(value) else repr(value)
    return "" if value is None else value


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def _cost(summary: dict[str, Any], name: str) -> Any:
    if name == "iterations":
        solver = summary.get("solver") or {}
        return sum(s.get("total") or 0 for s in solver.values()) if solver else None
    return summary.get(name)


def _briefly(blocks: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return a short name for each of different blocks: its type, and what tells it from others of that type.

    File names and hashes come last: they are taken only where nothing else differs.
    """
    found = {}
    for text, block in blocks.items():
        alike = [b for t, b in blocks.items() if t != text and b["type"] == block["type"]]
        parts = [str(block["type"])]
        for key in sorted(block, key=lambda k: len(str(block[k])) > LONG):
            if not alike:
                break
            if any(b.get(key) != block[key] for b in alike):
                parts.append(f"{words(key)} {_briefest(block[key], [b.get(key) for b in alike])}")
                alike = [b for b in alike if b.get(key) == block[key]]
        # another block may hold all of this one and more
        found[text] = ", ".join(parts) if not alike else text
    return found


def _briefest(value: Any, others: list[Any]) -> str:
    """Return the text of a value; of a file its bare name, where no other file has the same."""
    if not isinstance(value, str) or "/" not in value:
        return number(value)
    name = Path(value).stem
    return value if any(other != value and Path(str(other)).stem == name for other in others) else name


def _block(text: str) -> dict[str, Any]:
    """Return the block of a deck that a text is, empty if it is none."""
    try:
        found = json.loads(text) if text.startswith("{") else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
