"""`plexus reduce`: march a deck, keep every step, and make basis and cubature of them.

Snapshots are the displacements and stresses of the accepted steps. The basis is their decomposition in L2
over the body; what the cubature has to integrate are the works σ_i:ε(ψ_j) of every stress on every mode.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus import registry
from plexus.compose import compose
from plexus.errors import InputError
from plexus.protocols import Reducible
from plexus.reduction.balance import Balance
from plexus.reduction.cubature import compressed, cubature
from plexus.reduction.model import save, strains_of
from plexus.reduction.pod import pod
from plexus.spaces.points import CellSet, Values, batches

if TYPE_CHECKING:
    from plexus.deck.params import Params
    from plexus.deck.schema import Deck
    from plexus.protocols import SnapshotSource
    from plexus.run import Run
    from plexus.runtime.context import Context
    from plexus.spaces.assembly import Form

Array = np.ndarray


@dataclass
class Kept:
    """What the steps of a history leave.

    Attributes
    ----------
    name : the unknown.
    fields : its values after each step, (n_local, m).
    stresses : the stresses then at the quadrature points of own cells, (k, 3, 3).
    balance : how well the forces of these steps balance.
    """

    name: str
    fields: list[Array] = field(default_factory=list)
    stresses: list[Array] = field(default_factory=list)
    balance: Balance | None = None

    def keep(self, run: Run) -> None:
        """Keep the present state, and look whether its forces balance. Collective."""
        state, form = run.state, run.system.forms[self.name]  # type: ignore[attr-defined]
        self.balance = self.balance or Balance(form)
        self.balance.look(state.t, state.values[self.name], state.internal)
        points = next(iter(run.system.points.values()))  # type: ignore[attr-defined]
        self.fields.append(state.values[self.name].copy())
        self.stresses.append(run.fields.evaluate("stress", "point")[2][: points.n_owned].copy())


def reduce(deck: Deck, ctx: Context) -> tuple[Run, dict[str, Any]]:
    """March the deck and write its reduced model; return the run and what is told of the model. Collective.

    Raises
    ------
    InputError
        If the model cannot be reduced.
    SolveError
        If the cubature does not reach its tolerance.
    """
    assert deck.reduce is not None
    run = compose(deck.model_copy(update={"rom": None}), ctx)
    equation = run.system.equations[0]  # type: ignore[attr-defined]
    name = equation.field.name
    if not isinstance(equation, Reducible):
        raise InputError(f"physics: plexus reduce takes elastoviscoplastic, not {deck.physics.type}")
    found = Kept(name)
    source: SnapshotSource = registry.build("snapshots", deck.reduce.snapshots or _own())
    told = source.march(run, found.keep)
    _require_balance(found.balance, deck.reduce.balance)
    with ctx.timers("reduction"):
        facts = _reduced(run, found, ctx.folder / deck.reduce.file)
    return run, facts | {"from": told}


def _require_balance(balance: Balance | None, limit: float) -> None:
    """Refuse a history that the deck's forces do not follow."""
    if balance is None or not balance.worst <= limit:
        worst = "all" if balance is None else f"{balance.worst:.2g}"
        raise InputError(
            f"reduce: the steps leave {worst} of the deck's forces out of balance, more than {limit:g}: law, loads, "
            "supports, temperature or times of the deck are not those of its snapshots, or these lie too far apart "
            "for the law"
        )


def _own() -> Params:
    """Return parameters of the source that marches the deck itself."""
    params = registry.component("snapshots", "run").params()
    params._type = "run"
    return params


def _reduced(run: Run, found: Kept, path: Path) -> dict[str, Any]:
    """Make basis and cubature, write them, and return the facts. Collective."""
    block, system = run.deck.reduce, run.system
    assert block is not None
    assert found.balance is not None
    form: Form = system.forms[found.name]  # type: ignore[attr-defined]
    points = next(iter(system.points.values()))  # type: ignore[attr-defined]
    space, comm = form.space, form.space.comm
    rows = np.column_stack([u.ravel() for u in found.fields])
    basis = pod(comm, rows, lambda a: mass(form, a), block.tolerance, block.modes)
    modes = basis.modes.reshape(space.n_local, space.components, -1)
    strains = strains_of(form, points, modes)
    weights, names = _weights(form), points.names()[: points.n_owned]
    works = np.einsum("ika,kaj->ijk", np.array(found.stresses), strains)
    works = works.reshape(-1, len(weights))
    chosen = cubature(
        comm, compressed(comm, works, weights, block.cubature), weights, names, block.cubature,
        stalls=block.stalls,
    )  # fmt: skip
    facts = {
        "unknown": found.name, "modes": int(modes.shape[2]), "points": points.n_global,
        "names": chosen.names.tolist(), "weights": chosen.weights.tolist(), "error": chosen.error,
        "spectrum": basis.spectrum.tolist(), "snapshots": len(found.fields),
        "forces": found.balance.scale, "imbalance": found.balance.worst,
        "tolerance": block.tolerance, "cubature": block.cubature,
    }  # fmt: skip
    save(path, space, found.name, modes, {"reduced": facts})
    return facts


def mass(form: Form, columns: Array) -> Array:
    """Return ∫ u·φ_i of columns (n_local m, k), zero in the rows of ghosts: sums over ranks count once."""
    space, found = form.space, np.zeros_like(columns)
    tables = form.rule.tables(space.element)
    for j in range(columns.shape[1]):
        u, out = np.ascontiguousarray(columns[:, j].reshape(space.n_local, -1)), space.zeros()
        for p in batches(form.cells, form.rule, 4096, 0.0, Values({form.own: (space, u)}, form.own)):
            weight = form.equation.measure(p.x)
            nodes, cells = form.cells.nodes(space)[p.part], form.cells.cells[p.part]
            form.kernels.vector(form.cells.points, cells, tables, nodes, p.u, None, weight, out)
        out[space.n_owned :] = 0.0
        found[:, j] = out.ravel()
    return found


def _weights(form: Form) -> Array:
    """Return the integration weights of the quadrature points of own cells."""
    mesh, found = form.space.mesh, []
    cells = CellSet(mesh, form.bridge, slice(mesh.n_owned_cells))
    for p in batches(cells, form.rule, 4096, 0.0, Values({})):
        weight = form.equation.measure(p.x)
        found.append(p.jxw if weight is None else p.jxw * weight)
    return np.concatenate([np.empty(0), *(w.ravel() for w in found)])
