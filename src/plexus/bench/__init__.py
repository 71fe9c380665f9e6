"""``plexus bench``: measured numbers beside their bounds and peers, as a table and as JSON.

A benchmark is a module of this package with a function ``run() -> list[Row]``. Some measure only what is
named after a colon, ``plexus bench active_fluid:AF21,AF28``: their function takes the names.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

BENCHES = ("startup", "assembly", "poisson", "output", "scale", "fft", "device", "closure", "active_fluid")
FOLDER = Path("runs/bench")


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

    unknown = [n for n in names if n.partition(":")[0] not in BENCHES]
    if unknown:
        raise InputError(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHES)}")
    for name in names or BENCHES:
        # a benchmark imports what it measures only when its turn comes
        print(f"== {name}", flush=True)
        module, _, items = name.partition(":")
        rows = import_module(f"plexus.bench.{module}").run(*filter(None, items.split(",")))
        print(table(rows), flush=True)
        with storage_errors(FOLDER):
            FOLDER.mkdir(parents=True, exist_ok=True)
            content = {"machine": machine(), "rows": [vars(r) for r in rows]}
            (FOLDER / f"{name.replace(':', '.')}.json").write_text(
                json.dumps(content, indent=2, ensure_ascii=False) + "\n"
            )
    return 0
