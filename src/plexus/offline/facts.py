"""What ``rom.json`` tells of a reduced model that was just written: see `plexus.reduction.facts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus.io.places import places
from plexus.reduction import facts as file
from plexus.reduction.declared import held, loaded, moved
from plexus.runtime.first import on_first

if TYPE_CHECKING:
    from plexus.deck.reduce import Reduce
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context


def write(deck: Deck, run: Run, ctx: Context, facts: Mapping[str, Any]) -> None:
    """Write them beside the complete file of a model whose facts are given. Collective.

    Raises
    ------
    OutputError
        On all ranks, if they cannot be written.
    """
    block: Any = deck.reduce
    found = {
        **_sizes(block, facts), **_body(run, facts), **_declared(deck, run, facts),
        "seconds": {"wall": ctx.timers.elapsed, "ranks": ctx.comm.size},
    }  # fmt: skip
    on_first(ctx.comm, lambda: file.write(ctx.folder / block.file, found))


def _sizes(block: Reduce, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many modes and points there are, and how exact they are."""
    return {
        "unknown": facts["unknown"], "modes": facts["modes"], "points": len(facts["names"]),
        "snapshots": facts["snapshots"], "draws": facts.get("draws", []), "duals": facts["widths"],
        "tolerances": {"modes": block.tolerance, "cubature": block.cubature, "balance": block.balance},
        "reached": {"cubature": facts["error"], "balance": facts["imbalance"], "left": facts["left"]},
        "ratios": facts.get("ratios", []),
    }  # fmt: skip


def _body(run: Run, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields and mesh. Collective."""
    form: Any = run.system.forms[facts["unknown"]]  # type: ignore[attr-defined]
    space, equation = form.space, form.equation
    specs = [equation.field, *equation.internal, *(derived.spec for derived in equation.derived())]
    return {
        "degree": space.element.degree,
        "mesh": {
            "dimension": space.mesh.dim, "cell": space.mesh.cell,
            "cells": space.comm.allreduce(space.mesh.n_owned_cells), "points": facts["points"],
            "nodes": space.comm.allreduce(space.n_owned), "places": places(space),
        },
        "memory": [spec.name for spec in equation.internal],
        "fields": {spec.name: spec.unit for spec in specs},
    }  # fmt: skip


def _declared(deck: Deck, run: Run, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the deck says: material, supports, loads, tables; numbers are in SI units."""
    name, dim = facts["unknown"], run.mesh.dim  # type: ignore[union-attr]
    physics: Any = deck.physics
    return {
        "physics": physics.type, "material": facts["material"],
        "supports": held(deck, name, dim), "prescribed": moved(deck, name, dim),
        "loads": loaded(deck, dim), "temperature": physics.temperature is not None,
        "tables": {table: given.period for table, given in deck.tables.items()},
    }  # fmt: skip
