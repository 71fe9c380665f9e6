"""``plexus bench``: measured numbers beside their bounds and peers, as a table and as JSON.

A benchmark is a module with a function ``run() -> list[Row]``. Those of this package measure the program in
general, those of `plexus.studies` one application each. Some measure only what is named after a colon,
``plexus bench active_fluid:AF21,AF28``: their function takes the names.
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

BENCHES = (
    "startup",
    "assembly",
    "poisson",
    "output",
    "scale",
    "fft",
    "device",
    "points",
    "adjoint",
    "constitutive",
    "dictionary",
    "rom",
    "offline",
    "linear",
    "operators",
    "experts",
)
STUDIES = "plexus.studies"
FOLDER = Path("runs/bench")


def benches() -> dict[str, str]:
    """Return name -> module of every benchmark: those of this package, then what each study adds.

    A study is a package below `plexus.studies`; its ``BENCHES`` names its benchmarks in the same way.
    """
    found = {name: f"{__name__}.{name}" for name in BENCHES}
    for study in pkgutil.iter_modules(import_module(STUDIES).__path__):
        found |= getattr(import_module(f"{STUDIES}.{study.name}"), "BENCHES", {})
    return found


def main(names: Sequence[str] = ()) -> int:
    """Run benchmarks, all of them without names; return 0 when they ran, whatever holds.

    Raises
    ------
    InputError
        If a name is unknown.
    OutputError
        If the results cannot be stored.
    """
    from plexus.bench.table import machine, table
    from plexus.errors import InputError
    from plexus.runtime.files import storage_errors

    known = benches()
    unknown = [n for n in names if n.partition(":")[0] not in known]
    if unknown:
        raise InputError(f"no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    with storage_errors(FOLDER):  # before anything is measured
        FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or known:
        # a benchmark imports what it measures only when its turn comes
        print(f"== {name}", flush=True)
        module, _, items = name.partition(":")
        rows = import_module(known[module]).run(*filter(None, items.split(",")))
        print(table(rows), flush=True)
        content = {"machine": machine(), "rows": [vars(r) for r in rows]}
        keep(stored(name), json.dumps(content, indent=2, ensure_ascii=False))
    return 0


def stored(name: str) -> Path:
    """Return the file of a benchmark's rows."""
    return FOLDER / f"{name.replace(':', '.').replace('/', '_')}.json"


def keep(path: Path, text: str) -> None:
    """Write a file of results; one of its name that was there stays until the new one is complete.

    Raises
    ------
    OutputError
        If the disk or the folder refuses.
    """
    from plexus.runtime.files import storage_errors, write_text

    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text + "\n")
