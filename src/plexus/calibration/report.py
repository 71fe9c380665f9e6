"""What a calibration says: in the log, in the summary, as a fragment of a deck with the fitted numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.calibration.objective import Fitted, Objective
from plexus.calibration.statistics import Statistics
from plexus.deck.effective import fragment
from plexus.io import fitted as files

if TYPE_CHECKING:
    from plexus.coupling.numbers import Numbers
    from plexus.deck.schema import Deck
    from plexus.measurements.base import Readings

FRAGMENT = "fitted.yaml"
UNSEEN = 0.1
"""Share of the variance below which the data tell next to nothing of a number."""
LIKELY = 3.0
"""Standard normal deviate beyond which a sum of squares is doubted."""
FEW = 15
"""Numbers of a control that are listed one by one."""


def opening(deck: Deck, numbers: Numbers, readings: Sequence[Readings]) -> str:
    """Return what is fitted to what."""
    assert deck.calibrate is not None
    names = ", ".join(f"{n} ({p.stop - p.start:,} numbers)" for n, p in numbers.parts.items())
    count = sum(len(part.values) for part in readings)
    return f"calibrate {names} to {count:,} measurements by {deck.calibrate.method}"


def line(k: int, phi: float, rr: float, steepness: float) -> str:
    """Return one iteration."""
    return f"  {k:3d}  objective {phi:.6g}, misfit {rr:.6g} (sum of squares), steepness {steepness:.3g}"


def closing(numbers: Numbers, objective: Objective, found: Fitted, known: Statistics | None) -> str:
    """Return what was found and what the data leave open."""
    misfit: Any = objective.misfit
    count, rms = len(found.r), float(np.sqrt(np.mean(found.r**2)))
    doubt = "" if known is None else _doubt(float(found.r @ found.r), count - known.seen)
    lines = [
        f"ended after {len(found.history) - 1} iterations: {found.reason}",
        f"{misfit.runs} runs, {misfit.pulls} adjoint runs, {misfit.pushes} tangents",
        f"residuals: {rms:.3g} standard deviations rms over {count:,} measurements{doubt}",
    ]
    for name in numbers.parts:
        lines += _of(name, numbers, found, known)
    lines += _open(numbers, known)
    return "\n".join(lines)


def _doubt(square: float, free: float) -> str:
    """Return what speaks against the deviations: χ² of so many degrees of freedom, by its cube root.

    E. B. Wilson, M. M. Hilferty, Proc. Natl. Acad. Sci. 17 (1931) 684, doi:10.1073/pnas.17.12.684.
    """
    if free < 1:
        return ""
    spread = 2 / (9 * free)
    far = ((square / free) ** (1 / 3) - (1 - spread)) / spread**0.5
    if far > LIKELY:
        return (
            ": the run does not explain them; the model, a control that is missing, or deviations too small"
        )
    return ": more closely than their deviations allow; these may be too large" if far < -LIKELY else ""


def _of(name: str, numbers: Numbers, found: Fitted, known: Statistics | None) -> Iterator[str]:
    part, control = numbers.parts[name], numbers.stated[name]
    unit, m = control.params.unit, found.m[part]
    unit = "" if unit == "1" else f" {unit}"
    if control.ports:
        yield f"  {name}: {len(m)} weights"
        return
    if len(m) > FEW:
        spread = "" if known is None else f", standard deviation {_span(known.std[part])}{unit}"
        yield f"  {name}: {m.min():.6g} to {m.max():.6g}{unit}{spread}"
        return
    if control.sizes is not None:
        unit = ""  # that of the control is not that of each of its numbers
    for i, value in enumerate(m):
        at = f" at {control.kinks[i]:g} s" if control.kinks else f" number {i + 1}" if len(m) > 1 else ""
        yield f"  {name}{at}: {value:.6g}{unit}{_deviation(known, part.start + i, unit)}"


def _deviation(known: Statistics | None, i: int, unit: str) -> str:
    if known is None:
        return ""
    if known.held[i]:
        return " (held by its bound)"
    return f" ± {known.std[i]:.3g}{unit}" if np.isfinite(known.std[i]) else " (the data do not determine it)"


def _span(std: np.ndarray) -> str:
    finite = std[np.isfinite(std)]
    if not len(finite):
        return "unbounded"
    end = f"{finite.max():.3g}" if len(finite) == len(std) else "unbounded"
    return f"{finite.min():.3g} to {end}"


def _open(numbers: Numbers, known: Statistics | None) -> Iterator[str]:
    """Yield what the data cannot determine."""
    if known is None:
        yield "too many numbers to tell which of them the data determine"
        return
    n = len(known.spectrum)
    if not n:
        yield "every number is held by its bound: wider bounds would tell what the data want"
        return
    yield f"the data determine {known.seen:.3g} of {n} directions: {_spectrum(known.spectrum)}"
    for name, part in numbers.parts.items():
        share = known.share[part]
        unseen = int((share < UNSEEN).sum())
        if unseen and not known.held[part].all():
            what = (
                "it stays as it was"
                if unseen == len(share)
                else f"{unseen} of {len(share)} numbers stay as they were"
            )
            yield f"  {name}: {what}: the data take away less than {100 * UNSEEN:.0f} % of their variance"


def _spectrum(values: np.ndarray) -> str:
    """Return the first and last λ."""
    shown = [f"{v:.3g}" for v in values[:6]]
    return f"λ = {', '.join(shown)}" + (f", …, {values[-1]:.2g}" if len(values) > 6 else "")


def facts(numbers: Numbers, objective: Objective, found: Fitted, known: Statistics | None) -> dict[str, Any]:
    """Return the entry `calibration` of the summary."""
    misfit: Any = objective.misfit
    told: dict[str, Any] = {
        "converged": found.converged, "reason": found.reason, "iterations": len(found.history) - 1,
        "objective": found.history[-1][0], "rms": float(np.sqrt(np.mean(found.r**2))),
        "measurements": len(found.r), "runs": misfit.runs, "adjoint_runs": misfit.pulls,
        "tangents": misfit.pushes,
    }  # fmt: skip
    if known is not None:
        told |= {
            "determined": known.seen,
            "numbers": len(known.spectrum),
            "spectrum": known.spectrum[:50].tolist(),
        }
    told["controls"] = {name: _fact(name, numbers, found, known) for name in numbers.parts}
    return told


def _fact(name: str, numbers: Numbers, found: Fitted, known: Statistics | None) -> dict[str, Any]:
    part = numbers.parts[name]
    m, few = found.m[part], part.stop - part.start <= 50
    fact: dict[str, Any] = {"unit": numbers.stated[name].params.unit, "smallest": m.min(), "largest": m.max()}
    if few:
        fact["values"] = m.tolist()
    if known is not None:
        fact["unseen"] = int((known.share[part] < UNSEEN).sum())
        if few:
            fact["std"] = [float(v) if np.isfinite(v) else None for v in known.std[part]]
    return fact


def write(folder: Path, numbers: Numbers, found: Fitted, marks: Sequence[str]) -> None:
    """Write the fitted numbers as a block `controls` that decks can include (one rank only).

    A start that has become the fitted one tells the ``marks`` of the measurements that it comes from.
    """
    from plexus.deck.effective import to_data
    from plexus.runtime.files import write_text

    blocks, file = {}, str((folder / files.NAME).resolve())
    for name, part in numbers.parts.items():
        params = numbers.stated[name].params
        block = {k: v for k, v in to_data(params).items() if k != "fitted"}
        m = found.m[part].tolist()
        plain = params.type in ("scalar", "table")
        used = sorted({*params.fitted_to, *marks})
        start = {"start": m[0] if params.type == "scalar" else m, "fitted_to": used}
        blocks[name] = block | (start if plain else {"fitted": file})
    write_text(folder / FRAGMENT, fragment({"controls": blocks}) + "\n")
