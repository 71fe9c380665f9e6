"""F(t, u, u_t) = u_t - R(u, t) of one field of a finite volume scheme, with its exact tangent.

R is differentiated in directions that are one in every (2r + 1)-th cell along each axis, r the reach of the
stencil: a row sees one such cell only, so that the product with the direction is an entry of the matrix (A.
R. Curtis, M. J. D. Powell, J. K. Reid, IMA J. Appl. Math. 13 (1974) 117-119, doi:10.1093/imamat/13.1.117).
The derivatives are those of forward automatic differentiation. Members of an ensemble do not couple.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mpi4py import MPI
from petsc4py import PETSc

from plexus.devices.tensors import from_rows, rows_of, to_device, to_host
from plexus.errors import InputError
from plexus.models.volumes.affine import Affine
from plexus.protocols import NOTHING, Since
from plexus.spaces.cells import CellSpace, Whole
from plexus.spaces.coo import coo

if TYPE_CHECKING:
    from plexus.models.volumes.scheme import Scheme

AT_ONCE = 1 << 22
"""Numbers of a stack times directions that are differentiated in one pass."""


class CellForm:
    """The equations of one field; `plexus.solvers.equations.Equations`.

    Parameters
    ----------
    scheme
        Rates of all fields.
    name
        The field.
    members
        Size of the ensemble.

    Attributes
    ----------
    affine : the inflow, where it is affine in the means and its factors never change.
    """

    fixed = None
    symmetric = False

    def __init__(self, scheme: Scheme, name: str, members: int):
        self.affine: Affine | None = None
        self._known: tuple[torch.Tensor, torch.Tensor] | None = None
        self.scheme, self.name, self.members = scheme, name, members
        names = [spec.name for spec in scheme.specs]
        self.place = names.index(name)
        self.m = scheme.sizes[self.place]
        slab = scheme.slab
        self.space = CellSpace(slab.grid, slab.rows, members * self.m)

    @cached_property
    def matrix(self) -> StencilMatrix:
        """The matrix that `jacobian` fills. Collective at the first access."""
        return StencilMatrix(self.scheme, self.space, self.members, self.m)

    def near_nullspace(self) -> PETSc.NullSpace:
        """Return the constants."""
        return self.space.near_nullspace()

    def bodies(self) -> Whole:
        """Return the grid: its cells are one body, unless they hold amounts."""
        return Whole(self.space, level=self.scheme.holds is None)

    def parts(self) -> Mapping[str, PETSc.IS]:
        """Return nothing: fields are solved one by one."""
        return {}

    def residual(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        fields: Mapping[str, Any],
        since: Since = NOTHING,
    ) -> np.ndarray:
        """Return u_t - R(u), (n_owned, m). Collective."""
        with torch.no_grad():
            means = self._means(u, fields)
            inflow = self._own((self.affine or self.scheme).inflow(means, t))
        out = -rows_of(inflow, self.space.n_owned)
        return out if rate is None else out + rate

    def unanswered(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        fields: Mapping[str, Any],
        since: Since,
    ) -> None:
        """Return None: fluxes of cells ask no material."""

    def bearing(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        shift: float,
        fields: Mapping[str, Any],
        since: Since,
        v: np.ndarray,
    ) -> np.ndarray:
        """Return shift v of each mode; what sides hold is in the matrix."""
        return v[:, : self.space.n_owned] * (shift if rate is not None else 0.0)

    def jacobian(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        shift: float,
        fields: Mapping[str, Any],
        since: Since = NOTHING,
    ) -> PETSc.Mat:
        """Assemble shift - ∂R/∂u. Collective."""
        with torch.no_grad():
            means = self._means(u, fields)
            capacity = self.scheme.capacity(means)
        shift = shift if rate is not None else 0.0
        if capacity is None:
            return self.derivative(means, t, shift)
        mat = self.derivative(means, t, 0.0) if self.affine is None else self.affine.derivative(means, t)
        return self.matrix.by_amounts(mat, rows_of(self._own(1 / capacity), self.space.n_owned), shift)

    def derivative(self, means: torch.Tensor, t: float, shift: float) -> PETSc.Mat:
        """Assemble shift less the derivative of the inflow by the means. Collective."""
        matrix, slab = self.matrix, self.scheme.slab
        with torch.no_grad():
            extended = slab.extended(means, self.scheme.reach)
            seeds = matrix.seeds(extended)
            # (colours, column component, row component, N, cells)
            table = torch.stack([self._slopes(extended, t, seeds, b) for b in range(self.m)], dim=1)
        return matrix.store(to_host(-table), shift)

    def _slopes(self, extended: torch.Tensor, t: float, seeds: torch.Tensor, b: int) -> torch.Tensor:
        """Return the derivatives along seeds (K, *places) of component b, (K, m, N, cells).

        Directions are further members of the ensemble: one pass serves many of them.
        """
        n, found = self.members, []
        for some in seeds.split(max(1, AT_ONCE // extended.numel())):
            shape = (len(some), *extended.shape)
            point = extended.expand(shape).flatten(0, 1).clone()
            direction = extended.new_zeros(shape)
            direction[:, :, sum(self.scheme.sizes[: self.place]) + b] = some[:, None]
            seed = direction.flatten(0, 1)
            # other than torch.autograd.forward_ad, this works inside a node of the graph too
            slope = torch.func.jvp(lambda u: self._own(self.scheme.around(u, t)), (point,), (seed,))[1]
            found.append(slope.reshape(len(some), n, self.m, -1).transpose(1, 2))
        return torch.cat(found)

    def _own(self, stack: torch.Tensor) -> torch.Tensor:
        """Return the field's part of a stack, (N, m, *cells)."""
        return stack.narrow(1, sum(self.scheme.sizes[: self.place]), self.m)

    def _means(self, u: np.ndarray, fields: Mapping[str, Any]) -> torch.Tensor:
        """Return the means of all fields (N, M, *cells); those that a residual has found serve its tangent."""
        stack = self._stack(u, fields)
        if self.scheme.holds is None:
            return stack
        if self._known is None or not torch.equal(self._known[0], stack):
            self._known = stack.clone(), self.scheme.released(stack)
        return self._known[1]

    def _stack(self, u: np.ndarray, fields: Mapping[str, Any]) -> torch.Tensor:
        """Return all fields (N, M, *cells), this one from its rows."""
        slab = self.scheme.slab
        own = from_rows(u[: self.space.n_owned], slab.shape, slab.device, complex_=False)
        own = own.reshape(self.members, self.m, *slab.shape)
        parts = [own if s.name == self.name else fields[s.name] for s in self.scheme.specs]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


