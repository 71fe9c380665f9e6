"""All numbers of some controls as one vector that every rank has: what methods of fitting move.

    m = (numbers of the first control, of the second, …),    ‖m‖² = Σ_c ∫ m_c² + ℓ_c² ∫ |∇m_c|²

Numbers of fields stand in an order of nodes and cells that no partition changes. The Riesz map G g = dJ/dm
turns a derivative into the gradient g of the inner product G, a field that does not depend on the mesh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.fields.arrays import einsum
from plexus.solvers.gram import Gram
from plexus.spaces.controls import middles
from plexus.spaces.evaluate import WHOLE, Evaluator

if TYPE_CHECKING:
    from plexus.coupling.system import System
    from plexus.protocols import Stated

Array = Any
Measure = Callable[[Array], Array | None]


class Numbers:
    """The controls that are moved.

    Parameters
    ----------
    stated
        What the deck says of each.
    system
        The system that reads them.

    Attributes
    ----------
    parts : name -> its numbers in the vector.
    size : number of all.
    """

    def __init__(self, stated: Mapping[str, Stated], system: System):
        self.stated, self.system = dict(stated), system
        self.space = next(iter(system.spaces.values())).with_components(1, True)
        self.mesh = self.space.mesh
        self._places = {
            "node": self._ordered(self.space.names(), self.space.n_owned),
            "cell": self._ordered(self.mesh.cell_ids, self.mesh.n_owned_cells),
        }
        self.parts: dict[str, slice] = {}
        first = 0
        for name, control in self.stated.items():
            count = {"node": self.space.n_global, "cell": self.mesh.n_global_cells}.get(control.location)
            count = len(control.begin(self.space)) if count is None else count
            self.parts[name] = slice(first, first + count)
            first += count
        self.size = first

    def _rows(self, name: str) -> np.ndarray:
        """Return the place of each own value of a control in the vector."""
        part, location = self.parts[name], self.stated[name].location
        if location == "node":
            return part.start + self._places["node"][: self.space.n_owned]
        if location == "cell":
            return part.start + self._places["cell"][: self.mesh.n_owned_cells]
        return np.arange(part.start, part.stop)

    def _ordered(self, names: np.ndarray, n: int) -> np.ndarray:
        """Return the place of each local name, the first n own, among those of all ranks. Collective."""
        every = np.sort(np.concatenate(self.mesh.comm.allgather(names[:n])))
        return np.searchsorted(every, names)

    def own(self, m: Array) -> dict[str, Array]:
        """Return the own values of every control, of an array or a tensor (size,)."""
        found = {}
        for name, control in self.stated.items():
            values = m[self._rows(name)]
            found[name] = values if control.location == "own" else values[:, None]
        return found

    def whole(self, own: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the vector of own values. Collective."""
        m = np.zeros(self.size)
        for name, values in own.items():
            rows = self._rows(name)
            if self.stated[name].location != "own" or self.mesh.comm.rank == 0:
                m[rows] = np.asarray(values).ravel()
        return self.total(m)

    def total(self, part: np.ndarray) -> np.ndarray:
        """Return the sum of the ranks' vectors. Collective."""
        found = np.empty_like(part)
        self.mesh.comm.Allreduce(part, found)
        return found

    def start(self) -> np.ndarray:
        """Return the numbers at the start. Collective."""
        return self.whole({name: control.begin(self.space) for name, control in self.stated.items()})

    def present(self) -> np.ndarray:
        """Return the numbers that the system has now. Collective."""
        counts = {"node": self.space.n_owned, "cell": self.mesh.n_owned_cells}
        values = self.system.controls.values
        return self.whole({n: values[n][: counts.get(c.location)] for n, c in self.stated.items()})

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the smallest and the largest values, (size,) each."""
        found = np.empty((2, self.size))
        for name, part in self.parts.items():
            params = self.stated[name].params
            found[:, part] = np.array([[params.low], [params.high]])
        return found[0], found[1]

    def scale(self, m: np.ndarray | None = None) -> np.ndarray:
        """Return the size of each number: of the start, of ``m``, or half its bounds' width. Collective."""
        start, found = self.start(), np.ones(self.size)
        for name, part in self.parts.items():
            params, own = self.stated[name].params, self.stated[name].sizes
            if own is not None:
                found[part] = own
                continue
            size = float(np.abs(start[part]).max(initial=0.0))
            size = size or (0.0 if m is None else float(np.abs(m[part]).max(initial=0.0)))
            width = (params.high - params.low) / 2
            found[part] = size or (width if np.isfinite(width) else 1.0)
        return found

    def gram(self, name: str, length: float) -> Gram:
        """Return the inner product of one control; ``length`` is ℓ, 0 for L2. Collective."""
        control = self.stated[name]
        if control.location == "own":
            mass, stiffness = control.grams()
            return Gram.of(mass + length**2 * stiffness)
        return self._on_mesh(control.location, length)

    def _on_mesh(self, location: str, length: float) -> Gram:
        rows, columns, values = [], [], []
        degree = 2 * self.space.degree
        first = 0
        for p in Evaluator(self.mesh).batches(WHOLE, degree, 0.0, {}):
            factor = self.measure(p.x)
            w, here = (p.jxw if factor is None else p.jxw * factor), slice(first, first + len(p.jxw))
            first = here.stop
            if location == "cell":
                ids = self._places["cell"][here]
                rows.append(ids)
                columns.append(ids)
                values.append(w.sum(1))
                continue
            tables = p.rule.tables(self.space.element)
            block = einsum("cq,qi,qj->cij", w, tables.phi, tables.phi)
            if length:
                slope = einsum("qik,cqkd->cqid", tables.dphi, p.grad_map)
                block = block + length**2 * einsum("cq,cqid,cqjd->cij", w, slope, slope)
            nodes = self._places["node"][self.space.cell_nodes[here]]
            rows.append(np.broadcast_to(nodes[:, :, None], block.shape).ravel())
            columns.append(np.broadcast_to(nodes[:, None, :], block.shape).ravel())
            values.append(block.ravel())
        n = self.space.n_global if location == "node" else self.mesh.n_global_cells
        return Gram(n, *(self._gathered(parts) for parts in (rows, columns, values)))

    def _gathered(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Return the entries of all ranks. Collective."""
        mine = np.concatenate(parts) if parts else np.empty(0)
        return np.concatenate([a for a in self.mesh.comm.allgather(mine)])

    @property
    def measure(self) -> Measure:
        """The factor on dx of the model: 2πr, a thickness."""
        return self.system.equations[0].measure

    def regularisation(self) -> Gram:
        """Return R of all controls; zero where the deck states none. Collective."""
        found = []
        for name, part in self.parts.items():
            known, n = self.stated[name].params.regularisation, part.stop - part.start
            if known is None:
                zero = np.arange(n)
                found.append(Gram(n, zero, zero, np.zeros(n)))
            else:
                found.append(self.gram(name, known.length or 0.0).scaled(known.weight))
        return Gram.joined(found)

    def places(self, name: str) -> np.ndarray:
        """Return where the numbers of a field stand, (n, d), in their order. Collective."""
        part, d = self.parts[name], self.mesh.dim
        x = np.zeros((part.stop - part.start, d))
        if self.stated[name].location == "node":
            x[self._rows(name) - part.start] = self.space.points[: self.space.n_owned]
        else:
            x[self._rows(name) - part.start] = middles(self.mesh)[: self.mesh.n_owned_cells]
        return self.total(x)
