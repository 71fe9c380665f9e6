"""Numbers that judge closures: a priori on frames of the truth, a posteriori on traces of models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from plexus.learning import metrics
from plexus.models.suspension.spins import reflections
from plexus.models.suspension.stress import closed_stress
from plexus.studies.active_fluid.contenders import Case, Contender, Setup
from plexus.studies.active_fluid.traces import DEVELOPED, EARLY, Trace

Tensor = torch.Tensor
COMPARED = 0.3
"""Velocity error up to which a prediction counts."""
EDGE = 0.999
"""Where carried moments are closer than this to impossible, closures of f_3 cap them (see autoregressive)."""


@dataclass(frozen=True)
class Priori:
    """Errors of a closure on frames of the truth."""

    moment: float
    """Relative mean square error of the closed moment, f_2 or f_3; nan for closures of S:T."""
    stress: float
    """Relative mean square error of S:T; nan for closures of f_3."""
    outside: int
    """Points at which no distribution has the closed moment, though the given moments leave it room."""


@dataclass(frozen=True)
class Posteriori:
    """A model's run beside the truth."""

    horizons: tuple[float, ...]
    """Times at which the velocity error first exceeds each of `plexus.learning.metrics.LEVELS`."""
    early_order: float
    """Mean error of the mean order parameter for t in [2, 10]."""
    order: float
    speed: float
    """Means for t >= 15."""
    order_error: float
    """Difference of the long-time means of r."""
    spectrum: tuple[float, ...]
    """Mean energy of the velocity for t >= 15 in the shells k = 1..12."""
    spectrum_error: float
    """Root mean square of log10 of the ratio to the truth's spectrum."""
    outside: int
    """Samples times cells whose moments no distribution has."""
    highest: float
    """Largest r of any sample."""
    guarded: float
    """Mean fraction of cells per step in which the guard replaced the network."""
    seconds: float
    """Processor seconds per unit of simulated time, sampling included."""

    @property
    def horizon(self) -> float:
        """Time at which the velocity error first exceeds 30 %, by which models are compared."""
        return self.horizons[metrics.LEVELS.index(COMPARED)]


def priori(case: Case, setup: Setup, contender: Contender, truth: Trace) -> Priori:
    """Return a closure's errors on the truth's frames."""
    closure = contender.model(case, setup).closure
    assert closure is not None
    frames = {k: v.to(torch.complex128 if v.is_complex() else torch.float64) for k, v in truth.frames.items()}
    seen = [f"f{m}" for m in range(1, contender.order + 1)] + ["c", "e", "W"]
    with torch.no_grad():
        given = closure.evaluate({name: frames[name] for name in seen})
    return judge(contender.order, frames, given, case.zeta)


def judge(order: int, frames: Mapping[str, Tensor], given: Mapping[str, Tensor], zeta: float) -> Priori:
    """Return the errors of the closure fields of a model of ``order`` moments on frames."""
    true = closed_stress(frames, frames["f2"], zeta)
    if "st" in given:
        stress = metrics.stress_mse((given["st"], given.get("trace", true[1])), true)
        return Priori(math.nan, stress, 0)
    name = f"f{order + 1}"
    moments = [frames[f"f{m}"] for m in range(1, order + 1)]
    stacked = torch.stack([frames["c"] + 0j, *moments, given[name]], -3)
    outside = (reflections(stacked) > 1 + metrics.ROUNDING) & (reflections(stacked[..., :-1, :, :]) <= EDGE)
    stress = math.nan
    if name == "f2":
        stress = metrics.stress_mse(closed_stress(frames, given[name], zeta), true)
    return Priori(metrics.relative_mse(given[name], frames[name]), stress, int(outside.sum()))


def posteriori(found: Trace, true: Trace) -> Posteriori:
    """Return the numbers of a run beside the truth; a run that ended early has nan for means it lacks."""
    n = len(found.times)
    times = true.times[:n]
    difference = (found.velocity.double() - true.velocity[:n].double()).square().sum((1, 2, 3))
    errors = (difference / true.velocity[:n].double().square().sum((1, 2, 3))).sqrt()
    late, whole = metrics.window(times, DEVELOPED), metrics.window(true.times, DEVELOPED)
    order = float(found.order[late].mean())
    spectra = found.spectrum[late].mean(0), true.spectrum[whole].mean(0)
    return Posteriori(
        horizons=tuple(metrics.horizons(times, errors)),
        early_order=metrics.mean_error(times, found.order, true.order[:n], *EARLY),
        order=order,
        speed=float(found.speed[late].mean()),
        order_error=order - float(true.order[whole].mean()),
        spectrum=tuple(spectra[0].tolist()),
        spectrum_error=metrics.spectrum_error(*spectra),
        outside=int(found.outside.sum()),
        highest=float(found.highest.max()),
        guarded=found.guarded,
        seconds=found.seconds,
    )
