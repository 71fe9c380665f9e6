"""Tables from the summary of a run, which the overview and the report share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plexus.fileformat import MOST_ANSWERED
from plexus_post.readers.training import case_words, ratio
from plexus_post.tables.table import Table
from plexus_post.text import number
from plexus_post.units import short, words


def verification_rows(summary: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return a row per entry of the verification block: quantity, measured, reference, tolerance, holds."""
    keys = ("quantity", "measured", "reference", "tolerance")
    entries = summary.get("verification") or []
    return [(*(v.get(k) for k in keys), "yes" if v.get("holds") is True else "NO") for v in entries]


def guards(summary: Mapping[str, Any]) -> Table:
    """Return how often learned parts were outside their range, and which ones gave way."""
    told = summary.get("guards") or {}
    rows = []
    for name, g in told.items():
        if isinstance(g, dict):
            shares = [
                f"{100 * g[key]:.3g} %" for key in ("mean_outside", "outside", "max_fraction") if key in g
            ]
            rows.append((words(name), *shares, number(g.get("steps")), "yes" if g.get("holds") else "NO"))
    head = ("part", "cells outside its range", "in the last step", "limit", "steps", "holds")
    return Table("Guards of learned parts", head, rows, "; ".join(map(str, told.get("replaced") or ())))


def validation(summary: Mapping[str, Any]) -> Table:
    """Return the errors of what was trained on runs that it has not seen, and ratios to the best rival's."""
    rows, rivals, lost, away = [], "", 0, 0
    for entry in summary.get("validation") or []:
        rivals = ", ".join(entry["baselines"])
        base = list(entry["baselines"].values())
        part = ratio(entry["value"], base)
        share = entry.get("fallback", 0.0)
        lost += part >= 1 and share <= MOST_ANSWERED
        away += share > MOST_ANSWERED
        told = f"{part:.3f}" if math.isfinite(part) else "–"
        errors = (f"{entry['value']:.4g}", ", ".join(f"{b:.4g}" for b in base))
        rows.append((case_words(entry["case"]), entry["metric"], *errors, told, f"{100 * share:.3g} %"))
    notes = [f"{lost} of {len(rows)} no better than a classical part, which needs no training."] * bool(lost)
    notes += [f"{away} of {len(rows)} were answered by the fallback and do not judge the part."] * bool(away)
    head = ("run", "error", "trained", rivals, "ratio", "by the fallback")
    return Table("Validation", head, rows, " ".join(notes))


def fitted(summary: Mapping[str, Any]) -> Table:
    """Return the controls of a fit: a value with its standard deviation, of many the smallest and largest."""
    told, rows = summary.get("calibration") or {}, []
    for name, control in (told.get("controls") or {}).items():
        values, std = control.get("values"), control.get("std")
        if values is not None and len(values) == 1:
            spread = f" ± {number(std[0])}" if std and std[0] is not None else ""
            text = f"{number(values[0])}{spread}"
        else:
            text = f"{number(control.get('smallest'))} to {number(control.get('largest'))}"
        unit = short(str(control.get("unit") or ""))
        rows.append((words(name), text, unit, number(control.get("unseen"))))
    head = ("control", "value", "unit", "numbers that the data have not seen")
    note = (
        f"Residuals: {number(told.get('rms'))} standard deviations rms over {told.get('measurements')} "
        f"measurements; {told.get('reason')} ({told.get('iterations')} iterations)."
    )
    return Table("Fitted controls", head, rows, note if rows else "")


def phases(summary: Mapping[str, Any]) -> Table:
    """Return the phases, the longest first, with what is left at the end."""
    every = summary.get("phases") or {}
    total = sum(p["mean"] for p in every.values()) or 1.0
    ordered = sorted(every.items(), key=lambda item: (item[0] == "other", -item[1]["mean"]))
    rows = [
        (
            words(name), number(p["calls"]) if p["calls"] else "–", f"{p['longest']:.3f}", f"{p['mean']:.3f}",
            f"{p['longest'] / p['mean']:.2f}" if p["mean"] > 0 else "–", f"{100 * p['mean'] / total:.1f} %",
        )
        for name, p in ordered
    ]  # fmt: skip
    head = ("phase", "calls", "slowest rank [s]", "mean [s]", "imbalance", "share")
    note = "A phase is charged for its own time only; the shares add up to the whole wall time of a rank."
    return Table("Phases", head, rows, note)


def placement(summary: Mapping[str, Any]) -> Table:
    """Return where the ranks were."""
    rows = []
    for r in summary.get("placement") or []:
        ask = lambda key, r=r: str(r.get(key, "?"))  # noqa: E731
        device = f"{r.get('gpu', '')} {r.get('uuid', '')}".strip() or ask("device")
        cores = f"{ask('cores')} of {ask('host_cores')}" + (" (crowded)" if r.get("crowded") else "")
        rows.append((ask("ranks") + " ", ask("host"), cores, ask("threads"), device, ask("bridge")))
    head = ("ranks", "host", "cores", "torch threads", "device", "PETSc and torch memory")
    return Table("Placement", head, rows[:200])


def transfers(summary: Mapping[str, Any]) -> Table:
    """Return the copies to and from GPUs; no rows if there were none."""
    t = summary.get("transfers") or {}
    if not (t.get("to_device") or t.get("to_host")):
        return Table("Copies to and from GPUs", (), [])
    rows = [
        (way.replace("_", " "), number(t.get(way)), f"{t.get('bytes_' + way, 0) / 1e6:,.3f}")
        for way in ("to_device", "to_host")
    ]
    note = f"All copies of all ranks together took {t.get('seconds', 0):.3f} s."
    return Table("Copies to and from GPUs", ("direction", "copies", "MB"), rows, note)
