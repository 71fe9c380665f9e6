"""What a run tells about itself: opening lines, closing tables, entries of ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plexus import __version__
from plexus.errors import GuardError, InputError

if TYPE_CHECKING:
    from plexus.deck.verification import Verification
    from plexus.mesh.grid import Grid
    from plexus.mesh.mesh import Mesh
    from plexus.protocols import FieldSpec
    from plexus.run import Run


def opening(run: Run, restart: bool = False) -> str:
    """Return what is about to be computed, in a few lines."""
    deck, mesh, ranks = run.deck, run.mesh, run.ctx.comm.size
    title = deck.about.title or deck.name
    fields = ", ".join(f"{name} ({s.n_global * s.components:,})" for name, s in run.system.spaces.items())
    lines = [
        f"plexus {__version__} · {title} · {_count(ranks, 'rank')}",
        f"mesh: {_count(mesh.n_global_cells, f'{mesh.cell} cell')} · unknowns: {fields}"
        if mesh is not None
        else f"unknowns: {fields}",
    ]
    if not deck.output and not run.dry:
        lines.append("note: no fields are written; for that the deck needs `output: [{type: fields}]`")
    if deck.sweep is not None:
        lines.append("note: the block `sweep` is for `plexus sweep`; this run is the deck itself")
    if deck.time and not restart:
        specs = [s for s in run.system.starting if s.name not in deck.initial]
        lines += [f"{s.name} starts at {_quantity(s)} (no initial value in the deck)" for s in specs]
    return "\n".join(lines)


def _quantity(spec: FieldSpec) -> str:
    """Return the initial value of a field with its unit."""
    return f"{spec.start:g}" if spec.unit == "1" else f"{spec.start:g} {spec.unit}"


def check_references(run: Run) -> None:
    """Refuse references in another unit than that of their quantity.

    Raises
    ------
    InputError
        At the first one.
    """
    for number, check in enumerate(run.deck.verification):
        if why := check.unfit(run.units.get(check.quantity, "")):
            raise InputError(f"verification[{number}].{why}")


def verify(
    checks: Sequence[Verification], values: Mapping[str, float], units: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the outcome of the deck's verification block.

    ``tolerance`` is the allowed difference as the deck gives it, relative or absolute (``kind``);
    a measured value that is not a number never holds.
    """
    rows = []
    for check in checks:
        measured = values[check.quantity]
        relative = check.tolerance is not None
        tolerance = float(check.absolute_tolerance or 0.0) if check.tolerance is None else check.tolerance
        # NaN compares as False, so it never holds
        scale = abs(float(check.reference)) if relative else 1.0
        rows.append(
            {
                "quantity": check.quantity,
                "measured": measured,
                "reference": float(check.reference),
                "unit": units.get(check.quantity, ""),
                "tolerance": tolerance,
                "kind": "relative" if relative else "absolute",
                "holds": bool(abs(measured - float(check.reference)) <= tolerance * scale),
                "source": check.source,
            }
        )
    return rows


def facts(run: Run) -> dict[str, Any]:
    """Return the run's own entries of ``summary.json``. Collective: quantities are evaluated."""
    from plexus.devices.transfers import transfers

    values, mesh = run.values(), run.mesh
    found = {
        "unknowns": run.system.unknowns,
        "mesh": mesh and _mesh(mesh),
        "steps": run.clock.step,
        "rejected_steps": run.controller.rejected,
        "time": run.clock.t,
        "quantities": values,
        "units": run.units,
        "solver": {name: solver.tally.summary() for name, solver in run.system.solvers.items()},
        "transfers": transfers.total(run.ctx.comm),
        "guards": {**run.system.guards(), "replaced": list(run.replaced)},
        "bounds": run.bounds.summary(),
        "verification": [] if run.dry else verify(run.deck.verification, values, run.units),
    }
    try:
        return found | run.system.counts()
    except GuardError as error:
        # a run that is refused at its end tells what it was all the same
        run.ctx.told = found | dict(error.facts)
        raise


def _mesh(mesh: Mesh | Grid) -> dict[str, Any]:
    """Return sizes, and the sum of the file."""
    found = {"cells": mesh.n_global_cells, "dim": mesh.dim, "cell": mesh.cell}
    return found | ({"sha256": mesh.sha256} if mesh.sha256 else {})


def degraded(entries: Mapping[str, Any]) -> bool:
    """Return whether fallbacks had a part in the result: of solves, or of learned parts beyond a limit."""
    guards = entries["guards"]
    fallbacks = any(s["fallbacks"] for s in entries["solver"].values())
    return fallbacks or bool(guards["replaced"]) or not all(part["holds"] for part in _parts(guards).values())


