"""Models of the active fluid: cost per unit of simulated time against the time that a prediction holds.

All start from the same waves on the same 64² grid with the same step, over four sets of constants. A
prediction holds until its velocity differs by 30 % from that of the spin hierarchy with 20 moments; a
model's figure is the median over the sets of its mean over the seeds. Cost is processor time of one thread,
the models in turn. Beside the models that the comparison is about stand those that a reader may ask for:
three moments, and hierarchies that are cut off early. A plot of the front goes beside the JSON file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from plexus.bench.table import Row

if TYPE_CHECKING:
    from plexus.learning.compare import Scores
    from plexus.learning.rollout import Contender

FOLDER = Path("runs/bench")
TRUTHS = FOLDER / "truths"
SEEDS = (2, 3)
END = 40.0
"""Time at which comparisons end; a model that holds longer counts as holding so long."""
BINGHAM, QUADRATIC, TWO = "Bingham", "quadratic", "two-moment AR"
ONE_LEARNED, TWO_LEARNED = "learned, 1 moment", "learned, 2 moments"
RESOLVED, ANGLES = "hierarchy, 20 moments", "kinetic, 126 angles"
LEARNED = {ONE_LEARNED: 1, TWO_LEARNED: 2}
RATIOS = (
    (TWO, BINGHAM, 1.5),
    (ONE_LEARNED, BINGHAM, 1.15),
    (TWO_LEARNED, BINGHAM, 1.5),
    (TWO_LEARNED, TWO, 1.0),
)
"""Models whose horizons are compared, and the least ratio."""


def run(seeds: Sequence[int] = SEEDS) -> list[Row]:
    """Measure all models, write the plot, return the rows."""
    from plexus.learning.compare import SETS, compare
    from plexus.learning.cost import one_thread, step_seconds
    from plexus.learning.rollout import AngleGrid, Case, Contender, usual

    reduced, kinetic, first = models(), AngleGrid(ANGLES, 20), Case(*SETS[0], seeds[0])
    with one_thread():
        cases = [Case(*where, seed) for seed in seeds for where in SETS]
        scores = compare(reduced, cases, TRUTHS, level=0.4, say=_say)
        checked = compare([kinetic], [first], TRUTHS, level=0.4, say=_say)
        cost = step_seconds([*reduced, Contender(RESOLVED, 20), kinetic], first, usual(first))
    seconds = {name: value / usual(first).dt for name, value in cost.items()}
    reach = horizons(scores, [c.name for c in reduced])
    reach |= {RESOLVED: END, ANGLES: checked.horizon(SETS[0], ANGLES, end=END)}
    plot(seconds, reach, FOLDER / "closure.png")
    return rows(seconds, reach, f"median of four sets, seeds {' '.join(map(str, seeds))}")


def models() -> list[Contender]:
    """Return the reduced models; learned ones where their bundles are there."""
    from plexus.learning import rollout, shipped

    made = [
        rollout.Contender(BINGHAM, 1, {"type": "bingham"}),
        rollout.Contender(QUADRATIC, 1, {"type": "quadratic"}),
        rollout.Contender(TWO, 2, {"type": "autoregressive"}),
        rollout.Contender("three-moment AR", 3, {"type": "autoregressive"}),
        *(rollout.Contender(f"hierarchy, {k} moments", k) for k in (6, 8, 10)),
    ]
    for name, order in LEARNED.items():
        learned = shipped.spin(order)
        if learned is not None:
            made.append(rollout.Contender(name, order, learned.block))
    return made


def horizons(scores: Scores, names: Sequence[str]) -> dict[str, float]:
    """Return the horizon to 30 % of each model: median over sets of the mean over seeds."""
    from plexus.learning.compare import SETS

    return {name: median(scores.horizon(where, name, end=END) for where in SETS) for name in names}


def rows(seconds: Mapping[str, float], reach: Mapping[str, float], note: str) -> list[Row]:
    """Return cost and horizon of each model, then the ratios that have bounds."""
    found = []
    for name in sorted(seconds, key=lambda n: seconds[n]):
        held = f"{'≥ ' if reach[name] >= END else ''}{reach[name]:.1f} to 30 % ({note})"
        if name == ANGLES:
            held = f"{'≥ ' if reach[name] >= END else ''}{reach[name]:.1f} to 30 % (first set and seed)"
        peer = "what the others are compared with" if name == RESOLVED else held
        found.append(Row(f"{name}: cost of a unit of time", 1e3 * seconds[name], "ms", peer=peer))
    for name, other, bound in RATIOS:
        found.append(_ratio(f"{name}: horizon over that of {other}", reach, name, other, bound))
    found.append(_ratio(f"{RESOLVED}: cost over that of {TWO_LEARNED}", seconds, RESOLVED, TWO_LEARNED, None))
    return [*found, _front(seconds, reach)]


def _ratio(item: str, values: Mapping[str, float], name: str, other: str, bound: float | None) -> Row:
    if name not in values or other not in values:
        return Row(item, None, "x", bound, peer="no bundle is there")
    ratio = values[name] / values[other]
    return Row(item, ratio, "x", bound, None if bound is None else ratio >= bound)


def _front(seconds: Mapping[str, float], reach: Mapping[str, float]) -> Row:
    """Return how many models are both cheaper and better than the learned two-moment model."""
    item = f"models that are cheaper and hold longer than {TWO_LEARNED}"
    if TWO_LEARNED not in seconds:
        return Row(item, None, "models", 0, peer="no bundle is there")
    better = [n for n in seconds if seconds[n] < seconds[TWO_LEARNED] and reach[n] > reach[TWO_LEARNED]]
    return Row(
        item,
        len(better),
        "models",
        0,
        not better,
        "; ".join(["on the front: " + ", ".join(front(seconds, reach)), *better]),
    )


def front(seconds: Mapping[str, float], reach: Mapping[str, float]) -> list[str]:
    """Return the models that no other one beats in cost and horizon, cheapest first."""
    best, found = 0.0, []
    for name in sorted(seconds, key=lambda n: (seconds[n], -reach[n])):
        if reach[name] > best:
            best = reach[name]
            found.append(name)
    return found


def plot(seconds: Mapping[str, float], reach: Mapping[str, float], path: Path) -> None:
    """Draw horizon against cost with the front; nothing without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    line = front(seconds, reach)
    axes.plot([1e3 * seconds[n] for n in line], [reach[n] for n in line], color="0.75", zorder=1)
    for name, value in seconds.items():
        exact = name.startswith(("hierarchy", "kinetic"))
        color = "tab:red" if name in LEARNED else "tab:gray" if exact else "tab:blue"
        axes.scatter(1e3 * value, reach[name], s=70 if name in LEARNED else 40, color=color, zorder=2)
        axes.annotate(name, (1e3 * value, reach[name]), xytext=(6, 5), textcoords="offset points", fontsize=9)
    axes.margins(x=0.16)
    axes.set(
        xscale="log", xlabel="processor time per unit of simulated time [ms], 64², one thread",
        ylabel="time until the velocity is 30 % off", ylim=(0, END * 1.08),
    )  # fmt: skip
    axes.axhline(END, color="0.8", linestyle=":")
    axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _say(text: str) -> None:
    print(f"  {text}", flush=True)
