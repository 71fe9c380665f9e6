"""The record of a fit, ``calibration.h5`` (`plexus.io.fitted`): numbers, courses, readings, spectrum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.calibration import report
from plexus.calibration.objective import Fitted, Objective
from plexus.calibration.statistics import Statistics
from plexus.io import fitted as files
from plexus.measurements.base import marks, unit_of
from plexus.protocols import Course

if TYPE_CHECKING:
    from plexus.coupling.numbers import Numbers
    from plexus.deck.schema import Deck
    from plexus.measurements.base import Readings
    from plexus.runtime.context import Context

COORDINATES = {"t": "s", "x": "m", "y": "m", "z": "m"}
"""Unit of each input that is no field."""


def write(
    ctx: Context, deck: Deck, numbers: Numbers, objective: Objective, found: Fitted,
    known: Statistics | None, readings: Sequence[Readings],
) -> None:  # fmt: skip
    """Write ``calibration.h5`` and the report. Collective.

    Raises
    ------
    OutputError
        If the disk refuses.
    """
    from plexus.io.hdf5 import on_root

    data: dict[str, Any] = {"history": np.array(found.history)}
    facts: dict[str, dict[str, Any]] = {}
    for name, part in numbers.parts.items():
        group = f"controls/{name}"
        control = numbers.stated[name]
        facts[group] = {"unit": control.params.unit, "location": control.location}
        data |= _under(group, _numbers(name, numbers, objective, found, known))
        for port, course in _courses(name, numbers, objective.mean[part], found.m, known).items():
            data |= _under(f"{group}/courses/{port}", course)
            facts[f"{group}/courses/{port}"] = {"unit": COORDINATES.get(port) or unit_of(deck, port)}
    if known is not None:
        data |= {"spectrum": known.spectrum, "directions": known.directions}
    data |= _under("data", _readings(objective, found, readings))
    facts["data"] = {"of": [part.of for part in readings],
                     "unit": [unit_of(deck, part.of) for part in readings]}  # fmt: skip
    folder = Path(ctx.folder)

    def at_once() -> None:
        files.write(folder / files.NAME, data, facts)
        report.write(folder, numbers, found, list(marks(deck)))

    on_root(ctx.comm, at_once)


def _under(group: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{group}/{name}": values for name, values in data.items()}


def _numbers(
    name: str, numbers: Numbers, objective: Objective, found: Fitted, known: Statistics | None
) -> dict[str, Any]:
    """Return the numbers of a control, where they stand, and what is known of them. Collective."""
    part, control = numbers.parts[name], numbers.stated[name]
    data: dict[str, Any] = {"values": found.m[part], "start": objective.mean[part]}
    if known is not None:
        data |= {"std": known.std[part], "before": known.before[part], "seen": known.share[part]}
    if control.location != "own":
        data["places"] = numbers.places(name)
    elif control.kinks:
        data["knots"] = np.array(control.kinks)
    return data


def _courses(
    name: str, numbers: Numbers, start: np.ndarray, m: np.ndarray, known: Statistics | None
) -> dict[str, dict[str, np.ndarray]]:
    """Return over each input of a function its values, at the start too, and their standard deviations."""
    control, part = numbers.stated[name], numbers.parts[name]
    if not isinstance(control, Course):
        return {}
    found = {}
    for port, places in control.courses().items():
        names = {key: torch.from_numpy(x) for key, x in places.items()}

        def law(theta: torch.Tensor, names: Any = names) -> torch.Tensor:
            return control.value(theta, names)

        theta, first = torch.from_numpy(m[part].copy()), torch.from_numpy(start.copy())
        course = {"at": places[port], "values": law(theta).numpy(), "start": law(first).numpy()}
        if known is not None:
            rows = np.zeros((len(places[port]), len(m)))
            rows[:, part] = torch.autograd.functional.jacobian(law, theta).numpy()
            course["std"] = known.after.of(rows)
        found[port] = course
    return found


def _readings(objective: Objective, found: Fitted, readings: Sequence[Readings]) -> dict[str, Any]:
    """Return what was measured and what the run answers; ``entry`` tells of which block each number is."""
    misfit: Any = objective.misfit
    return {
        "measured": misfit.data, "deviation": misfit.deviation, "computed": misfit.computed(found.m),
        "entry": np.repeat(np.arange(len(readings)), [len(part.values) for part in readings]),
        "time": np.concatenate([part.t for part in readings]),
        "places": np.concatenate([_three(part.x) for part in readings]),
    }  # fmt: skip


def _three(x: np.ndarray) -> np.ndarray:
    """Return positions (k, d) with three coordinates."""
    return np.hstack([x, np.zeros((len(x), 3 - x.shape[1]))])
