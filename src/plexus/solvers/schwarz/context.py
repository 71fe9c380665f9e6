"""The preconditioner that PETSc calls: subdomains solved by themselves, and a coarse space between them.

    M = Q + (1 - Q A) Σ_i R_iᵀ W_i B_i W_i R_i (1 - A Q),   Σ_i R_iᵀ W_i² R_i = 1

R_i takes the rows of subdomain i with its overlap, W_i = 1/√(subdomains that have a row), B_i solves or
preconditions R_i A R_iᵀ, Q is that of `coarse`. M is symmetric positive definite where all B_i and A are.
J. Mandel, Comm. Numer. Methods Engrg. 9 (1993) 233, doi:10.1002/cnm.1640090307.

    -pc_type python -pc_python_type plexus.solvers.learned.Schwarz

Options, under the solver's prefix: ``-pc_plexus_subdomains`` (of all ranks, 8), ``-pc_plexus_overlap``
(layers of neighbours, 1), ``-pc_plexus_coarse`` (true), and those of the solver of every subdomain, on one
rank, with the further prefix ``sub_`` (``-sub_pc_type cholesky`` if none is named). Subdomains are boxes of
the cells that are composed with the matrix as ``plexus_positions``, else even shares of the rows, whatever
the ranks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from petsc4py import PETSc

from plexus.errors import InputError
from plexus.solvers.capi import fail, failed
from plexus.solvers.multigrid import POSITIONS
from plexus.solvers.multigrid.context import near_null_space, positions
from plexus.solvers.schwarz.coarse import Coarse
from plexus.solvers.schwarz.exchange import Exchange
from plexus.solvers.schwarz.subdomains import dealt, enlarged, named

if TYPE_CHECKING:
    from plexus.protocols import PcContext

SUBDOMAINS = 8
"""Where options name no number, as far as there are nodes."""


class Schwarz:
    """Balanced additive Schwarz.

    Parameters
    ----------
    local : callable, optional
        Makes the solver of a subdomain that computes in Python; without it PETSc's options name one.
    place : str, optional
        What stands before the name of an option that is refused; PETSc's prefix without it.
    """

    def __init__(self, local: Callable[[], PcContext | None] | None = None, place: str = ""):
        self._local, self._place = local, place
        self.coarse: Coarse | None = None
        self.exchange: Exchange | None = None
        self.solvers: list[PETSc.KSP] = []
        self._vectors: list[PETSc.Vec] = []

    def setUp(self, pc: PETSc.PC) -> None:
        """Cut the preconditioner's matrix and set up the solvers of its parts, or fail. Collective.

        Raises
        ------
        InputError
            If there are more subdomains than nodes, none, or layers that are no number of layers.
        """
        self._free()
        mat, prefix = pc.getOperators()[1], pc.getOptionsPrefix() or ""
        if not definite(mat):
            fail(pc)
            return
        database, nodes = PETSc.Options(prefix + "pc_plexus_"), mat.getSize()[0] // mat.getBlockSize()
        count = self._number(prefix, "subdomains", min(SUBDOMAINS, nodes), 1, nodes)
        layers = self._number(prefix, "overlap", 1, 0, nodes)
        names = named(mat, count)
        self.coarse = Coarse(mat, names, count) if database.getBool("coarse", True) else None
        parts = enlarged(mat, dealt(mat, names, count), layers)
        self.exchange, self._vectors = Exchange(mat, parts), [mat.createVecRight() for _ in range(3)]
        insides = self._insides(mat, parts)
        self.solvers = [self._solver(inside, prefix) for inside in insides]
        for inside in insides:
            inside.destroy()
        if any(mat.comm.tompi4py().allgather(any(failed(ksp.getPC()) for ksp in self.solvers))):
            fail(pc)

    def _number(self, prefix: str, name: str, usual: int, low: int, high: int) -> int:
        """Return an option that must lie in a range."""
        option = prefix + "pc_plexus_" + name
        value = int(PETSc.Options().getInt(option, usual))
        if not low <= value <= high:
            told = f"{self._place}{name}" if self._place else f"-{option}"
            raise InputError(f"{told}: {value} is not within {low} and {high}, the nodes of the matrix")
        return value

    def _insides(self, mat: PETSc.Mat, parts: list[np.ndarray]) -> list[PETSc.Mat]:
        """Return the matrices of the subdomains, with what that of all tells of its rows. Collective."""
        assert self.exchange is not None
        indices = [PETSc.IS().createGeneral(rows, comm=PETSc.COMM_SELF) for rows in parts]
        insides = list(mat.createSubMatrices(indices))
        for index in indices:
            index.destroy()
        block, cells, near = mat.getBlockSize(), positions(mat), near_null_space(mat)
        places = None if cells is None else self.exchange.columns(np.repeat(cells, block, axis=0))
        motions = None if near is None else self.exchange.columns(near)
        for number, inside in enumerate(insides):
            inside.setBlockSize(block)
            inside.setOption(PETSc.Mat.Option.SPD, True)
            if places is not None:
                own = places[number][::block]
                inside.compose(POSITIONS, _vector(own - own.min(axis=0), own.shape[1]))
            if motions is not None:
                vectors = [_vector(column) for column in motions[number].T]
                inside.setNearNullSpace(PETSc.NullSpace().create(vectors=vectors, comm=PETSc.COMM_SELF))
        return insides

    def _solver(self, inside: PETSc.Mat, prefix: str) -> PETSc.KSP:
        """Return the solver of a subdomain, set up."""
        ksp = PETSc.KSP().create(PETSc.COMM_SELF)
        ksp.setOptionsPrefix(prefix + "sub_")
        ksp.setOperators(inside)
        ksp.setType("preonly")
        context = self._local() if self._local else None
        ksp.getPC().setType("cholesky" if context is None else "python")
        if context is not None:
            ksp.getPC().setPythonContext(context)
        ksp.setFromOptions()
        ksp.setUp()
        return ksp

    def apply(self, pc: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to M ``x``. Collective."""
        if self.coarse is None:
            self._additive(x, y)
            return
        mat, (r, z, w) = pc.getOperators()[1], self._vectors
        self.coarse.apply(x, y)
        mat.mult(y, r)
        r.aypx(-1.0, x)
        self._additive(r, z)
        mat.mult(z, r)
        self.coarse.apply(r, w)
        y.axpy(1.0, z)
        y.axpy(-1.0, w)

    applyTranspose = apply

    def _additive(self, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to Σ_i R_iᵀ W_i B_i W_i R_i ``x``. Collective."""
        assert self.exchange is not None
        with self.exchange.within(x, y) as pieces:
            for ksp, piece in zip(self.solvers, pieces, strict=True):
                ksp.solve(piece, piece)

    def destroy(self, pc: PETSc.PC) -> None:
        """Free the subdomains. Collective."""
        self._free()

    def _free(self) -> None:
        for held in (*self.solvers, *self._vectors):
            held.destroy()
        if self.exchange is not None:
            self.exchange.destroy()
        self.solvers, self._vectors, self.exchange = [], [], None


def definite(mat: PETSc.Mat) -> bool:
    """Return whether a diagonal has numbers above zero only. Collective."""
    diagonal = mat.getDiagonal()
    values = diagonal.getArray(readonly=True)
    own = bool(np.all((values > 0) & np.isfinite(values)))
    diagonal.destroy()
    return all(mat.comm.tompi4py().allgather(own))


def _vector(values: np.ndarray, block: int = 1) -> PETSc.Vec:
    """Return numbers as a vector of this rank."""
    vector = PETSc.Vec().createSeq((values.size, values.size), bsize=block)
    vector.setArray(values.ravel())
    return vector
