"""Steps of a reduced run that the full model takes, and what they add to the reduced model.

The memory of the whole body at the start of such a step comes by replay. Displacement, stress and memory at
its end complete basis and decompositions; points and weights that serve them are searched for at once, or
once for several steps (`close`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.protocols import Instant, Since
from plexus.reduction.enrichment import completed, searched
from plexus.reduction.measures import mass
from plexus.reduction.pod import coordinates
from plexus.spaces.points import CellSet, Values, batches

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.reduction.model import Model

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Taken:
    """A full step on this rank.

    Attributes
    ----------
    u : array (n_local, m)
        Displacement at its end.
    before, memory : dict
        Memory of the body at its start and at its end, rows at all quadrature points.
    """

    u: Array
    before: dict[str, Array]
    memory: dict[str, Array]


class FullSteps:
    """Takes steps with the full model.

    Parameters
    ----------
    system : ReducedSystem
        The reduced system, whose model it completes.
    """

    def __init__(self, system: ReducedSystem):
        self.system = system

    def take(self, at: Instant, u: Array) -> Taken:
        """Return a full step, whose solve starts from ``u`` (n_local, m). Collective.

        Raises
        ------
        SolveError
            On all ranks, if the full model fails.
        """
        name, full = self.system.name, self.system.full
        before = self.system.whole.replay.at(at.t - at.dt)
        values, now = {name: u, **before}, Instant(at.t, at.dt, before=before)
        full.solve(name, values, now)
        return Taken(values[name], before, full.advance(name, values, now))

    def complete(self, at: Instant, taken: Taken, search: bool) -> tuple[Array, dict[str, Array]]:
        """Complete the model by a step; return its coordinates and the memory at the points. Collective.

        ``search`` looks for points that serve the completed basis; without, the model stays open. The memory
        at the start of the step is turned to the points that the run then has.
        """
        system, u = self.system, taken.u
        form, space = system.full.forms[system.name], system.full.quadrature
        n = space.n_owned
        shown = (u - system.lifts.field(at.t) - system.whole.correction).reshape(-1, 1)
        model = completed(
            system.model, form, shown, [self._stress(at, u, taken.before)],
            {name: [taken.memory[name][:n]] for name in system.model.kept.duals},
        )  # fmt: skip
        self._turn(searched(model, form, space) if search else model, at, taken.before)
        modes = system.model.basis.reshape(u.size, system.model.basis.shape[2])
        g, product = np.zeros((modes.shape[1], 1)), partial(mass, form)
        # modes are orthonormal up to the rounding of what they were left of; their sum has to be the state
        for _ in range(2):
            g += coordinates(system.comm, modes, product, shown - modes @ g)
        return g[:, 0], {name: a[system.model.points.rows] for name, a in taken.memory.items()}

    def join(self, at: Instant, other: Model) -> None:
        """Complete the model by another one of the body, before a reduced step. Collective.

        Raises
        ------
        SolveError
            On all ranks, if the cubature does not reach the tolerance of the model.
        """
        system, kept = self.system, other.kept
        form, space = system.full.forms[system.name], system.full.quadrature
        before = system.whole.replay.at(at.t - at.dt)
        model = completed(
            system.model, form, other.basis.reshape(-1, other.basis.shape[2]),
            list(np.moveaxis(kept.stresses, 2, 0)),
            {name: list(np.moveaxis(modes, 2, 0)) for name, modes in kept.duals.items()},
        )  # fmt: skip
        self._turn(searched(model, form, space), at, before)

    def close(self, at: Instant) -> None:
        """Search for points of a model that is open, before a reduced step. Collective.

        Raises
        ------
        SolveError
            On all ranks, if the cubature does not reach the tolerance of the model.
        """
        system = self.system
        form, space = system.full.forms[system.name], system.full.quadrature
        before = system.whole.replay.at(at.t - at.dt)
        self._turn(searched(system.model, form, space), at, before)

    def _turn(self, model: Model, at: Instant, before: Mapping[str, Array]) -> None:
        """Turn to a model, with the memory of the body at the start of the step. Collective."""
        self.system.turn(model)
        held: Any = at.before
        held.update({name: a[model.points.rows] for name, a in before.items()})

    def _stress(self, at: Instant, u: Array, before: Mapping[str, Array]) -> Array:
        """Return the stress at own points at the end of a step, (own points, 9)."""
        system = self.system
        form: Any = system.full.forms[system.name]
        stored = {n: (system.full.points[n], a) for n, a in before.items()}
        given = {**system.given, **stored, system.name: (form.space, u)}
        cells = CellSet(form.space.mesh, form.bridge, slice(form.space.mesh.n_owned_cells))
        values = Values(given, form.own, since=Since(at.dt, before))
        found = [np.empty((0, 9))]
        for p in batches(cells, form.rule, form.size, at.t, values):
            answer = form.equation.law.respond(form.equation.heated(p), form.equation.strain_of(p))
            found.append(answer.stress.reshape(-1, 9))
        return np.concatenate(found)
