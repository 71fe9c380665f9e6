"""Loads of an equation on a basis: f(t) = Σ Σ_k a_k(t) Ψᵀ F_k, with the assembled vectors F_k of few shapes.

Sources are the body force, every boundary term at no displacement, and total forces on nodes. What a term
does with the displacement is `plexus.reduction.springs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.fields.arrays import add_at, einsum
from plexus.protocols import BoundaryTerm
from plexus.reduction.points import Instants
from plexus.reduction.separation import Separated
from plexus.reduction.terms import TAKEN
from plexus.spaces.points import CellSet, PointBatch, Values

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form
    from plexus.spaces.totals import NodalLoad

Array = np.ndarray
Integrand = Callable[[Any], Any]
"""A point -> f0 (C|1, Q|1, m), None for zero."""
Given = Mapping[str, tuple[Any, Any]]
"""Names of the fields that integrands read -> room and values; the unknown is zero."""


class Loads:
    """What acts on a body whatever it does. Construction is collective.

    Parameters
    ----------
    form : Form
        The equation with its boundary terms.
    body : callable
        The force per volume as f0.
    given : mapping
        Fields that loads may read.
    times : sequence of float
        When loads are sampled [s].
    basis : array (n_local, m, n)
        Modes of the unknown at the nodes.

    """

    def __init__(self, form: Form, body: Integrand, given: Given, times: Sequence[float], basis: Array):
        self.form, self.comm = form, form.space.comm
        self.sources: list[tuple[Separated, list[Array]]] = []
        for name, pieces in _sources(form, body, given):
            source = _Source(pieces, form.space.zeros())
            parts = Separated(self.comm, name, source.sample, source.at, times)
            vectors = [source.assembled(shape) for shape in parts.shapes.T]
            if parts.rank:
                self.sources.append((parts, vectors))
        self.project(basis)

    def project(self, basis: Array) -> None:
        """Turn to another basis (n_local, m, n). Collective."""
        n_owned = self.form.space.n_owned
        self.modes, self.rows = int(basis.shape[2]), list[Array]()
        for _, vectors in self.sources:
            rows = [np.einsum("im,imn->n", v[:n_owned], basis[:n_owned]) for v in vectors]
            self.rows.append(self.comm.allreduce(np.array(rows).reshape(-1, self.modes)))

    def local(self, times: Array) -> Array:
        """Return what this rank's points know of the loads at some times, (points, T)."""
        return np.concatenate([np.empty((0, len(times))), *(parts.local(times) for parts, _ in self.sources)])

    def over(self, times: Array) -> Array:
        """Return Ψᵀ F at some times, (T, n). Collective.

        Raises
        ------
        SolveError
            On all ranks, if a load has a shape at one of the times that it had at no sampled time.
        """
        total = np.zeros((len(times), self.modes))
        for a, rows in zip(self._amplitudes(times), self.rows, strict=True):
            total += a.T @ rows
        return total

    def forces(self, times: Array) -> Array:
        """Return F at some times, (T, n_owned, m). Collective."""
        n, m = self.form.space.n_owned, self.form.space.components
        total = np.zeros((len(times), n, m))
        for a, (_, vectors) in zip(self._amplitudes(times), self.sources, strict=True):
            for amplitude, v in zip(a, vectors, strict=True):
                total += amplitude[:, None, None] * v[:n]
        return total

    def _amplitudes(self, times: Array) -> list[Array]:
        """Return the amplitudes (r, T) of each source. Collective."""
        values, first, found = self.comm.allreduce(self.local(times)), 0, []
        for parts, _ in self.sources:
            here = values[first : first + len(parts.matrix)]
            found.append(parts.amplitudes(times, here))
            first += len(parts.matrix)
        return found


def _sources(form: Form, body: Integrand, given: Given) -> list[tuple[str, list[Any]]]:
    """Return name and pieces of each source, equally many on all ranks."""
    found: list[tuple[str, list[Any]]] = [("the body force", [Piece(form, given, body)])]
    for number, (where, term) in enumerate(form.terms):
        here = [part for part in form.parts_on_boundaries if part.term is term]
        pieces = [Piece(form, given, partial(pulled, term), part) for part in here]
        found.append((f"the {kind_of(term)} on {where} ({number + 1})", pieces))
    for number, load in enumerate(form.loads):
        found.append((f"the force on nodes ({number + 1})", [_Nodal(form, load)]))
    return found


def pulled(term: BoundaryTerm, p: Any) -> Any:
    """Return f0 of a boundary term."""
    return term.flux(p).f0


