"""Prescribed values along normals: n·u = g on a boundary, however it is inclined.

At every node of the boundary the unknown u of the node satisfies N u = g. The rows of N are the normals of
the smooth surfaces that meet there (one on a face or on a curved surface, two along the edge between two
planes, three in a corner) and the directions e_c of components that are prescribed too. With an orthonormal
basis B of the span of the normals, without the prescribed components,

    u ← u + Bᵀ (N Bᵀ)⁻¹ (g - N u),    Π = Bᵀ B

imposes the values exactly, and the equations hold for what is left: (I - Π) F(u) = 0. Unknowns stay those
along the axes, the tangent becomes (I - Π) K (I - Π) + s Π, as symmetric as K, with s of the size of its
diagonal. Source: M. S. Engelman, R. L. Sani, P. M. Gresho, Int. J. Numer. Meth. Fluids 2 (1982) 225-238,
doi:10.1002/fld.1650020302.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from plexus.deck.params import Expression
from plexus.errors import InputError
from plexus.fields.arrays import einsum, like, where
from plexus.protocols import Array
from plexus.protocols.facets import Facets

if TYPE_CHECKING:
    from plexus.spaces.lagrange import Space
    from plexus.spaces.normals import NodeNormals

PARALLEL = 1e-6
"""Sine of the angle below which a plane adds no direction of its own."""
BENT = 0.45
"""The same for a surface that is not plane: its normals at nodes are those of the mesh, close to the true
ones."""
CLEAR = 0.12
"""Singular value of the normals of a node below which they do not tell forces apart: planes that differ by
less than 10 degrees hold their common node like a pin, whose small force across them they would multiply."""


@dataclass(frozen=True)
class AlongNormal:
    """A value of n·u on boundaries: an expression of x, y, z, t; n points outward."""

    where: Facets
    value: Expression
    path: str = "boundary"


class Inclined:
    """All values along normals of one field. Construction is collective.

    Parameters
    ----------
    space : Space
        Space of the field.
    conditions : sequence of AlongNormal
        Where and what.
    fixed : ndarray of bool (n_local, m)
        Components that are prescribed; they hold where a normal says otherwise.

    Attributes
    ----------
    nodes : (k,) local nodes with a direction that is prescribed, ghosts included, ascending.
    projectors : (k, m, m) Π of each.
    spans : (k, m, m) projector onto the directions that normals and prescribed components clearly have.
    kinks : (k,) least angle [rad] between directions of each node; a right angle where there is one only.
    places : facets of each condition.
    bends : mapping
        Path of a condition -> largest angle [rad] between a facet's normal and the one of its node.

    Raises
    ------
    InputError
        At the path of a condition on facets inside the body whose value is not zero, or that holds nothing.
    """

    def __init__(self, space: Space, conditions: Sequence[AlongNormal], fixed: np.ndarray):
        from plexus.spaces.normals import node_normals

        self.places = [c.where for c in conditions]
        self._values = [c.value for c in conditions]
        found = [
            (i, node_normals(space, replace(c.where, names=(name,))))
            for i, c in enumerate(conditions)
            for name in c.where
        ]
        self.bends: dict[str, float] = {}
        for i, normals in found:
            path = conditions[i].path
            if normals.inside and conditions[i].where.side is None and conditions[i].value.constant != 0:
                raise InputError(
                    f"{path}: inside the body a normal has no direction; only 0 can be prescribed"
                )
            self.bends[path] = max(self.bends.get(path, 0.0), normals.bend)
        m = space.components
        # the owner of a node knows all facets around it, and tells the ranks that have it as a ghost
        span, rows = np.zeros((2, space.n_local, m, m))
        which = np.full((space.n_local, m), -1, dtype=np.int64)
        # planes first: a curved surface that ends tangentially adds nothing to them
        for i, normals in sorted(found, key=lambda pair: not pair[1].plane):
            _insert(span, rows, which, i, normals, fixed)
        _require_effect(space, conditions, which)
        for array in (span, rows, which):
            space.halo.forward(array)
        self.nodes = np.flatnonzero((which >= 0).any(axis=1))
        basis, self._rows, self._which = span[self.nodes], rows[self.nodes], which[self.nodes]
        self.projectors = np.einsum("kri,krj->kij", basis, basis)
        self.spans, self.kinks = _spans(self._rows, fixed[self.nodes])
        # rows that do not exist are those of the identity, and their column of Bᵀ is zero
        gram = np.einsum("kri,ksi->krs", self._rows, basis) + np.eye(m) * (self._which < 0)[:, None]
        self._lift = np.einsum("ksi,ksr->kir", basis, np.linalg.inv(gram))

    def apply(
        self, t: float, array: Array, known: Callable[[Expression, np.ndarray], Mapping[str, Array]]
    ) -> None:
        """Move a field array (n_local, m), its components prescribed already, to the values at ``t`` [s].

        ``known`` returns what an expression may read at nodes, by name; on tensors they may depend on it.
        """
        wanted = like(np.zeros(self._which.shape), array)
        for i, value in enumerate(self._values):
            at = like(value.sure(known(value, self.nodes)), array) + like(np.zeros(len(self.nodes)), array)
            wanted = where(self._which == i, at[:, None], wanted)
        u = array[self.nodes]
        gap = wanted - einsum("kri,ki->kr", like(self._rows, array), u)
        array[self.nodes] = u + einsum("kir,kr->ki", like(self._lift, array), gap)


def _spans(rows: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return projectors onto normals (k, r, m) and axes, without small angles, and the least angle [rad]."""
    axes = fixed[:, :, None] * np.eye(fixed.shape[1])
    _, size, directions = np.linalg.svd(np.concatenate([rows, axes], axis=1), full_matrices=False)
    clear = directions * (size > CLEAR)[:, :, None]
    # two directions at an angle φ have the singular values √(1 ± cos φ), the smaller one √2 sin(φ/2)
    least = np.where(size > PARALLEL, np.minimum(size, 1.0), 1.0).min(axis=1)
    return np.einsum("kri,krj->kij", clear, clear), 2 * np.arcsin(least / np.sqrt(2))


def _require_effect(space: Space, conditions: Sequence[AlongNormal], which: np.ndarray) -> None:
    """Refuse a condition that no node follows: others prescribe its directions already. Collective."""
    held = np.array([(which[: space.n_owned] == i).any() for i in range(len(conditions))], dtype=int)
    for condition, some in zip(conditions, space.comm.allreduce(held), strict=True):
        if not some:
            raise InputError(f"{condition.path}: other conditions prescribe this direction at all its nodes")


def _insert(
    span: np.ndarray, rows: np.ndarray, which: np.ndarray, i: int, normals: NodeNormals, fixed: np.ndarray
) -> None:
    """Add the normals of condition ``i`` at nodes whose span does not have them yet."""
    tolerance = PARALLEL if normals.plane else BENT
    for nodes, n in normals.layers:
        rest = np.where(fixed[nodes], 0.0, n)
        # twice, as the first leaves rounding of the size of what it takes away
        for _ in range(2):
            along = np.einsum("kri,ki->kr", span[nodes], rest)
            rest = rest - np.einsum("kri,kr->ki", span[nodes], along)
        length = np.linalg.norm(rest, axis=1)
        kept = length > tolerance
        at, slot = nodes[kept], (which[nodes[kept]] >= 0).sum(axis=1)
        span[at, slot] = rest[kept] / length[kept, None]
        rows[at, slot], which[at, slot] = n[kept], i
