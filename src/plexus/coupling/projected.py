"""A projected conservation law as a system: coordinates of a basis, or of all nodes of a moving line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.coupling.coordinates import CoordinateSystem
from plexus.errors import GuardError, InputError
from plexus.protocols import Instant, Values

if TYPE_CHECKING:
    from plexus.coupling.volumes import VolumeSystem
    from plexus.reduction.moving import MovingLine
    from plexus.reduction.projection import Projection

Array = np.ndarray


class ProjectedSystem(CoordinateSystem):
    """Coordinates c of rows z = z_0 + Φ c, of a moving line or of cell means.

    How much of the rates the basis does not hold is added up over time; its share of the state's size
    estimates the error of a run.

    Parameters
    ----------
    full : VolumeSystem
        The system in whose place it marches.
    projection : Projection
        Basis and rates.
    line : MovingLine, optional
        The rows, where they are positions and values; else they are cell means.
    limit : float
        Largest estimate with which a run may end.
    """

    def __init__(
        self,
        full: VolumeSystem,
        projection: Projection,
        line: MovingLine | None = None,
        limit: float = np.inf,
    ):
        super().__init__(full, projection.count)
        self.projection, self.line, self.limit = projection, line, limit
        self.missed, self._last = 0.0, (np.inf, 0.0)
        rows = projection.rows
        values = rows.origin if line is None else rows.origin[line.n :]
        weights = rows.weights if line is None else rows.weights[line.n :]
        # a constant carries no information: sizes are those about the least value
        low = min(self.comm.allgather(float(values.min(initial=np.inf))))
        square = float(weights @ (values - low) ** 2)
        self.size = (square if line is not None else self.comm.allreduce(square)) ** 0.5

    def cells(self, values: Mapping[str, Array], t: float) -> Array:
        """Return the means of this rank's cells, (n_owned,)."""
        z = self.projection.lift(values[self.name][:, 0])
        if self.line is None:
            return z
        self.line.require_unfolded(z, t)
        return self.line.means(z, self.full.cells.points[:, 0], self.full.cells.mesh.spacing[0])

    def rates(self, values: Mapping[str, Array], t: float) -> Values:
        """Return the rates after Galerkin, and note what the basis does not hold of them. Collective."""
        rate, missed = self.projection.rates(values[self.name][:, 0], t)
        self._note(t, missed)
        return {self.name: rate[:, None]}

    def _note(self, t: float, missed: float) -> None:
        """Add up ∫ |f - Φ ċ| dt by trapezoids; stages that go back in time are left out."""
        before, size = self._last
        if t > before:
            self.missed += (missed + size) / 2 * (t - before)
        if t > before or before == np.inf:
            self._last = t, missed

    def longest(self, values: Mapping[str, Array], t: float) -> float:
        """Return the longest stable Euler step [s]: 2/|λ| of the fastest coordinate. Collective."""
        c = self.jacobian_of(values, t)
        radius = float(np.abs(np.linalg.eigvals(c)).max(initial=0.0))
        return 2 / radius if radius > 0 else float("inf")

    def jacobian_of(self, values: Mapping[str, Array], t: float) -> Array:
        """Return ∂ċ/∂c, (k, k). Collective."""
        return self.projection.jacobian(values[self.name][:, 0], t)

    def solve(self, name: str, values: Mapping[str, Array], at: Instant, held: bool = False) -> int:
        """Solve a stage of an implicit step in place; return Newton steps. Collective."""
        c = np.ascontiguousarray(values[name][:, 0])
        offset = np.zeros_like(c) if at.offset is None else at.offset[:, 0]
        count = self.projection.solve(c, at.t, at.shift, offset)
        values[name][:, 0] = c
        self._note(at.t, self.projection.rates(c, at.t)[1])
        return count

    @property
    def estimate(self) -> float:
        """What the basis has not held of the rates so far, relative to the size of the start."""
        return self.missed / self.size if self.size > 0 else self.missed

    def counts(self) -> dict[str, Any]:
        """Return modes, least spacing and estimate for the summary.

        Raises
        ------
        GuardError
            On all ranks, if the basis holds too little of the rates.
        """
        if not self.estimate <= self.limit:
            raise GuardError(
                f"rom: the basis does not hold what the law does: {self.estimate:.2g} of the state "
                f"were left out, more than {self.limit:g}; reduce a run that has it, take more modes, or the "
                "full model"
            )
        told: dict[str, Any] = {"modes": self.unknowns, "left_out": self.estimate, "limit": self.limit}
        return {"reduced": told | ({} if self.line is None else {"least_spacing": self.line.least})}


class MovingSystem(CoordinateSystem):
    """All positions and values of a moving line: the full model of which a Lagrangian basis is made.

    Parameters
    ----------
    full : VolumeSystem
        The system in whose place it marches.
    line : MovingLine
        The nodes.
    """

    def __init__(self, full: VolumeSystem, line: MovingLine):
        super().__init__(full, 2 * line.n)
        self.line = line

    def start(self) -> dict[str, Any]:
        """Return positions and values at the start."""
        return {self.name: self.line.origin[:, None].copy()}

    def cells(self, values: Mapping[str, Array], t: float) -> Array:
        """Return the means of this rank's cells, (n_owned,)."""
        z = np.ascontiguousarray(values[self.name][:, 0])
        self.line.require_unfolded(z, t)
        return self.line.means(z, self.full.cells.points[:, 0], self.full.cells.mesh.spacing[0])

    def rates(self, values: Mapping[str, Array], t: float) -> Values:
        """Return the rates of the nodes."""
        return {self.name: self.line.rates(np.ascontiguousarray(values[self.name][:, 0]), t)[:, None]}

    def longest(self, values: Mapping[str, Array], t: float) -> float:
        """Return the longest stable step [s]."""
        return self.line.longest(np.ascontiguousarray(values[self.name][:, 0]), t)

    def solve(self, name: str, values: Mapping[str, Array], at: Instant, held: bool = False) -> int:
        """Refuse: the line of all nodes is marched explicitly."""
        raise InputError("time.stepper: a line of all nodes takes explicit steppers only, e.g. ssp_rk")

    def counts(self) -> dict[str, Any]:
        """Return nodes and least spacing for the summary."""
        return {"reduced": {"nodes": self.line.n, "least_spacing": self.line.least}}
