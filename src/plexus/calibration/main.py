"""`plexus calibrate`: read, fit, judge, write, and run once more with what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus import registry
from plexus.calibration import record, report
from plexus.calibration.methods import minimised
from plexus.calibration.methods.gauss_newton import LARGEST
from plexus.calibration.misfit import RunMisfit, refuse_unread
from plexus.calibration.objective import Ends, Objective
from plexus.calibration.statistics import Statistics, statistics
from plexus.calibration.tight import tight
from plexus.compose import compose
from plexus.coupling.numbers import Numbers
from plexus.deck.controls import moving
from plexus.errors import SolveError, at_path
from plexus.fields.state import State
from plexus.io import fitted as files
from plexus.measurements.base import refuse_twice, unit_of

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.measurements.base import Measurement, Readings
    from plexus.run import Run
    from plexus.runtime.context import Context


def calibrate(deck: Deck, ctx: Context, dry: bool) -> tuple[Run, dict[str, Any]]:
    """Return the run with its controls fitted, and what the summary says of the fit. Collective.

    Raises
    ------
    InputError
        If measurements do not fit the run.
    SolveError
        If the run fails with the start values, or if the method ends before it is done.
    """
    assert deck.calibrate is not None
    run = compose(tight(deck), ctx)
    readings = readings_of(deck, ctx)
    for i, part in enumerate(readings):
        for text in part.told:
            ctx.log.info(f"warning: {deck.placed(f'calibrate.data[{i}]: {text}')}")
    numbers = Numbers(_stated(deck), run.system.controls)
    with ctx.timers("calibration"):
        objective = objective_of(run, numbers, readings)
        begin, misfit = numbers.present(), objective.misfit
        assert isinstance(misfit, RunMisfit)
        weights = np.linspace(1.0, 2.0, len(misfit.data))
        size = float(weights @ np.abs(misfit.computed(begin) / misfit.deviation))
        refuse_unread(numbers, misfit.pulled(begin, weights), size)
        ctx.log.info(report.opening(deck, numbers, readings))
        ends = Ends(1 if dry else deck.calibrate.iterations, deck.calibrate.tolerance)
        found = minimised(
            deck.calibrate.method, objective, begin, ends, lambda *row: ctx.log.info(report.line(*row))
        )
        known = _known(replace(objective, scale=numbers.scale(found.m)), found.m)
    run.system.controls.put(numbers.own(found.m))
    ctx.log.info(report.closing(numbers, objective, found, known))
    facts = report.facts(numbers, objective, found, known)
    if not dry:
        with ctx.timers("output"):
            record.write(ctx, deck, numbers, objective, found, known, readings)
        if not found.converged:
            raise SolveError(
                f"calibrate: {found.reason}; what was reached is in {ctx.folder / files.NAME}: go on from "
                "there with `fitted` in each control, or raise calibrate.iterations"
            )
    run.state = State(run.system.start(), run.clock.t, internal=run.system.begin())
    return run, facts


def objective_of(run: Run, numbers: Numbers, readings: list[Readings]) -> Objective:
    """Return misfit, regularisation and bounds. Collective."""
    low, high = numbers.bounds()
    misfit = RunMisfit(run, numbers, readings)
    return Objective(misfit, numbers.regularisation(), numbers.start(), low, high, numbers.scale())


def _stated(deck: Deck) -> dict[str, Any]:
    """Return the controls that are fitted."""
    stated = moving(deck)
    chosen = (deck.calibrate.controls if deck.calibrate else ()) or stated
    return {name: stated[name] for name in chosen}


def readings_of(deck: Deck, ctx: Context) -> list[Readings]:
    """Return all readings; one rank reads. Collective."""
    from plexus.io.hdf5 import on_root

    assert deck.calibrate is not None
    found: list[Readings] = []

    def read() -> None:
        refuse_twice(deck)
        for i, params in enumerate(deck.calibrate.data if deck.calibrate else ()):
            member: Measurement = registry.build("measurement", params)
            with at_path(f"calibrate.data[{i}]"):
                found.append(member.read(deck, unit_of(deck, member.params.of)))

    on_root(ctx.comm, read)
    return ctx.comm.bcast(found)


def _known(objective: Objective, m: np.ndarray) -> Statistics | None:
    """Return the statistics, None where there are too many numbers for full matrices."""
    if len(m) > LARGEST:
        return None
    return statistics(objective, m, objective.misfit.jacobian(m))
