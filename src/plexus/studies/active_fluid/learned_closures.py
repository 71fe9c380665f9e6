"""The table of learned closures of the active fluid: accuracy a priori and in runs, stability, cost.

Items AF11 to AF20, AF22 and AF23 come from runs of Bingham's, the two-moment and the learned models beside
the kinetic truth, 64², four sets of constants, several seeds that training has not seen; AF21 from long
runs, AF28 from steps in turn, AF29 from runs at constants of no training. Beside what is learned stand its
unlearned rivals, the quadratic closure and three moments, as rows of the same runs.
``plexus bench active_fluid:AF21,AF28`` measures only what is named. All
numbers of all runs go into ``runs/bench/active_fluid_runs.json``.

AF14 and AF24 to AF27 are about training itself, see `plexus.studies.active_fluid.training`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plexus.bench.table import Row
from plexus.studies.active_fluid.lineup import BINGHAM, ONE_LEARNED, THREE, TWO, TWO_LEARNED, contenders

FOLDER = Path("runs/bench")
SEEDS = tuple(range(2, 10))
"""Of the runs beside the truth: over three seeds long-time spectra scatter as much as models differ."""
FEW = SEEDS[:3]
"""Of the items about training."""
LONG, COST, ADMISSIBLE, DRAWN = "AF21", "AF28", "AF15", "AF24"


def run(*chosen: str, seeds: Sequence[int] = SEEDS) -> list[Row]:
    """Measure the chosen items, all without a choice.

    Raises
    ------
    InputError
        If an item is unknown.
    """
    from plexus.errors import InputError
    from plexus.studies.active_fluid import items, rivals, stability, training
    from plexus.studies.active_fluid.cost import one_thread

    known = (*items.ITEMS, *training.ITEMS, LONG, COST, rivals.ITEM)
    for name in chosen:
        if name not in known:
            raise InputError(f"no item {name!r}; there are {', '.join(known)}")
    wanted = [n for n in known if n in (chosen or known)]
    with one_thread():
        rows = scored([n for n in wanted if n in items.ITEMS], seeds)
        rows += stability.admissible(seeds[0]) if ADMISSIBLE in wanted else []
        rows += stability.stability() if LONG in wanted else []
        for item in training.ITEMS:
            if item in wanted:
                found = training.ITEMS[item](FEW)
                rows += found if item == DRAWN else [_seeded(row, FEW) for row in found]
        rows += cost() if COST in wanted else []
        rows += rivals.rivals(FOLDER / "truths", say=_say) if rivals.ITEM in wanted else []
    return sorted(rows, key=lambda row: row.item[:4])


def scored(items: Sequence[str], seeds: Sequence[int]) -> list[Row]:
    """Return the rows of items that need runs beside the truth."""
    from plexus.studies.active_fluid.compare import SETS, compare
    from plexus.studies.active_fluid.contenders import Case
    from plexus.studies.active_fluid.items import ITEMS, Facts

    if not items:
        return []
    models = contenders()
    cases = [Case(*where, seed) for where in SETS for seed in seeds]
    scores = compare(list(models.values()), cases, FOLDER / "truths", say=_say)
    _write(FOLDER / "active_fluid_runs.json", scores.plain())
    facts, rows = Facts(scores, seeds, tuple(models)), []
    for item in items:
        make, needed = ITEMS[item]
        missing = [n for n in needed if n not in models]
        found = [Row(item, None, "", peer=f"no bundle of {missing[0]}")] if missing else make(facts)
        rows += [_seeded(row, seeds) for row in found]
    return rows


def _seeded(row: Row, seeds: Sequence[int]) -> Row:
    text = "; ".join(filter(None, [row.peer, f"seeds {' '.join(map(str, seeds))}"]))
    return Row(row.item, row.measured, row.unit, row.bound, row.holds, text)


def cost() -> list[Row]:
    """Return AF28: a step of a learned model over a step of Bingham's, in turn on one thread."""
    from plexus.studies.active_fluid.contenders import Case, usual
    from plexus.studies.active_fluid.cost import step_seconds

    models, case = contenders(), Case(seed=SEEDS[0])
    seconds = step_seconds(list(models.values()), case, usual(case))
    rows = []
    for name, base, bound, aim in (
        (ONE_LEARNED, BINGHAM, 4.0, 1.5), (TWO_LEARNED, TWO, None, None), (THREE, TWO, None, None),
    ):  # fmt: skip
        item = f"{COST} step of {name} / {base}"
        if name not in seconds:
            rows.append(Row(item, None, "x", bound, peer="no bundle"))
            continue
        ratio = seconds[name] / seconds[base]
        text = f"{1e3 * seconds[name]:.2f} ms, {base} {1e3 * seconds[base]:.2f} ms"
        if aim is not None:
            text += f"; aim {aim:g}: {'reached' if ratio <= aim else 'not reached'}"
        rows.append(Row(item, ratio, "x", bound, None if bound is None else ratio <= bound, text))
    return rows


def _write(path: Path, content: Any) -> None:
    from plexus.runtime.files import storage_errors

    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _say(text: str) -> None:
    print(f"  {text}", flush=True)
