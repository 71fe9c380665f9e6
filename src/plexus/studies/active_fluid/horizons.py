"""How long models of the active fluid hold, each at the longest step that costs it no accuracy.

A prediction holds until its velocity differs by 30 % from that of the spin hierarchy with 20 moments at a
quarter of the usual step, which errors of neither the moments nor the time stepping touch. Long steps are no
sin in a model whose closure is wrong by more than the step is; a model of many moments needs short ones, for
dt K max|g| bounds them too. So each model takes the longest step at which its horizon is within 5 % of that
at the shortest one, and at which the first seed's runs reach the end over all sets of constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexus.studies.active_fluid.compare import Set
    from plexus.studies.active_fluid.contenders import Case, Contender, Setup
    from plexus.studies.active_fluid.traces import Trace

STEPS = (0.005, 0.01, 0.02, 0.05)
"""Steps that are tried; strong activity takes half of them."""
TRUE_STEP = 0.0025
END = 40.0
"""Time at which comparisons end; a model that holds longer counts as holding so long."""
STOP, SHARE = 0.4, 0.95
"""Velocity error at which runs may end, and least share of the horizon."""


@dataclass
class Held:
    """Horizons of one model by step and set of constants, and at which steps a run failed."""

    times: dict[float, dict[Set, list[float]]] = field(default_factory=dict)
    failed: set[float] = field(default_factory=set)

    def note(self, step: float, where: Set, horizon: float, reached: bool) -> None:
        """Add a run."""
        self.times.setdefault(step, {}).setdefault(where, []).append(min(horizon, END))
        if not reached:
            self.failed.add(step)

    def horizon(self, step: float) -> float:
        """Return the median over the sets of the mean over the seeds."""
        return median(fmean(times) for times in self.times[step].values())

    @property
    def sound(self) -> dict[float, float]:
        """Horizons by step where no run failed; of the shortest step anyway."""
        steps = [s for s in sorted(self.times) if s not in self.failed] or [min(self.times)]
        return {step: self.horizon(step) for step in steps}

    @property
    def step(self) -> float:
        """The longest step that costs no accuracy."""
        sound = self.sound
        return max(s for s, horizon in sound.items() if horizon >= SHARE * sound[min(sound)])


def setup(case: Case, step: float) -> Setup:
    """Return the setup of a case with samples 0.1 apart; strong activity halves the step."""
    from plexus.studies.active_fluid.contenders import Setup

    dt = step / 2 if case.alpha < -4 else step
    return Setup(dt=dt, every=round(0.1 / dt), end=END)


def true(case: Case, folder: Path) -> Trace:
    """Return the truth of a case."""
    from plexus.studies.active_fluid.truths import truth

    return truth(case, setup(case, TRUE_STEP), folder)


def hold(
    models: Sequence[Contender],
    cases: Sequence[Case],
    folder: Path,
    steps: Sequence[float] = STEPS,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Held]:
    """Return how long models hold, by name; runs of the first case's seed go on to the end."""
    from plexus.studies.active_fluid.truths import forget

    found = {model.name: Held() for model in models}
    for case in cases:
        reference = true(case, folder)
        for model in models:
            told = []
            for step in steps:
                horizon, reached = _run(model, case, step, reference, case.seed == cases[0].seed)
                found[model.name].note(step, (case.alpha, case.zeta), horizon, reached)
                told.append(f"{horizon:.1f}{'' if reached else ' (failed)'}")
            say(f"{case} {model.name}: 30 % at t = {', '.join(told)}")
        forget()
    return found


def _run(model: Contender, case: Case, step: float, reference: Trace, whole: bool) -> tuple[float, bool]:
    """Return the horizon of a run and whether it got to the end, or to the error at which it may stop."""
    from plexus.studies.active_fluid.score import posteriori
    from plexus.studies.active_fluid.traces import Stop, roll

    trace = roll(case, setup(case, step), model, None if whole else Stop(reference, STOP))
    horizon = posteriori(trace, reference).horizon
    sound = bool(trace.velocity[-1].isfinite().all())
    return horizon, sound and (not whole or float(trace.times[-1]) >= END - 1e-6)