class _Source:
    """One load, in pieces: values at its quadrature points, all or some, and its assembled vector."""

    def __init__(self, pieces: list[Any], nothing: Array):
        self.pieces, self.nothing = pieces, nothing
        self.ends = np.cumsum([0, *(int(np.prod(piece.shape)) for piece in pieces)])

    def sample(self, t: float) -> Array:
        """Return f0 at all points, flat."""
        return np.concatenate([np.empty(0), *(piece.sample(t).ravel() for piece in self.pieces)])

    def at(self, indices: Array) -> Callable[[Array], Array]:
        """Return the values at some flat indices as a function of times."""
        which = np.searchsorted(self.ends, indices, side="right") - 1
        parts = [(np.flatnonzero(which == k), piece) for k, piece in enumerate(self.pieces)]
        asked = [
            (slots, piece.at(indices[slots] - self.ends[k]))
            for k, (slots, piece) in enumerate(parts)
            if len(slots)
        ]

        def values(times: Array) -> Array:
            found = np.zeros((len(indices), len(times)))
            for slots, here in asked:
                found[slots] = here(times)
            return found

        return values

    def assembled(self, shape: Array) -> Array:
        """Return ∫ f0·φ_i of one shape, (n_local, m), complete for own nodes."""
        total = self.nothing
        for piece, a, b in zip(self.pieces, self.ends, self.ends[1:], strict=False):
            total = total + piece.assembled(np.ascontiguousarray(shape[a:b].reshape(piece.shape)))
        return total


class Piece:
    """An integrand on all cells that touch own nodes, or on facets of one local number."""

    def __init__(self, form: Form, given: Given, integrand: Integrand, part: Any = None):
        self.form, self.given, self.integrand, self.part = form, given, integrand, part
        self.cells: CellSet = form.cells if part is None else part.facets.cells
        self.rule = form.rule if part is None else part.facets.rule
        self.shape = (len(self.cells), len(self.rule.weights), form.space.components)

    def sample(self, t: float) -> Array:
        """Return f0 on all cells, (C, Q, m)."""
        return self._values(self._points(t)) if len(self.cells) else np.zeros(self.shape)

    def _values(self, p: PointBatch) -> Array:
        f0, shape = self.integrand(p), (*p.shape, self.shape[2])
        return np.zeros(shape) if f0 is None else np.array(np.broadcast_to(f0, shape))

    def _points(self, t: float) -> PointBatch:
        cells = self.cells
        return PointBatch(cells, slice(0, len(cells)), self.rule, t, Values(self.given, self.form.own))

    def at(self, indices: Array) -> Callable[[Array], Array]:
        """Return the values at some flat indices as a function of times, (k, T)."""
        cell, q, c = np.unravel_index(indices, self.shape)
        chosen, inverse = np.unique(cell, return_inverse=True)
        every = np.arange(self.form.space.mesh.n_cells)[self.cells.local(slice(0, len(self.cells)))]
        few = Instants(self.form, self.rule, every[chosen], self.given)

        def values(times: Array) -> Array:
            found = self._values(few.at(times)).reshape(len(times), len(few), *self.shape[1:])
            return found[:, inverse, q, c].T

        return values

    def assembled(self, f0: Array) -> Array:
        """Return ∫ f0·φ_i, (n_local, m), complete for own nodes."""
        form, out = self.form, self.form.space.zeros()
        if not len(self.cells):
            return out
        p, element = self._points(0.0), form.space.element
        weight, tables = form.equation.measure(p.x), self.rule.tables(element)
        if self.part is None:
            nodes = form.cells.nodes(form.space)
            form.kernels.vector(form.cells.points, form.cells.cells, tables, nodes, f0, None, weight, out)
            return out
        w = p.jxw if weight is None else p.jxw * weight
        phi = tables.phi[:, element.facet_nodes[self.part.facets.facet]]
        add_at(out, self.part.nodes, einsum("cq,qi,cqa->cia", w, phi, f0))
        return out


class _Nodal:
    """A total force on nodes: what each own node bears of it, as f0 is signed."""

    def __init__(self, form: Form, load: NodalLoad):
        self.form, self.load, weights = form, load, load.share.weights
        self.shape = (len(weights), len(load.force(form.read(load.reads, 0.0))))

    def sample(self, t: float) -> Array:
        """Return minus the share of each node, (k, components)."""
        force = [float(f) for f in self.load.force(self.form.read(self.load.reads, t))]
        return -np.outer(self.load.share.weights, force)

    def at(self, indices: Array) -> Callable[[Array], Array]:
        """Return the values at some flat indices as a function of times, (k, T)."""
        return lambda times: np.stack([self.sample(float(t)).ravel()[indices] for t in times], axis=1)

    def assembled(self, f0: Array) -> Array:
        """Return the shares at their nodes, (n_local, m)."""
        out = self.form.space.zeros()
        # a node may occur twice where a cell meets itself across periodic sides
        np.add.at(out[:, self.load.columns], self.load.share.nodes, f0)
        return out


def kind_of(term: BoundaryTerm) -> str:
    """Return what a deck calls a boundary term."""
    return type(term).__name__.lower()


def require_separable(form: Form) -> None:
    """Refuse what acts on a body in a way that no sum of shapes has.

    Raises
    ------
    InputError
        For boundary terms that are neither given nor linear in the unknown.
    """
    for _, term in form.terms:
        if kind_of(term) not in TAKEN:
            known = ", ".join(TAKEN)
            raise InputError(f"rom: a reduced model takes {known}, and no {kind_of(term)}")
