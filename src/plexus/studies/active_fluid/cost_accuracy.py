"""Models of the active fluid: cost per unit of simulated time against the time that a prediction holds.

All start from the same waves on the same 64² grid, over four sets of constants; a prediction holds until its
velocity is 30 % off, and each model takes the longest step that costs it no accuracy (`horizons`). A
model's figure is the median over the sets of its mean over the seeds. Cost is processor time of one thread,
the models in turn, on two grids: on 64² calls cost as much as arithmetic, on 256² in a box of four times the
size, where resolution and flow are the same, the number of fields decides. Whether a model is beaten is
asked of all models at all steps at which they are stable.

Beside the models that the comparison is about stand those that a reader may ask for: three moments, and
hierarchies that are cut off early. On 64² three moments with the autoregressive closure cost a little less
than the learned two and hold nearly as long; on larger grids their third field costs more than the network.
A plot of the fronts goes beside the JSON file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plexus.bench.table import Row
from plexus.studies.active_fluid.fronts import Figure, beating, front, points
from plexus.studies.active_fluid.horizons import hold
from plexus.studies.active_fluid.lineup import (
    ANGLES,
    BINGHAM,
    LEARNED,
    ONE_LEARNED,
    QUADRATIC,
    RESOLVED,
    THREE,
    TWO,
    TWO_LEARNED,
)

if TYPE_CHECKING:
    from plexus.studies.active_fluid.contenders import Case, Contender

FOLDER = Path("runs/bench")
TRUTHS = FOLDER / "truths"
SEEDS = (2, 3)
GRIDS = (64, 256)
"""Cells per direction of the grids on which steps are timed."""
RATIOS = (
    (TWO, BINGHAM, 1.5),
    (QUADRATIC, BINGHAM, None),
    (ONE_LEARNED, BINGHAM, 1.15),
    (ONE_LEARNED, QUADRATIC, None),
    (TWO_LEARNED, BINGHAM, 1.5),
    (TWO_LEARNED, TWO, 1.0),
    (THREE, BINGHAM, None),
    (TWO_LEARNED, THREE, None),
)
"""Models whose horizons are compared, and the least ratio; none where the plainest rivals are told."""


def run(seeds: Sequence[int] = SEEDS) -> list[Row]:
    """Measure all models, write the plot, return the rows."""
    from plexus.studies.active_fluid.compare import SETS
    from plexus.studies.active_fluid.contenders import AngleGrid, Case, Contender
    from plexus.studies.active_fluid.cost import one_thread
    from plexus.studies.active_fluid.fronts_plot import plot

    compared, kinetic = [*models(), Contender(RESOLVED, 20)], AngleGrid(ANGLES, 20)
    cases = [Case(*where, seed) for seed in seeds for where in SETS]
    with one_thread():
        held = hold(compared, cases, TRUTHS, say=_say)
        resolved = held[RESOLVED].step
        held |= hold([kinetic], cases[:1], TRUTHS, (resolved,), say=_say)
        seconds = {cells: costs([*compared, kinetic], cases[0], cells) for cells in GRIDS}
    found = {name: Figure(h.step, h.sound, {n: seconds[n][name] for n in GRIDS}) for name, h in held.items()}
    plot(found, FOLDER / "closure.png")
    return rows(found, f"median of four sets, seeds {' '.join(map(str, seeds))}")


def models() -> list[Contender]:
    """Return the reduced models; learned ones where their bundles are there."""
    from plexus.studies.active_fluid import shipped
    from plexus.studies.active_fluid.contenders import Contender

    made = [
        Contender(BINGHAM, 1, {"type": "bingham"}),
        Contender(QUADRATIC, 1, {"type": "quadratic"}),
        Contender(TWO, 2, {"type": "autoregressive"}),
        Contender(THREE, 3, {"type": "autoregressive"}),
        *(Contender(f"hierarchy, {k} moments", k) for k in (6, 8, 10)),
    ]
    for name, order in LEARNED.items():
        learned = shipped.spin(order)
        if learned is not None:
            made.append(Contender(name, order, learned.block))
    return made


def costs(compared: Sequence[Contender], case: Case, cells: int) -> dict[str, float]:
    """Return processor seconds per step on a grid of the usual resolution, by name."""
    from plexus.studies.active_fluid.contenders import Setup
    from plexus.studies.active_fluid.cost import step_seconds

    setup = Setup(cells=cells, length=10 * cells / 64)
    if cells > 64:  # steps are long: fewer tell as much
        return step_seconds(compared, case, setup, warm=0.5, chunk=2)
    return step_seconds(compared, case, setup)


def rows(found: Mapping[str, Figure], note: str) -> list[Row]:
    """Return cost and horizon of each model, then the ratios that have bounds, then the fronts."""
    made = []
    for name in sorted(found, key=lambda n: found[n].cost(GRIDS[0])):
        f, extent = found[name], "first set and seed" if name == ANGLES else note
        text = f"step {f.step:g}; {f.held} to 30 % ({extent}); "
        text += ", ".join(f"{n}² {1e3 * f.cost(n):.0f} ms" for n in GRIDS[1:])
        made.append(Row(f"{name}: cost of a unit of time", 1e3 * f.cost(GRIDS[0]), "ms", peer=text))
    reach = {name: f.horizon for name, f in found.items()}
    for name, other, bound in RATIOS:
        made.append(_ratio(f"{name}: horizon over that of {other}", reach, name, other, bound))
    for cells in GRIDS:
        cost = {name: f.cost(cells) for name, f in found.items()}
        item = f"{RESOLVED}: cost over that of {TWO_LEARNED}, on {cells}²"
        made += [_ratio(item, cost, RESOLVED, TWO_LEARNED), _front(found, cells)]
    return made


def _ratio(item: str, values: Mapping[str, float], name: str, other: str, bound: float | None = None) -> Row:
    if name not in values or other not in values:
        return Row(item, None, "x", bound, peer="no bundle is there")
    ratio = values[name] / values[other]
    return Row(item, ratio, "x", bound, None if bound is None else ratio >= bound)


def _front(found: Mapping[str, Figure], cells: int) -> Row:
    """Return how many models are both cheaper and better than the learned two-moment model at any step."""
    item = f"models that are cheaper and hold longer than {TWO_LEARNED}, on {cells}²"
    if TWO_LEARNED not in found:
        return Row(item, None, "models", 0, peer="no bundle is there")
    better = beating(found, cells)
    told = ["on the front: " + "; ".join(front(*points(found, cells))), *(f"beaten by {n}" for n in better)]
    return Row(item, len(better), "models", 0, not better, ". ".join(told))


def _say(text: str) -> None:
    print(f"  {text}", flush=True)
