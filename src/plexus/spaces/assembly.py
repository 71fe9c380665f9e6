"""Residual and Jacobian of one equation: loops over batches of cells and facets, calling the kernels.

F_i(t, u, u_t) = ∫ (f0·φ_i + f1:∇φ_i) w dx + Σ_Γ ∫_Γ f0·φ_i w ds,
J_ij = ∂F_i/∂u_j + shift ∂F_i/∂u_t,j.

Only rows of own nodes are assembled; the ghost layer supplies all cells around them, so nothing is
communicated. Prescribed unknowns have residual zero and the identity in the matrix: ``u`` holds their
values already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from petsc4py import PETSc

from plexus.devices.bridge import bridge
from plexus.errors import SolveError, UntrustedError
from plexus.fields.arrays import add_at, einsum
from plexus.fields.stacks import columns
from plexus.protocols import (
    NOTHING,
    BoundaryTerm,
    Equation,
    Flux,
    Integrated,
    Joint,
    Since,
    Stores,
    Tangent,
    Unanswered,
)
from plexus.protocols.facets import Facets
from plexus.spaces import splits
from plexus.spaces.controls import Controls
from plexus.spaces.facets import FacetSet, sets_of_term
from plexus.spaces.lagrange import Space
from plexus.spaces.matrix import CooMatrix
from plexus.spaces.points import CellSet, PointBatch, Values, batches
from plexus.spaces.quadrature_space import QuadratureSpace
from plexus.spaces.rule import Rule, cell_rule, lumped_rule

if TYPE_CHECKING:
    from plexus.spaces.bodies import Bodies
    from plexus.spaces.held import Held
    from plexus.spaces.totals import NodalLoad

Array = Any
Fields = Mapping[str, np.ndarray]
FIRM = 1e8
"""Entries across facets relative to those of the cells, up to which six digits and more are right."""


@dataclass(frozen=True, eq=False)
class _BoundaryPart:
    """A term on facets of one local number, with the nodes and pairs that it adds to."""

    term: BoundaryTerm
    facets: FacetSet
    nodes: Array
    local: np.ndarray
    behind: Array | None = None
    """Nodes on the other side."""


class Form:
    """Weak form of an equation on a space.

    Parameters
    ----------
    space : space of the unknown, of a block with the components of all its fields.
    equation : what is integrated, see `plexus.protocols.Equation`.
    boundary_terms : pairs (facets or the name of a boundary, term).
    spaces : spaces of the other unknowns and of the internal variables that the equation may read, by name.
    fixed : prescribed unknowns, bool (n_local, m), ghosts included, equal on all ranks.
    backend : kernels: ``auto``, ``native``, ``reference`` or ``torch``.
    device : where torch works.
    degree : exact degree of the quadrature; default 2p, which integrates a mass matrix exactly.
    loads : forces on nodes.
    held : combinations of a node's unknowns that are prescribed.
    controls : what expressions may read beside fields, with its present values.

    Array arguments of the methods are field arrays (n_local, m) with their ghosts filled; ``fields``
    holds those of the other unknowns and of internal variables by name. ``since`` is the step that leads to
    ``t``, with the memory at its start.

    Attributes
    ----------
    terms : tuple
        The boundary terms.
    columns : mapping
        Name -> components of each field of a block; empty for a single unknown.
    symmetric : bool
        Whether all tangents of the last `jacobian` on this rank were symmetric.
    """

    def __init__(
        self,
        space: Space,
        equation: Equation,
        boundary_terms: Sequence[tuple[str | Facets, BoundaryTerm]] = (),
        spaces: Mapping[str, Space | QuadratureSpace] | None = None,
        fixed: np.ndarray | None = None,
        backend: str = "auto",
        device: str = "cpu",
        degree: int | None = None,
        loads: Sequence[NodalLoad] = (),
        held: Held | None = None,
        controls: Controls | None = None,
    ):
        self.space, self.equation, self.fixed = space, equation, fixed
        self.held, self.controls = held, controls or Controls()
        self.terms, self.loads = tuple(boundary_terms), tuple(loads)
        self.bridge = bridge(backend, device)
        self.kernels = self.bridge.kernels
        specs, dim = tuple(equation.fields), space.mesh.dim
        # a block is read as a whole under a name of its own, and field by field
        self.own = "+".join(spec.name for spec in specs)
        self.columns = columns(specs, dim) if len(specs) > 1 else {}
        parts = specs if self.columns else ()
        singles = {s.name: space.with_components(s.components(dim), s.shape == "scalar") for s in parts}
        self.spaces = {**singles, **(spaces or {}), self.own: space}
        self.degree = 2 * space.degree if degree is None else degree
        mesh = space.mesh
        touching = (space.cell_nodes < space.n_owned).any(axis=1)
        index = None if touching.all() else np.flatnonzero(touching)
        self.cells = CellSet(mesh, self.bridge, index)
        self.rule = cell_rule(mesh, self.degree)
        self.tables = self.rule.tables(space.element)
        self._place = np.cumsum(touching) - 1
        self.parts_on_boundaries = [
            p for where, term in self.terms for p in self._boundary(where, term, touching)
        ]
        lumps = isinstance(equation, Stores) and equation.lumped
        self._nodes = lumped_rule(mesh, space.degree) if lumps else None
        one = self.bridge.array(np.ones((1, 1, mesh.dim)))
        self._measured = equation.measure(one) is not None
        self.symmetric = True

    def _boundary(
        self, where: str | Facets, term: BoundaryTerm, touching: np.ndarray
    ) -> Iterator[_BoundaryPart]:
        mesh = self.space.mesh
        for facets in sets_of_term(mesh, where, term, self.degree, self.bridge, touching):
            nodes, behind = self._nodes_on(facets), facets.behind
            local = self.space.element.facet_nodes[facets.facet]
            yield _BoundaryPart(
                term, facets, nodes, local, None if behind is None else self._nodes_on(behind)
            )

    def _nodes_on(self, facets: FacetSet) -> Array:
        """Return the nodes on facets, (C, k)."""
        return facets.cells.nodes(self.space)[:, self.space.element.facet_nodes[facets.facet]]

    @cached_property
    def matrix(self) -> CooMatrix:
        """The matrix that `jacobian` fills. Collective at the first access."""
        nodes = self.bridge.host(self.cells.nodes(self.space))
        links = [_pairs(self.bridge.host(p.nodes), self.bridge.host(p.behind)) for p in self._across]
        return CooMatrix(self.space, nodes, self.fixed, self.held, links)

    def let_go(self) -> None:
        """Free the matrix; the next use makes it anew."""
        for name in ("matrix", "_slots", "_crossings"):
            self.__dict__.pop(name, None)

    @property
    def _across(self) -> list[_BoundaryPart]:
        return [part for part in self.parts_on_boundaries if part.behind is not None]

    @cached_property
    def _crossings(self) -> dict[_BoundaryPart, np.ndarray]:
        """Pairs of own and opposite facet nodes (C, k, k) of terms across; -1 where the row is not own."""
        host = self.bridge.host
        return {p: self.matrix.places(*_pairs(host(p.nodes), host(p.behind))) for p in self._across}

    @cached_property
    def _slots(self) -> Array:
        return self.bridge.array(self.matrix.slots)

    def near_nullspace(self) -> PETSc.NullSpace:
        """Return the modes that cost no energy, orthonormalised."""
        return self.space.near_nullspace(self.equation.near_nullspace)

    def bodies(self) -> Bodies:
        """Return the bodies of the matrix that is assembled now. Collective."""
        from plexus.spaces.bodies import bodies

        return bodies(self)

    def parts(self) -> Mapping[str, PETSc.IS]:
        """Return name -> owned unknowns of each field of a block, with its near null space. Collective."""
        return splits.parts(self)

    def residual(
        self, t: float, u: np.ndarray, rate: np.ndarray | None, fields: Fields, since: Since = NOTHING
    ) -> np.ndarray:
        """Return F(t, u, rate), zero at prescribed unknowns, (n_owned, m); ``rate`` None means zero."""
        return self.released(self.reactions(t, u, rate, fields, since))

    def released(self, forces: np.ndarray) -> np.ndarray:
        """Return what `reactions` returned, in place without the forces that hold the prescribed unknowns."""
        if self.fixed is not None:
            forces[self.fixed[: self.space.n_owned]] = 0.0
        if self.held is not None:
            self.held.release(forces)
        return forces

    def reactions(
        self, t: float, u: np.ndarray, rate: np.ndarray | None, fields: Fields, since: Since = NOTHING
    ) -> np.ndarray:
        """Return F(t, u, rate) with the forces (fluxes) that hold the prescribed unknowns, (n_owned, m)."""
        values = self._values(u, rate, fields, since)
        out = self.bridge.array(self.space.zeros())
        for rule, integrand in self.integrands():
            tables = rule.tables(self.space.element)
            for p in batches(self.cells, rule, self.size, t, values):
                f = self._lifted(integrand.flux(p))
                if f.f0 is not None or f.f1 is not None:
                    nodes = self.cells.nodes(self.space)[p.part]
                    cells = self.cells.cells[p.part]
                    weight = self._weight(p)
                    self.kernels.vector(self.cells.points, cells, tables, nodes, f.f0, f.f1, weight, out)
        for part, p, phi, w in self._facets(t, values):
            f = self._lifted(part.term.flux(p))
            if f.f0 is not None:
                add_at(out, part.nodes, einsum("cq,qi,cqa->cia", w, phi, self._full(f.f0, w)))
        result = self.bridge.host(out)[: self.space.n_owned]
        for load in self.loads:
            load.subtract(self.read(load.reads, t), result)
        return result

    def jacobian(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        shift: float,
        fields: Fields,
        since: Since = NOTHING,
    ) -> PETSc.Mat:
        """Assemble ∂F/∂u + shift ∂F/∂u_t into `matrix` and return its PETSc matrix. Collective."""
        matrix, values = self.matrix, self._values(u, rate, fields, since)
        matrix.clear()
        self.symmetric = True
        store = self.bridge.array(matrix.values)
        for rule, integrand in self.integrands():
            tables = rule.tables(self.space.element)
            for p in batches(self.cells, rule, self.size, t, values):
                tangent = integrand.tangent(p)
                self.symmetric &= tangent.symmetric
                c00, c01, c10, c11 = self._coefficients(tangent, shift)
                cells, slots = self.cells.cells[p.part], self._slots[p.part]
                self.kernels.matrix(
                    self.cells.points, cells, tables, c00, c01, c10, c11, self._weight(p), slots, store,
                    tangent.symmetric,
                )  # fmt: skip
                if tangent.joint is not None:
                    self._add_joint(store, p, tangent.joint)
        cut = self.space.mesh.cut is not None
        inner = matrix.diagonal(self.bridge.host(store)) if cut else None
        for part, p, phi, w in self._facets(t, values):
            tangent = part.term.tangent(p)
            c00 = self._coefficients(tangent, shift)[0]
            if c00 is not None:
                self.symmetric &= tangent.symmetric or (self.space.components == 1 and part.behind is None)
                block = einsum("cq,qi,qj,cqab->cijab", w, phi, phi, self._full(c00, w))
                self._add_pairs(store, self._own_pairs(part), block)
            behind = self._behind(part, tangent)
            if behind is not None:
                psi, c = behind
                block = einsum("cq,qi,qj,cqab->cijab", w, phi, psi, self._full(c, w))
                self._add_pairs(store, self._crossings[part], block)
        host = self.bridge.host(store)
        if not np.shares_memory(host, matrix.values):
            matrix.values[...] = host
        if inner is not None:
            self._require_apart(inner)
        return matrix.store()

    def _require_apart(self, inner: np.ndarray) -> None:
        """Refuse terms across facets beside which the entries of cells (n_owned, 1) round off. Collective."""
        firmness = max(self.space.comm.allgather(self.matrix.firmness(inner)))
        if firmness > FIRM:
            raise SolveError(
                f"solve failed: {self.equation.field.name}: a contact ties its sides {firmness:.1g} times as "
                f"firmly as the cells there, so that rounding would decide (at most {FIRM:g} times); leave "
                "it out, and the regions are bonded"
            )

    def integrands(self) -> Iterator[tuple[Rule, Integrated]]:
        """Yield rules with what is integrated by them: the equation, and at the nodes a lumped capacity."""
        yield self.rule, self.equation
        if self._nodes is not None:
            yield self._nodes, self.equation.stored  # type: ignore[attr-defined]  # it is one of `Stores`

    def bearing(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        shift: float,
        fields: Fields,
        since: Since,
        v: np.ndarray,
    ) -> np.ndarray:
        """Return ∫ φ_i (∂f0/∂u + shift ∂f0/∂u_t) v with those of boundary terms for each mode v."""
        values = self._values(u, rate, fields, since)
        modes = [(self.bridge.array(one), self.bridge.array(self.space.zeros())) for one in v]
        for rule, integrand in self.integrands():
            tables = rule.tables(self.space.element)
            for p in batches(self.cells, rule, self.size, t, values):
                c00 = self._coefficients(integrand.tangent(p), shift)[0]
                if c00 is not None:
                    nodes, cells = self.cells.nodes(self.space)[p.part], self.cells.cells[p.part]
                    phi, weight = self.bridge.array(tables.phi), self._weight(p)
                    c00 = self._full(c00, p.jxw)
                    for one, out in modes:
                        f0 = einsum("cqab,qj,cjb->cqa", c00, phi, one[nodes])
                        self.kernels.vector(self.cells.points, cells, tables, nodes, f0, None, weight, out)
        for part, p, phi, w in self._facets(t, values):
            tangent = part.term.tangent(p)
            c00, behind = self._coefficients(tangent, shift)[0], self._behind(part, tangent)
            pieces = [] if c00 is None else [(part.nodes, phi, c00)]
            pieces += [] if behind is None else [(part.behind, *behind)]
            for nodes, psi, c in pieces:
                for one, out in modes:
                    here = einsum("cqab,qj,cjb->cqa", self._full(c, w), psi, one[nodes])
                    add_at(out, part.nodes, einsum("cq,qi,cqa->cia", w, phi, here))
        return np.stack([self.bridge.host(out)[: self.space.n_owned] for _, out in modes])

    def advance(
        self, t: float, u: np.ndarray, rate: np.ndarray | None, fields: Fields, since: Since
    ) -> dict[str, np.ndarray]:
        """Return the equation's internal variables at the end of the step, rows of all local cells.

        Ghost cells are advanced as they are assembled, by every rank that has them.
        """
        found = {spec.name: self.spaces[spec.name].zeros() for spec in self.equation.internal}
        rows = {name: self.bridge.array(a) for name, a in found.items()}
        values = self._values(u, rate, fields, since)
        for p in batches(self.every_cell, self.rule, self.size, t, values):
            self.remember(rows, p)
        return {name: self.bridge.host(a) for name, a in rows.items()}

    def remember(self, rows: Mapping[str, Array], p: PointBatch) -> None:
        """Let rows of all local cells be those at the end of the step in the cells of a batch, in place."""
        for name, value in self.equation.advance(p).items():
            space: Any = self.spaces[name]
            space.by_cell(rows[name])[p.part] = value[:, :, None] if space.scalar else value

    def unanswered(
        self, t: float, u: np.ndarray, rate: np.ndarray | None, fields: Fields, since: Since
    ) -> tuple[int, str] | None:
        """Return the first of the assembled cells in which the material has no answer, and what it was asked.

        Its name is the same on any number of ranks; None where there is no such cell here.
        """
        equation = self.equation
        if not isinstance(equation, Unanswered):
            return None
        for p in batches(self.cells, self.rule, self.size, t, self._values(u, rate, fields, since)):
            where_not, asked, words = equation.unanswered(p)
            bad, asked = self.bridge.host(where_not), self.bridge.host(asked)
            if bad.any():
                cell, point = np.argwhere(bad)[0]
                name = int(self.space.mesh.cell_ids[self.cells.local(p.part)][cell])
                where = ", ".join(f"{x:.4g}" for x in self.bridge.host(p.x)[cell, point])
                rows = np.array2string(asked[cell, point], precision=4, separator=", ").replace("\n", "")
                return name, f"no answer in cell {name}, point {point} at ({where}): {words} = {rows}"
        return None

    def judge(self, t: float, u: np.ndarray, rate: np.ndarray | None, fields: Fields, since: Since) -> None:
        """Let what watches the equation's learned parts judge a solution. Collective.

        Raises
        ------
        UntrustedError
            On all ranks, if one of them must not answer it.
        """
        parts = self.equation.learned.items()
        watched = {path: part.guard for path, part in parts if not part.guard.using_fallback}
        if not watched:
            return
        for guard in watched.values():
            guard.begin()
        for p in batches(self._own_cells, self.rule, self.size, t, self._values(u, rate, fields, since)):
            self.equation.judge(p)
        # every rank asks every part: the answer is collective
        told = {path: guard.verdict() for path, guard in watched.items()}
        for path, why in told.items():
            if why is not None:
                raise UntrustedError(f"{path}: {why}")

    def read(
        self, names: Collection[str], t: float, values: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return time and those of the names that are controls; ``values`` stand for the stored ones."""
        return {"t": t, **self.controls.at_nodes(names, np.empty(0, int), t, values)}

    @cached_property
    def _own_cells(self) -> CellSet:
        """The cells that this rank owns: each is judged once."""
        return CellSet(self.space.mesh, self.bridge, slice(self.space.mesh.n_owned_cells))

    @cached_property
    def every_cell(self) -> CellSet:
        """All local cells; outer ghost cells touch no own node and are not assembled."""
        return self.cells if self.cells.index is None else CellSet(self.space.mesh, self.bridge)

    def _values(self, u: np.ndarray, rate: np.ndarray | None, fields: Fields, since: Since) -> Values:
        """Bring all arrays to the kernels' device."""
        own = self.own
        parts = {name: np.ascontiguousarray(u[:, here]) for name, here in self.columns.items()}
        known = self.known({**self.controls.values, **fields, **parts, own: u})
        before = {name: self.bridge.array(rows) for name, rows in since.before.items()}
        since = Since(since.dt, before) if before else since
        return Values(known, own, None if rate is None else self.bridge.array(rate), since)

    def known(self, arrays: Mapping[str, np.ndarray]) -> dict[str, tuple[Any, Array]]:
        """Return rooms and values of what an integrand may read."""
        places = {**self.controls.members, **self.spaces}
        return {k: (s, self.bridge.array(arrays[k])) for k, s in places.items() if k in arrays}

    @property
    def size(self) -> int:
        """Cells per batch, so that the samples (C, Q, m, d) of one batch stay in cache."""
        per_cell = len(self.rule.weights) * self.space.components * self.space.mesh.dim
        return max(512, min(8192, 100_000 // per_cell))

    def _weight(self, p: PointBatch) -> Array | None:
        return self.equation.measure(p.x) if self._measured else None

    def _facets(self, t: float, values: Values) -> Iterator[tuple[_BoundaryPart, PointBatch, Array, Array]]:
        """Yield per boundary part its points, the facet nodes' basis values (Q, k) and weighted ds (C, Q)."""
        for part in self.parts_on_boundaries:
            facets = part.facets
            p = PointBatch(facets.cells, slice(0, len(facets.cells)), facets.rule, t, values, facets.other)
            weight = self._weight(p)
            yield part, p, self._basis(facets), p.jxw if weight is None else p.jxw * weight

    def _basis(self, facets: FacetSet) -> Array:
        """Return the values of the facet nodes' basis at the points, (Q, k)."""
        phi = facets.rule.tables(self.space.element).phi
        return self.bridge.array(phi[:, self.space.element.facet_nodes[facets.facet]])

    def _behind(self, part: _BoundaryPart, tangent: Tangent) -> tuple[Array, Array] | None:
        """Return the basis on the other side (Q, k) and ∂f0/∂u there, with the axes that c00 has."""
        if tangent.across is None or part.facets.behind is None:
            return None
        c = self._coefficients(Tangent(c00=tangent.across), 0.0)[0]
        return self._basis(part.facets.behind), c

    def _own_pairs(self, part: _BoundaryPart) -> np.ndarray:
        """Return the pairs of the nodes of each facet, (C, k, k); -1 where the row is not own."""
        cells = self._place[part.facets.cells.index]
        slots: np.ndarray = self.matrix.slots[cells[:, None, None], part.local[:, None], part.local]
        return slots

    def _add_pairs(self, store: Array, slots: np.ndarray, block: Array) -> None:
        """Add facet matrices (C, k, k, m, m) to the pairs ``slots`` of own rows."""
        kept = slots >= 0
        add_at(store, self.bridge.array(slots[kept]), block[self.bridge.array(kept)])

    def _add_joint(self, store: Array, p: PointBatch, joint: Joint) -> None:
        """Add B_ik W_kl B_jl to the pairs of own rows, with B_ik = ∫ b0_k φ_i + b1_k·∇φ_i."""
        factor = self._weight(p)
        w = p.jxw if factor is None else p.jxw * factor
        # b1 in the directions of the reference element first, which are fewer than nodes
        turned = einsum("cqkad,cqjd->cqkaj", w[:, :, None, None, None] * joint.b1, p.grad_map)
        b = einsum("qij,cqkaj->ciak", self.bridge.array(self.tables.dphi), turned, as_matrices=True)
        if joint.b0 is not None:
            b = b + einsum("cq,cqka,qi->ciak", w, self._full(joint.b0, w), self.bridge.array(self.tables.phi))
        self.kernels.joint(b, joint.weight, self._slots[p.part], store)

    def _full(self, c: Array, w: Array) -> Array:
        """Expand the leading axes of a coefficient to (C, Q)."""
        return c + 0.0 * w.reshape(*w.shape, *[1] * (c.ndim - 2))

    def _lifted(self, f: Flux) -> Flux:
        """Give the integrands of a scalar equation a component axis."""
        if not self.space.scalar:
            return f
        return Flux(
            None if f.f0 is None else f.f0[:, :, None],
            None if f.f1 is None else f.f1[:, :, None, :],
        )

    def _coefficients(self, c: Tangent, shift: float) -> tuple[Array | None, ...]:
        """Return c00 + shift m00, c01, c10 and c11 with the component axes that the kernels expect."""
        c00 = c.c00
        if c.m00 is not None and shift != 0.0:
            c00 = shift * c.m00 if c00 is None else c00 + shift * c.m00
        if not self.space.scalar:
            return c00, c.c01, c.c10, c.c11
        return (
            None if c00 is None else c00[:, :, None, None],
            None if c.c01 is None else c.c01[:, :, None, None, :],
            None if c.c10 is None else c.c10[:, :, None, :, None],
            None if c.c11 is None else c.c11[:, :, None, :, None, :],
        )


def _pairs(rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs of nodes on two sides of facets (C, k), rows and columns (C, k, k)."""
    return np.repeat(rows[:, :, None], cols.shape[1], axis=2), np.repeat(cols[:, None], rows.shape[1], axis=1)
