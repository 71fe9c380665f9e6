"""``plexus-post info`` of a sweep: what varied, its members, what failed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from plexus.fileformat import shown
from plexus_post.readers.sweep import Parameter, Sweep
from plexus_post.text import table
from plexus_post.units import short


def show(sweep: Sweep) -> None:
    """Print a sweep: what varied, every member, what failed and why."""
    counts = Counter(sweep.status)
    print(sweep.title)
    print(f"  {'folder':<12} {shown(str(sweep.folder))}")
    print(f"  {'deck':<12} {shown(str(sweep.facts['deck']))}")
    states = ", ".join(f"{n} {state}" for state, n in counts.most_common())
    print(f"  {'members':<12} {len(sweep)}, {sweep.facts['mode']}: {states}")
    varied = [(p.name, p.path, p.unit, *_span(p)) for p in sweep.parameters]
    table("Parameters", ("name", "deck path", "unit", "values", "from", "to"), varied)
    columns = sweep.columns() | {p.name: p.shown for p in sweep.parameters}
    varied_names = [p.name for p in sweep.parameters]
    results = [sweep.result_names[n] for n in sweep.quantities]
    names = [n for n in ("member", *varied_names, "status", "wall_seconds", *results) if n in columns]
    rows = list(zip(*(map(_shown, columns[n]) for n in names), strict=True))
    units = {n: short(sweep.units.get(n, "")) for n in names}
    table("Members", [f"{n} [{units[n]}]" if units[n] else n for n in names], rows)
    bad = [i for i, s in enumerate(sweep.status) if s == "failed"]
    told = [(i, sweep.exit_codes[i], (sweep.messages[i].splitlines() or [""])[0]) for i in bad]
    table("Failed", ("member", "exit code", "message"), told)


def _span(parameter: Parameter) -> tuple[Any, ...]:
    """Return number of different values, first and last of them."""
    values = np.unique(
        parameter.values[~np.isnan(parameter.values)] if parameter.numeric else np.array(parameter.shown)
    )
    return len(values), *(v.item() if len(values) else None for v in (values[:1], values[-1:]))


def _shown(value: Any) -> Any:
    """Return a value for the table: nothing for NaN, whole numbers without a point."""
    if isinstance(value, float):
        return None if np.isnan(value) else int(value) if value.is_integer() and abs(value) < 1e9 else value
    return value
