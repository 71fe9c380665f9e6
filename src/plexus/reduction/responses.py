"""Elastic responses of a body to each shape of its loads and prescribed values, one linear solve per shape.

    K_0 u_k = -F_k,    σ_k = C_0 : ε(u_k) + τ_k

F_k are the shapes of body forces and boundary terms, and those of what a temperature does to a body that is
held, τ(x, t) = -C : ε_th(T). K_0 and C_0 are those of the start, at which nothing flows. As long as a body is
elastic and its moduli do not change, its displacement is a sum of these, whatever the amplitudes; of a basis
that has them, a reduced model has no error there (D. Ryckelynck, J. Comput. Phys. 202 (2005) 346,
doi:10.1016/j.jcp.2004.07.015, on bases that are completed on the way).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.protocols import Instant, Since
from plexus.reduction.gramschmidt import Orthonormal
from plexus.reduction.loads import Loads
from plexus.reduction.pod import orthonormal
from plexus.solvers.adjoint.linearised import Linearised
from plexus.spaces.points import CellSet, Values, batches

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.coupling.system import System
    from plexus.spaces.points import PointBatch

Array = np.ndarray
NEGLIGIBLE = 1e-9
"""Stress of a temperature relative to the largest modulus below which it has none."""

ROUNDING = 1e-14
"""Share of the largest eigenvalue of a Gram matrix below which there is only rounding."""
NEW = 1e-6
"""Share of a load beyond which what no training has seen counts."""
TEMPERATURE = "the temperature"


@dataclass(frozen=True, eq=False)
class Shape:
    """One shape of a load.

    Attributes
    ----------
    source : str
        Where it comes from, in words.
    size : float
        Root mean square of its amplitude at the sampled times.
    force : array (n_local, m)
        F_k, complete for own nodes.
    held : array (own points, 9) or None
        τ_k of a temperature.
    """

    source: str
    size: float
    force: Array
    held: Array | None = None


@dataclass(frozen=True, eq=False)
class Answers:
    """Displacements (n_local m, k) and k stresses (own points, 9) of shapes, as large as in the load."""

    fields: Array
    stresses: list[Array]


class Elastic:
    """A body at rest at the start of a run, at which nothing flows. Construction is collective.

    Parameters
    ----------
    full : System
        The full model, of one equation.
    start : float
        Time of its data [s].
    """

    def __init__(self, full: System, start: float):
        self.full, self.start = full, start
        self.form: Any = next(iter(full.forms.values()))
        self.name = self.form.equation.field.name
        self.space, self.comm = self.form.space, self.form.space.comm
        self.points = full.quadrature
        self.memory = full.begin()
        self._made: tuple[int, Linearised] | None = None
        """State of the matrix when it was K_0, and what solves with it."""
        mesh = self.space.mesh
        self._cells = CellSet(mesh, self.form.bridge, slice(mesh.n_owned_cells))
        stored = {n: (full.points[n], a) for n, a in self.memory.items()}
        self._rest: dict[str, Any] = {**stored, self.name: (self.space, self.space.zeros())}

    @property
    def given(self) -> dict[str, Any]:
        """What integrands may read of the body at rest: controls as they are now, memory, displacement."""
        controls = self.full.controls
        return {n: (controls.members[n], a) for n, a in controls.values.items()} | self._rest

    def shapes(self, loads: Loads, times: Sequence[float]) -> list[Shape]:
        """Return the shapes of all loads at some times. Collective."""
        root = len(times) ** 0.5
        found = [
            Shape(parts.name, float(size) / root, vector)
            for parts, vectors in loads.sources
            for size, vector in zip(parts.sizes, vectors, strict=True)
        ]
        return [*found, *self.thermal(loads, times)]

    def thermal(self, loads: Loads, times: Sequence[float]) -> list[Shape]:
        """Return the shapes of what temperatures do. Collective."""
        held = Orthonormal(self.comm, (9 * self.points.n_global) ** 0.5 * NEGLIGIBLE * self.modulus())
        for t in times:
            held.take(self.stress(t).ravel())
        sizes, coefficients = held.principal(ROUNDING**0.5)
        # forces are those of the stresses, so that few of them make the others
        rows = [self._force(times[k]) - loads.forces(np.array([times[k]]))[0] for k in held.first]
        found = []
        for size, shares, shape in zip(sizes, coefficients.T, held.shapes, strict=True):
            force = self.space.zeros()
            for share, row in zip(shares, rows, strict=True):
                force[: self.space.n_owned] += share * row
            found.append(Shape(TEMPERATURE, float(size) / len(times) ** 0.5, force, shape.reshape(-1, 9)))
        return found

    def _force(self, t: float, u: Array | None = None) -> Array:
        """Return what holds the body at a time, at rest or with an elastic displacement, (n_owned, m)."""
        u = self.space.zeros() if u is None else u
        fields = {self.name: u, **self.memory}
        found: Array = self.form.reactions(t, u, None, fields, Since(0.0, self.memory))
        return found

    def modulus(self) -> float:
        """Return the largest bulk modulus at the start. Collective."""
        equation, found = self.form.equation, 0.0
        for p in self._batches(self.start):
            found = max(found, float(np.max(equation.law.bulk(equation.heated(p)))))
        return float(max(self.comm.allgather(found)))

    def respond(self, shapes: Sequence[Shape]) -> Answers:
        """Return what the body answers to shapes. Collective.

        Raises
        ------
        SolveError
            If a linear solve fails.
        """
        space, inverse, fields, stresses = self.space, self._inverse(), [], []
        for shape in shapes:
            found = -self._solved(inverse, shape.force[: space.n_owned]) * shape.size
            fields.append(found.ravel())
            stress = self.stress(self.start, found)
            if shape.held is not None:
                stress += shape.size * shape.held
            stresses.append(stress)
        rows = np.array(fields).reshape(len(shapes), space.n_local * space.components)
        return Answers(rows.T, stresses)

    def lifted(self, shapes: Array, sizes: Array) -> Answers:
        """Return what the body answers to prescribed values, the fields as large as these. Collective.

        Parameters
        ----------
        shapes : array (n_owned m, k)
            Prescribed values at own nodes, zero where nothing is prescribed.
        sizes : array (k,)
            How large they are in the run; stresses are as large.

        Raises
        ------
        SolveError
            If a linear solve fails.
        """
        space, fields, stresses = self.space, [], []
        n, rest = space.n_owned, self._force(self.start)
        inverse = self._inverse() if shapes.shape[1] else None
        for shape, size in zip(shapes.T, sizes, strict=True):
            assert inverse is not None
            u = space.zeros()
            u[:n] = shape.reshape(n, space.components)
            space.halo.forward(u)
            u -= self._solved(inverse, self._force(self.start, u) - rest)
            fields.append(u.ravel())
            stresses.append(size * self.stress(self.start, u))
        rows = np.array(fields).reshape(len(sizes), space.n_local * space.components)
        return Answers(rows.T, stresses)

    def solved(self, force: Array) -> Array:
        """Return u (n_local, m), ghosts included, of K_0 u = F at free nodes, F (n_owned, m). Collective.

        Raises
        ------
        SolveError
            If the linear solve fails.
        """
        return self._solved(self._inverse(), force)

    def _solved(self, inverse: Linearised, force: Array) -> Array:
        found, load = self.space.zeros(), self.form.released(force.copy())
        found[: self.space.n_owned] = inverse.solved(load.ravel()).reshape(load.shape)
        self.space.halo.forward(found)
        return found

    def _inverse(self) -> Linearised:
        """Return what solves with K_0; it is assembled where another matrix has its place. Collective."""
        mat = self.form.matrix.mat
        if self._made is None or self._made[0] != mat.stateGet():
            solver, u = self.full.solvers[self.name], self.space.zeros()
            at = Instant(self.start, 0.0, before=self.memory)
            solver.assemble(u, at, {self.name: u, **self.memory})
            self._made = mat.stateGet(), Linearised(solver)
        return self._made[1]

    def stress(self, t: float, u: Array | None = None) -> Array:
        """Return C:ε(u) at the points of own cells, (k, 9).

        Without ``u`` it is that of the strain that is no displacement's.
        """
        equation, found = self.form.equation, np.empty((self.points.n_owned, 9))
        rows = found.reshape(-1, self.points.per_cell, 9)
        given = self.given if u is None else {**self.given, self.name: (self.space, u)}
        for p in self._batches(t, given):
            strain = equation.given_strain(p) if u is None else equation.linear_strain(p)
            strain = np.ascontiguousarray(np.broadcast_to(strain, (*p.shape, 3, 3)))
            rows[p.part] = equation.law.respond(equation.heated(p), strain).stress.reshape(*p.shape, 9)
        return found

    def temperatures(self, times: Sequence[float]) -> Array:
        """Return the temperature at own points (k, times), without columns where there is none."""
        found, known = np.empty((self.points.n_owned, len(times)), order="F"), False
        for column, t in zip(found.T, times, strict=True):
            rows = column.reshape(-1, self.points.per_cell)
            for p in self._batches(t):
                fields = self.form.equation.heated(p).fields
                if "temperature" in fields:
                    rows[p.part], known = fields["temperature"].value, True
        return found if self.comm.allreduce(known) else found[:, :0]

    def warmth(self, times: Sequence[float]) -> Array:
        """Return the span of the temperatures at some times, (own points, k). Collective."""
        found = Orthonormal(self.comm)
        for t in times:
            for heat in self.temperatures([t]).T:
                found.take(heat)
        found.principal(ROUNDING**0.5)
        return span(self.comm, np.array(found.shapes).reshape(len(found.shapes), self.points.n_owned).T)

    def unseen(self, loads: Loads, times: Sequence[float], forces: Array, temperatures: Array) -> list[str]:
        """Return the loads that have parts outside of spans, in words. Collective.

        ``forces`` (n_owned m, k) and ``temperatures`` (own points, k) are orthonormal columns. A source has
        such a part if its samples have more than `NEW` of their size there.
        """
        new = []
        for parts, vectors in loads.sources:
            rows = np.column_stack([v[: self.space.n_owned].ravel() for v in vectors]) * parts.sizes
            if outside(self.comm, rows, forces) > NEW:
                new.append(parts.name)
        heat = self.temperatures(times)
        if heat.shape[1] and outside(self.comm, heat, temperatures) > NEW:
            new.append(TEMPERATURE)
        return new

    def _batches(self, t: float, given: Mapping[str, Any] | None = None) -> Iterator[PointBatch]:
        fields: Any = given or self.given
        values = Values(fields, self.form.own, since=Since(0.0, self.memory))
        return batches(self._cells, self.form.rule, 4096, t, values)


def factored(gram: Array) -> tuple[Array, Array]:
    """Return singular values (r,) of a Gram matrix' columns, and what makes them orthonormal, (k, r)."""
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    keep = values > ROUNDING * max(values[-1], 0.0) if len(values) else np.zeros(0, dtype=bool)
    return np.sqrt(values[keep]), vectors[:, keep] / np.sqrt(values[keep])


def outside(comm: Comm, rows: Array, span: Array) -> float:
    """Return which share of columns lies outside the span of orthonormal ones. Collective."""
    rest = rows - span @ comm.allreduce(span.T @ rows)
    left, size = comm.allreduce(np.array([(rest**2).sum(), (rows**2).sum()]))
    return float((left / size) ** 0.5) if size > 0 else 0.0


def span(comm: Comm, columns: Array) -> Array:
    """Return orthonormal columns that span those of before. Collective."""
    _, coefficients = factored(comm.allreduce(columns.T @ columns))
    made = columns @ coefficients
    return orthonormal(comm, made, lambda a: a) if made.shape[1] else made


def spans(loads: Loads, elastic: Elastic, times: Sequence[float]) -> tuple[Array, Array]:
    """Return the spans of forces (n_owned m, k) and temperatures (own points, k). Collective."""
    space = elastic.space
    rows = [v[: space.n_owned].ravel() for _, vectors in loads.sources for v in vectors]
    forces = np.array(rows).reshape(len(rows), space.n_owned * space.components).T
    size = np.sqrt(elastic.comm.allreduce((forces**2).sum(axis=0)))
    return span(elastic.comm, forces / size), elastic.warmth(times)
