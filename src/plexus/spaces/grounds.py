"""Where fields that are controls stand: nodes and cells of a mesh, cells and points of a grid, members.

    ‖m‖²_L2 = ∫ m²,    ∫ |∇m|² ≈ Σ_edges |c| ((m_i - m_j)/h)²        on grids, |c| the volume of a point

Names number the values of all ranks in an order that no partition changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.fields.arrays import einsum
from plexus.spaces.controls import Cellwise, Nodal, middles
from plexus.spaces.evaluate import WHOLE, Evaluator

if TYPE_CHECKING:
    from plexus.mesh.grid import Grid
    from plexus.protocols import Array
    from plexus.protocols.controls import Control
    from plexus.spaces.lagrange import Space

Entries = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Names of rows and of columns, and values."""


class ElementGround:
    """Nodes and cells of a mesh.

    Parameters
    ----------
    space
        The nodes of the unknowns.
    measure
        The factor on dx of the model: 2πr, a thickness.
    span
        First and last time of the run [s]; None where it does not march.
    """

    def __init__(
        self,
        space: Space,
        measure: Callable[[Array], Array | None],
        span: tuple[float, float] | None = None,
    ):
        self.space, self.measure, self.span = space.with_components(1, True), measure, span
        self.mesh, self.comm = space.mesh, space.comm

    def array(self, values: Array) -> Array:
        """Return values as they are."""
        return values

    def control(self, location: str) -> Control:
        """Return a field on nodes or cells. Collective."""
        return Nodal(self.space) if location == "node" else Cellwise(self.mesh)

    def points(self, location: str) -> np.ndarray:
        """Return the places of the own values, (n, d) [m]."""
        if location == "node":
            return self.space.points[: self.space.n_owned]
        return middles(self.mesh)[: self.mesh.n_owned_cells]

    def names(self, location: str) -> np.ndarray:
        """Return the names of the own values, (n,)."""
        if location == "node":
            return self.space.names()[: self.space.n_owned]
        return np.asarray(self.mesh.cell_ids[: self.mesh.n_owned_cells])

    def products(self, location: str, length: float) -> Entries:
        """Return this rank's part of the matrix of ∫ m m + ℓ² ∫ ∇m·∇m, by names."""
        rows, columns, values, first = [], [], [], 0
        every = self.space.names()
        for p in Evaluator(self.mesh).batches(WHOLE, 2 * self.space.degree, 0.0, {}):
            factor = self.measure(p.x)
            w, here = (p.jxw if factor is None else p.jxw * factor), slice(first, first + len(p.jxw))
            first = here.stop
            if location == "cell":
                rows.append(self.names("cell")[here])
                columns.append(rows[-1])
                values.append(w.sum(1))
                continue
            tables = p.rule.tables(self.space.element)
            block = einsum("cq,qi,qj->cij", w, tables.phi, tables.phi)
            if length:
                slope = einsum("qik,cqkd->cqid", tables.dphi, p.grad_map)
                block = block + length**2 * einsum("cq,cqid,cqjd->cij", w, slope, slope)
            nodes = every[self.space.cell_nodes[here]]
            rows.append(np.broadcast_to(nodes[:, :, None], block.shape).ravel())
            columns.append(np.broadcast_to(nodes[:, None, :], block.shape).ravel())
            values.append(block.ravel())
        return _joined(rows), _joined(columns), _joined(values)


class Gridded:
    """A field with a value per point of a grid or member; own values (n, 1).

    Parameters
    ----------
    count
        Number of own values.
    spread
        Own values as batches take their `window` of them. Collective.
    """

    replicated = False
    reads: Collection[str] = ()

    def __init__(self, count: int, spread: Callable[[Array], Array]):
        self.count, self._spread = count, spread

    def zeros(self) -> np.ndarray:
        """Return zeros, (n, 1)."""
        return np.zeros((self.count, 1))

    def spread(self, own: Array) -> Array:
        """Return the values as batches take their window of them. Collective."""
        return self._spread(own)

    def sample(self, batch: Any, values: Array) -> Any:
        """Return the values at the points of a batch."""
        from plexus.spaces.controls import Level

        return Level(batch.window(values))

    def at_nodes(self, nodes: Any, t: float, values: Array) -> Array:
        """Refuse: grids have points of batches only."""
        raise NotImplementedError("values on grids are read at the points of a batch")


class GridGround:
    """Points of no space or of a grid, each with a value.

    Parameters
    ----------
    space
        Numbers and places of the own points (`CellSpace`, `GridSpace`, `Indices`).
    array
        Rows of the host as a tensor of the device.
    spread
        Own values (n, 1), a tensor, as batches take their window of them. Collective.
    refused
        Location that there is not -> why.
    """

    def __init__(
        self,
        space: Any,
        array: Callable[[Array], Array],
        spread: Callable[[Array], Array],
        refused: dict[str, str],
    ):
        self.space, self.comm, self.array = space, space.comm, array
        self._spread, self._refused = spread, refused

    def control(self, location: str) -> Control:
        """Return a field.

        Raises
        ------
        InputError
            If no field stands there.
        """
        if location in self._refused:
            raise InputError(self._refused[location])
        return Gridded(self.space.n_owned, self._spread)

    def points(self, location: str) -> np.ndarray:
        """Return the places of the own values, (n, d)."""
        found: np.ndarray = self.space.points[: self.space.n_owned]
        return found

    def names(self, location: str) -> np.ndarray:
        """Return the names of the own values, (n,)."""
        found: np.ndarray = self.space.names()[: self.space.n_owned]
        return found

    def products(self, location: str, length: float) -> Entries:
        """Return this rank's part of the matrix of ∫ m m + ℓ² ∫ ∇m·∇m, by names.

        Without a space the integral is the sum over the index and the mean over the members.
        """
        names = self.names(location)
        if hasattr(self.space, "members"):
            return names, names, np.full(len(names), 1 / self.space.members.n_global)
        grid: Grid = self.space.mesh
        share = grid.volume / grid.n_global_cells
        rows, columns, values = [names], [names], [np.full(len(names), share)]
        for axis, h in enumerate(grid.spacing) if length else ():
            here, beyond = _neighbours(grid, names, axis)
            k = np.full(len(here), share * (length / h) ** 2)
            rows += [here, beyond, here, beyond]
            columns += [here, beyond, beyond, here]
            values += [k, k, -k, -k]
        return _joined(rows), _joined(columns), _joined(values)


def _neighbours(grid: Grid, names: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the points that have a next one along an axis, and these, by names."""
    index = np.array(np.unravel_index(names, grid.cells))
    index[axis] += 1
    kept = index[axis] < grid.cells[axis] if grid.ends(axis) else np.full(len(names), True)
    index[axis] %= grid.cells[axis]
    return names[kept], np.ravel_multi_index(tuple(index[:, kept]), grid.cells)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0)