class StencilMatrix:
    """The couplings of cells with those that their stencil reaches. Construction is collective.

    Attributes
    ----------
    mat : the distributed matrix, block size = components.
    watch : leave the matrix alone where the values have not changed.

    Raises
    ------
    InputError
        If an axis is so short that the stencil meets itself, or if PETSc cannot number the unknowns.
    """

    def __init__(self, scheme: Scheme, space: CellSpace, members: int, m: int):
        self.slab, self.members, self.m, self.watch = scheme.slab, members, m, False
        grid, reach = scheme.slab.grid, scheme.couples
        self.colours = [_colours(grid.cells[a], reach, grid.ends(a), a) for a in range(grid.dim)]
        rows, self._colour, cols = self._pairs(reach, box=scheme.beside > 0)
        self._rows, self._diagonal = rows, cols == rows + space.offset
        size = members * m
        if space.n_global * size > np.iinfo(PETSc.IntType).max:
            raise InputError(f"{space.n_global * size} unknowns need a PETSc with 64-bit indices")
        self.mat = PETSc.Mat().create(space.comm)
        self.mat.setSizes(((space.n_owned * size, space.n_global * size),) * 2, bsize=size)
        self.mat.setType(PETSc.Mat.Type.AIJ)
        # entry (pair, b, a, k) couples component b of a column with a of a row in member k
        b, a, k = np.meshgrid(np.arange(m), np.arange(m), np.arange(members), indexing="ij")
        i = (rows + space.offset)[:, None] * size + (k * m + a).reshape(1, -1)
        j = cols[:, None] * size + (k * m + b).reshape(1, -1)
        self._same = (a == b).reshape(-1)
        self._insert = coo(self.mat, i.astype(PETSc.IntType).ravel(), j.astype(PETSc.IntType).ravel())
        self._stored: np.ndarray | None = None

    def seeds(self, extended: torch.Tensor) -> torch.Tensor:
        """Return one direction per colour on the slab with its neighbours' layers, (K, *places)."""
        grid, dim = self.slab.grid, self.slab.dim
        lines = []
        for axis in range(dim):
            more = extended.shape[axis - dim] - self.slab.shape[axis]
            before = 0 if axis or self.slab.lowest else more // (1 if self.slab.highest else 2)
            first = (self.slab.rows[0] if axis == 0 else 0) - before
            index = (first + np.arange(extended.shape[axis - dim])) % grid.cells[axis]
            lines.append(self.colours[axis][index])
        masks = [
            [line == c for c in range(len(set(all_)))] for line, all_ in zip(lines, self.colours, strict=True)
        ]
        found = []
        for parts in product(*masks):
            grids = np.meshgrid(*parts, indexing="ij")
            found.append(np.logical_and.reduce(grids).astype(float))
        return to_device(np.stack(found), self.slab.device)

    def store(self, table: np.ndarray, shift: float) -> PETSc.Mat:
        """Put -∂R/∂u (colours, m, m, N, cells) and the shift on the diagonal into the matrix. Collective."""
        values = table[self._colour, ..., self._rows].reshape(len(self._rows), -1)
        values[np.ix_(self._diagonal, self._same)] += shift
        same = self._stored is not None and np.array_equal(values, self._stored)
        if not (self.watch and self.mat.comm.tompi4py().allreduce(same, MPI.LAND)):
            self._insert(np.ascontiguousarray(values.ravel()))
            self._stored = values
        return self.mat

    def by_amounts(self, mat: PETSc.Mat, slopes: np.ndarray, shift: float) -> PETSc.Mat:
        """Return shift + A diag(slopes) of a matrix A, in its place; slopes (n_owned, m) of the columns. Collective."""
        right = mat.createVecRight()
        right.setArray(slopes.ravel())
        mat.diagonalScale(R=right)
        mat.shift(shift)
        right.destroy()
        return mat

    def _pairs(self, reach: int, box: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return own row, colour of the column and global column of every entry."""
        grid, shape = self.slab.grid, self.slab.shape
        own = np.indices(shape).reshape(grid.dim, -1)
        number = np.arange(own.shape[1])
        count = [len(set(c)) for c in self.colours]
        rows, colours, cols = [], [], []
        for step in _offsets(reach, grid.dim, box):
            at = own + np.array(step)[:, None]
            at[0] += self.slab.rows[0]
            keep = np.ones(len(number), dtype=bool)
            for axis, n in enumerate(grid.cells):
                if grid.ends(axis):
                    keep &= (at[axis] >= 0) & (at[axis] < n)
                at[axis] %= n
            at = at[:, keep]
            colour = np.ravel_multi_index([c[i] for c, i in zip(self.colours, at, strict=True)], count)
            rows.append(number[keep])
            colours.append(colour)
            cols.append(np.ravel_multi_index(tuple(at), grid.cells))
        return np.concatenate(rows), np.concatenate(colours), np.concatenate(cols)


def _offsets(reach: int, dim: int, box: bool) -> list[tuple[int, ...]]:
    """Return the steps from a cell to those that its rate reads: a cross, or all of a box."""
    every = product(range(-reach, reach + 1), repeat=dim)
    return [step for step in every if box or sum(s != 0 for s in step) <= 1]


def _colours(n: int, reach: int, bounded: bool, axis: int) -> np.ndarray:
    """Return a colour per cell of an axis; those of one colour are 2·reach + 1 apart, around it too."""
    q, index = 2 * reach + 1, np.arange(n)
    if bounded:
        return index % q
    if n < q:
        raise InputError(f"mesh.cells: {n} cells along {'xyz'[axis]}; implicit steppers need {q} here")
    whole = n - n % q
    return np.where(index < whole, index % q, q + index - whole)