def _parts(guards: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of learned parts by deck path."""
    return {path: entry for path, entry in guards.items() if path != "replaced"}


def closing(entries: Mapping[str, Any], marches: bool = False) -> str:
    """Return solver statistics, quantities and verification as text."""
    first = [
        _steps(entries) if marches else "",
        _solver(entries["solver"]),
        _coupling(entries.get("coupling", {})),
        _guards(entries.get("guards", {})),
        _reduced(entries.get("reduced", {})),
    ]
    blocks = ["\n".join(text for text in first if text)]
    if entries["quantities"]:
        when = f" at t = {entries['time']:.6g} s" if marches else ""
        units = entries["units"]
        rows = [(name, f"{value:.7g}", units.get(name, "")) for name, value in entries["quantities"].items()]
        blocks.append(_table((f"quantity{when}", "value", "unit"), rows, right=(1,)))
    if entries["verification"]:
        blocks.append(_verification(entries["verification"]))
    return "\n\n".join(["", *blocks])[1:]


def _steps(entries: Mapping[str, Any]) -> str:
    """Return a line on the steps that were taken."""
    rejected = entries["rejected_steps"]
    repeated = f", {rejected:,} more {'was' if rejected == 1 else 'were'} repeated" if rejected else ""
    return f"{_count(entries['steps'], 'step')} to t = {entries['time']:.6g} s{repeated}"


def _solver(solver: Mapping[str, Mapping[str, float]]) -> str:
    """Return one line per unknown."""
    lines = []
    for name, s in solver.items():
        solves, total = int(s["solves"]), int(s["total"])
        each = f" ({s['mean']:.1f} per solve, at most {int(s['max'])})" if solves > 1 else ""
        parts = [
            _count(solves, "solve"),
            _count(int(s["newton"]), "Newton step") if s["newton"] > s["solves"] else "",
            # a reduced model solves its few equations at once
            _count(total, "Krylov iteration") + each if total else "",
            f"{int(s['fallbacks'])} by a fallback" if s["fallbacks"] else "",
        ]
        lines.append(f"{name}: {', '.join(filter(None, parts))}")
    return "\n".join(lines)


def _coupling(coupling: Mapping[str, float]) -> str:
    """Return how often the equations were solved in turn, empty where once is all."""
    if not coupling:
        return ""
    return f"coupling: {coupling['mean']:.1f} passes per step, at most {int(coupling['max'])}"


def _guards(guards: Mapping[str, Any]) -> str:
    """Return what became of learned parts."""
    lines = [f"replaced: {text}" for text in guards.get("replaced", ())]
    for path, part in _parts(guards).items():
        share, last = part["mean_outside"], part["outside"]
        what = part.get("what", "of the cells were outside its range")
        told = f"{share:.3%} {what} ({last:.3%} in the last step)" if share else f"none {what}"
        lines.append(f"{path}: {told}, in {_count(int(part['steps']), 'step')}")
        lines += [f"{path}: {text}" for text in part.get("beyond_training", ())]
    return "\n".join(lines)


def _reduced(told: Mapping[str, Any]) -> str:
    """Return the size of a reduced model at the end of its run, and the worst balance of its forces."""
    # a reduction tells what it has made itself
    if "limit" not in told or "imbalance" not in told:
        return ""
    taken = len(told.get("enriched", ()))
    completed = f", completed by {_count(taken, 'full step')}" if taken else ""
    size = f"{_count(told['modes'], 'mode')}, {_count(told['points'], 'point')}{completed}"
    balance = f"{told['imbalance']:.2g} of the forces out of balance (limit {told['limit']:g})"
    return f"reduced model: {size}; at most {balance}"


def _verification(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the verification table; a difference is told in the way of its tolerance."""
    head = ("verification", "measured", "reference", "unit", "difference", "tolerance", "holds")
    lines = []
    for r in rows:
        difference = r["measured"] - r["reference"]
        if r["kind"] == "relative":
            difference = difference / abs(r["reference"]) if r["reference"] else float("nan")
        shown = [
            f"{100 * v:.2g} %" if r["kind"] == "relative" else f"{v:.2g}"
            for v in (difference, r["tolerance"])
        ]
        numbers = [f"{r[key]:.7g}" for key in ("measured", "reference")]
        lines.append((r["quantity"], *numbers, r["unit"], *shown, "yes" if r["holds"] else "NO"))
    return _table(head, lines, right=(1, 2, 4, 5))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    """Return columns of text; those listed in ``right`` are aligned on the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    sides = [">" if i in right else "<" for i in range(len(head))]
    lines = [[f"{c:{s}{w}}" for c, s, w in zip(row, sides, widths, strict=True)] for row in (head, *rows)]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _count(n: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{n:,} {what}{'s' * (n != 1)}"
