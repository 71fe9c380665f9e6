"""Tables on reduced models: what was made, how a run by one went, and the draws of a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexus_post.tables.table import Table
from plexus_post.text import number
from plexus_post.units import short, words

TELLS = {
    "unknown": "unknown",
    "from": "snapshots from",
    "members": "runs of the sweep",
    "clusters": "clusters",
    "sizes": "runs in each cluster",
    "snapshots": "snapshots",
    "draws": "draws that were marched",
    "shapes": "draws of which all are sums",
    "responses": "elastic responses",
    "lifts": "shapes of prescribed values",
    "modes": "modes",
    "position_modes": "modes of positions",
    "tolerance": "tolerance of the modes",
    "points": "points",
    "of_points": "points of the whole body",
    "error": "error that was reached",
    "cubature": "tolerance of the integrals",
    "largest": "largest root mean squares",
    "ratios": "largest errors over the indicator",
    "gains": "gain with 1, 2, … clusters",
    "accuracy": "share that is recommended as it belongs",
    "refreshed": "steps of refreshed cycles",
    "corrections": "corrections",
    "looked": "steps that were judged",
    "worst": "largest indicator without an alarm",
    "alarms": "alarms",
    "joined": "models that joined, at t [s]",
    "enriched": "full steps that completed it, at t [s]",
    "full_since": "full model from t [s] on",
    "imbalance": "share of the forces out of balance",
    "left_out": "share of the state that was left out",
    "limit": "most of that share",
    "least_spacing": "least distance of neighbours, of that at the start",
    "trained": "trained from, to t [s]",
    "trained_until": "trained until t [s]",
    "shown_until": "shown until t [s]",
}
"""What facts of `summary.json` are called, in the order in which they are told; others are for programs."""
MOST = 12
"""Numbers that a line tells."""
SPREAD = ("least", "p5", "median", "p95", "most")


def reduced(summary: Mapping[str, Any]) -> Table:
    """Return what a reduction has made, or how a run by a reduced model went: a fact per line."""
    told = summary.get("reduced") or {}
    rows = [(text, _shown(told[key])) for key, text in TELLS.items() if told.get(key) not in (None, [])]
    return Table("Reduced model", ("what", "value"), rows)


def draws(summary: Mapping[str, Any]) -> Table:
    """Return how figures of a campaign are spread over its draws, and errors of those that were checked."""
    told, units = summary.get("campaign") or {}, summary.get("units") or {}
    rows = []
    for name, spread in (told.get("distribution") or {}).items():
        if spread:
            error = (told.get("errors") or {}).get(name) or {}
            checked = (number(error[key]) if error else "–" for key in ("checked", "median", "largest"))
            values = (number(spread.get(key)) for key in SPREAD)
            rows.append((words(name), short(units.get(name, "")), *values, *checked))
    head = ("figure", "unit", "least", "5 %", "median", "95 %", "most", "checked", "error: median", "largest")
    return Table("Draws", head, rows, _counts(told) if rows else "")


def _counts(told: Mapping[str, Any]) -> str:
    """Return how many draws there are, and how many of them are no figures of the model or the material."""
    parts = [
        ("failed", "did not come to their end"),
        ("beyond", "leave what the model knows"),
        ("outside", "go where data do not reach"),
    ]
    lacking = [f"{len(told[key])} {text}" for key, text in parts if told.get(key)]
    return "; ".join([f"{number(told.get('draws'))} draws", *lacking]) + "."


def _shown(value: Any) -> str:
    """Return a fact in words."""
    if isinstance(value, dict):
        return ", ".join(f"{words(name)} {number(v)}" for name, v in value.items())
    if isinstance(value, list):
        more = f", and {len(value) - MOST} more" if len(value) > MOST else ""
        return ", ".join(map(number, value[:MOST])) + more
    return number(value)
