"""What a run tells about itself: opening lines, closing tables, entries of ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plexus import __version__

if TYPE_CHECKING:
    from plexus.deck.blocks import Verification
    from plexus.protocols import FieldSpec
    from plexus.run import Run


def opening(run: Run, restart: bool = False) -> str:
    """Return what is about to be computed, in a few lines."""
    deck, mesh, ranks = run.deck, run.mesh, run.ctx.comm.size
    title = deck.about.title or deck.name
    fields = ", ".join(f"{name} ({s.n_global * s.components:,})" for name, s in run.system.spaces.items())
    lines = [
        f"plexus {__version__} · {title} · {ranks} rank{'s' * (ranks > 1)}",
        f"mesh: {mesh.n_global_cells:,} {mesh.cell} cells · unknowns: {fields}",
    ]
    if deck.time and not restart:
        specs = [e.field for e in run.system.equations if e.time_order and e.field.name not in deck.initial]
        lines += [f"{s.name} starts at {_quantity(s)} (no initial value in the deck)" for s in specs]
    return "\n".join(lines)


def _quantity(spec: FieldSpec) -> str:
    """Return the initial value of a field with its unit."""
    return f"{spec.start:g}" if spec.unit == "1" else f"{spec.start:g} {spec.unit}"


def verify(checks: Sequence[Verification], values: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the outcome of the deck's verification block.

    ``tolerance`` is the allowed difference as the deck gives it, relative or absolute (``kind``);
    a measured value that is not a number never holds.
    """
    rows = []
    for check in checks:
        measured = values[check.quantity]
        relative = check.tolerance is not None
        tolerance = check.tolerance if check.tolerance is not None else check.absolute_tolerance
        # NaN compares as False, so it never holds
        scale = abs(float(check.reference)) if relative else 1.0
        rows.append(
            {
                "quantity": check.quantity,
                "measured": measured,
                "reference": float(check.reference),
                "tolerance": tolerance,
                "kind": "relative" if relative else "absolute",
                "holds": bool(abs(measured - float(check.reference)) <= (tolerance or 0.0) * scale),
                "source": check.source,
            }
        )
    return rows


def facts(run: Run) -> dict[str, Any]:
    """Return the run's own entries of ``summary.json``. Collective: quantities are evaluated."""
    from plexus.devices.transfers import transfers

    values = run.values()
    return {
        "unknowns": run.system.unknowns,
        "mesh": {"cells": run.mesh.n_global_cells, "dim": run.mesh.dim, "cell": run.mesh.cell},
        "steps": run.clock.step,
        "rejected_steps": run.controller.rejected,
        "time": run.clock.t,
        "quantities": values,
        "solver": {name: solver.tally.summary() for name, solver in run.system.solvers.items()},
        "transfers": transfers.total(run.ctx.comm),
        "verification": [] if run.dry else verify(run.deck.verification, values),
    }


def closing(entries: Mapping[str, Any]) -> str:
    """Return solver statistics, quantities and verification as text."""
    blocks = [_solver(entries["solver"])]
    if entries["quantities"]:
        blocks.append("\n".join(f"{name} = {value:.8g}" for name, value in entries["quantities"].items()))
    if entries["verification"]:
        blocks.append(_verification(entries["verification"]))
    return "\n".join(blocks)


def _solver(solver: Mapping[str, Mapping[str, float]]) -> str:
    """Return one line per unknown."""
    lines = []
    for name, s in solver.items():
        newton = f", {int(s['newton'])} Newton steps" if s["newton"] > s["solves"] else ""
        fallbacks = f", {int(s['fallbacks'])} by a fallback" if s["fallbacks"] else ""
        lines.append(
            f"{name}: {int(s['solves'])} solves, {int(s['total'])} Krylov iterations "
            f"(mean {s['mean']:.1f}, max {int(s['max'])}){newton}{fallbacks}"
        )
    return "\n".join(lines)


def _verification(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the verification table."""
    head = f"{'verification':<28}{'measured':>16}{'reference':>16}{'tolerance':>12}  holds"
    lines = [head]
    for r in rows:
        percent = r["kind"] == "relative"
        tolerance = f"{100 * r['tolerance']:.3g} %" if percent else f"{r['tolerance']:.3g}"
        answer = "yes" if r["holds"] else "NO"
        lines.append(
            f"{r['quantity']:<28}{r['measured']:>16.8g}{r['reference']:>16.8g}{tolerance:>12}  {answer}"
        )
    return "\n".join(lines)
