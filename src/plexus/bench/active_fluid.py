"""The table of learned closures of the active fluid: accuracy a priori and in runs, stability, cost.

Items AF11 to AF20, AF22 and AF23 come from runs of Bingham's, the two-moment and the learned models beside
the kinetic truth, 64², four sets of constants, several seeds that training has not seen; AF21 from long
runs, AF28 from steps in turn. ``plexus bench active_fluid:AF21,AF28`` measures only what is named. All
numbers of all runs go into ``runs/bench/active_fluid_runs.json``.

AF14 and AF24 to AF27 are about training itself, see `plexus.bench.fluid_training`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.bench.table import Row

if TYPE_CHECKING:
    from plexus.learning.rollout import Contender

FOLDER = Path("runs/bench")
SEEDS = (2, 3, 4)
LONG, COST = "AF21", "AF28"
STEPS, STEP = 10_000, 0.01
STARTS = (11, 12, 13, 14)
"""Seeds of the long runs, one for each set of constants."""


def run(*chosen: str, seeds: Sequence[int] = SEEDS) -> list[Row]:
    """Measure the chosen items, all without a choice.

    Raises
    ------
    InputError
        If an item is unknown.
    """
    from plexus.bench import fluid_items, fluid_training
    from plexus.errors import InputError
    from plexus.learning.cost import one_thread

    known = (*fluid_items.ITEMS, *fluid_training.ITEMS, LONG, COST)
    for name in chosen:
        if name not in known:
            raise InputError(f"no item {name!r}; there are {', '.join(known)}")
    wanted = [n for n in known if n in (chosen or known)]
    with one_thread():
        rows = scored([n for n in wanted if n in fluid_items.ITEMS], seeds)
        rows += stability() if LONG in wanted else []
        for item in fluid_training.ITEMS:
            if item in wanted:
                rows += [_seeded(row, seeds) for row in fluid_training.ITEMS[item](seeds)]
        rows += cost() if COST in wanted else []
    return sorted(rows, key=lambda row: row.item[:4])


def contenders() -> dict[str, Contender]:
    """Return classical models and those of the bundles that are there, by the names of the table."""
    from plexus.bench import fluid_items
    from plexus.learning import shipped
    from plexus.learning.rollout import Contender

    learned = {fluid_items.ONE_LEARNED: shipped.spin(1), fluid_items.TWO_LEARNED: shipped.spin(2)}
    blocks = {name: c for name, c in learned.items() if c is not None}
    made = {name: Contender(name, c.order, c.block) for name, c in blocks.items()}
    for name, order, closure in (
        (fluid_items.BINGHAM, 1, "bingham"), (fluid_items.TWO, 2, "autoregressive"),
    ):  # fmt: skip
        made[name] = Contender(name, order, {"type": closure})
    return made


def scored(items: Sequence[str], seeds: Sequence[int]) -> list[Row]:
    """Return the rows of items that need runs beside the truth."""
    from plexus.bench.fluid_items import ITEMS, Facts
    from plexus.learning.compare import SETS, compare
    from plexus.learning.rollout import Case

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


def stability(steps: int = STEPS) -> list[Row]:
    """Return AF21: 10,000 steps from random starts, at the step of training and 1.5 times that."""
    from plexus.bench.fluid_items import ONE_LEARNED, TWO_LEARNED

    models, rows = contenders(), []
    for name in (ONE_LEARNED, TWO_LEARNED):
        for dt in (STEP, 1.5 * STEP):
            item = f"{LONG} {name}, {steps} steps of {dt:g}"
            rows += (
                _long(item, models[name], steps, dt)
                if name in models
                else [Row(item, None, "", peer="no bundle")]
            )
    return rows


def _long(item: str, model: Contender, steps: int, dt: float) -> list[Row]:
    """Return largest order and share of guarded cells over the four sets; neither may be reached at all."""
    from plexus.learning.compare import SETS, label
    from plexus.learning.rollout import Case, Setup, roll

    setup = Setup(dt=dt, end=steps * dt, every=50)
    found = {w: roll(Case(*w, seed), setup, model) for w, seed in zip(SETS, STARTS, strict=True)}
    order, guarded = ({w: f(t) for w, t in found.items()} for f in (_highest, lambda t: t.guarded))
    ends = {w: float(t.times[-1]) for w, t in found.items()}
    text = ", ".join(f"{label(w)} {v:.4f}" for w, v in order.items())
    late = [f"{label(w)} ended at t = {t:g}" for w, t in ends.items() if t < steps * dt * (1 - 1e-9)]
    aim = "aim" if dt > STEP else "must"
    worst, most = max(order.values()), max(guarded.values())
    shares = ", ".join(f"{label(w)} {v:.2g}" for w, v in guarded.items())
    seeds = f"{aim}; seeds {' '.join(map(str, STARTS))}"
    return [
        Row(
            f"{item}: largest r",
            worst,
            "",
            0.999,
            worst < 0.999 and not late,
            "; ".join([text, *late, seeds]),
        ),
        Row(f"{item}: cells in which the guard acted", most, "of all", 0, most == 0, f"{shares}; {seeds}"),
    ]


def _highest(trace: Any) -> float:
    """Return the largest r, infinite where a value is not finite."""
    value = float(trace.highest.max())
    return value if value == value else float("inf")


def cost() -> list[Row]:
    """Return AF28: a step of a learned model over a step of Bingham's, in turn on one thread."""
    from plexus.bench.fluid_items import BINGHAM, ONE_LEARNED, TWO, TWO_LEARNED
    from plexus.learning.cost import step_seconds
    from plexus.learning.rollout import Case, usual

    models, case = contenders(), Case(seed=SEEDS[0])
    seconds = step_seconds(list(models.values()), case, usual(case))
    rows = []
    for name, base, bound, aim in ((ONE_LEARNED, BINGHAM, 4.0, 1.5), (TWO_LEARNED, TWO, None, None)):
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
