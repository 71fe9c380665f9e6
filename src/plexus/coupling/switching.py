"""A reduced model that goes from one basis and cubature to another.

    u(x, t) = Σ_j γ^k_j(t) ψ^k_j(x),    k = k(t)

The state holds the coordinates of all bases behind each other, those of the present one alone not zero, and
the memory at the points of all cubatures: after each step it is marched at all of them along the
displacement, as a replay would, so that a change of basis loses nothing of it. The first guess in a new
basis is the projection of the displacement, γ^l = Ψ_lᵀ M Ψ_k γ^k. Which basis is the present one follows
from the time at which a step begins, so that a step that is repeated, and a run that is restarted, take the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from plexus.coupling.reduced import ReducedSystem
from plexus.errors import InputError
from plexus.protocols import Instant
from plexus.reduction.measures import mass
from plexus.reduction.model import Model, strains_of
from plexus.reduction.pod import gram
from plexus.reduction.points import ReducedPoints

Array = np.ndarray


class SwitchingSystem(ReducedSystem):
    """Reduced models of one body, one at a time. Construction is collective.

    Parameters
    ----------
    parts : sequence of ReducedSystem
        The models.
    chosen : callable
        Time at which a step begins [s] -> number of the model that takes it. Collective.
    """

    remedies = "`indicator`"

    def __init__(
        self,
        parts: Sequence[ReducedSystem],
        chosen: Callable[[float], int],
    ):
        first = parts[0]
        super().__init__(first.full, _joined(first, parts), first.times, first.tolerance, first.limit)
        if self.lifts.count:
            raise InputError("rom: models that take turns know no prescribed values other than zero")
        self.models, self.chosen = list(parts), chosen
        ends = np.cumsum([0, *(part.model.basis.shape[2] for part in parts)])
        self.blocks = [slice(a, b) for a, b in pairwise(ends)]
        form = first.full.forms[first.name]
        flat = self.model.basis.reshape(-1, ends[-1])
        onto = gram(self.comm, mass(form, flat), flat)
        self.onto = [onto[block] for block in self.blocks]
        """Ψ_lᵀ M Ψ of each model with the bases of all, (n_l, Σ n)."""
        names = self.model.points.names()
        order = np.argsort(names)
        self.places = [
            order[np.searchsorted(names, part.model.points.names(), sorter=order)] for part in parts
        ]

    def solve(self, name: str, values: dict[str, Array], at: Instant, held: bool = False) -> int:
        """Solve for the coordinates of the present model in place, those of the others become 0. Collective.

        Raises
        ------
        SolveError
            On all ranks, if Newton's method does not end.
        """
        k = self.chosen(at.t - at.dt)
        part, rows = self.models[k], self.places[k]
        own = {name: self.onto[k] @ values[name]}
        before = {n: np.ascontiguousarray(a[rows]) for n, a in at.before.items()}
        count = part.solve(name, own, Instant(at.t, at.dt, before=before))
        values[name][:] = 0.0
        values[name][self.blocks[k]] = own[name]
        self._at, self._memory = at, self.steps.of(at).memory(values[name][:, 0])
        self.counted.count(count)
        return count


def _joined(first: ReducedSystem, parts: Sequence[ReducedSystem]) -> Model:
    """Return all bases and points as one model; its weights count nowhere."""
    points = first.full.quadrature
    names = np.unique(np.concatenate([part.model.points.every for part in parts]))
    basis = np.concatenate([part.model.basis for part in parts], axis=2)
    chosen = ReducedPoints(points, names, np.ones(len(names)))
    strains = strains_of(first.full.forms[first.name], points, basis, chosen.rows)
    facts = {
        "unknown": first.name, "modes": basis.shape[2],
        "forces": max(part.model.facts["forces"] for part in parts),
        "names": names.tolist(), "weights": [1.0] * len(names),
    }  # fmt: skip
    return Model(basis, chosen, strains, facts, first.model.kept)
