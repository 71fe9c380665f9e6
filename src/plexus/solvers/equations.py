"""What `plexus.solvers.nonlinear.FieldSolver` asks of the discrete equations of one unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from plexus.protocols import NOTHING, Since

if TYPE_CHECKING:
    from mpi4py.MPI import Comm
    from petsc4py import PETSc


class Ghosts(Protocol):
    """Exchange of ghost rows."""

    def forward(self, array: np.ndarray) -> None:
        """Fill the rows that other ranks own. Collective."""


class Rows(Protocol):
    """The rows of an unknown over the ranks: nodes or cells, owned ones first."""

    components: int
    n_owned: int
    comm: Comm

    @property
    def halo(self) -> Ghosts:
        """The exchange of ghost rows."""

    @property
    def points(self) -> np.ndarray:
        """Positions (n_local, d) [m]."""

    def vector(self) -> PETSc.Vec:
        """Return a new vector of the owned unknowns. Collective."""

    def zeros(self) -> np.ndarray:
        """Return a zero field array (n_local, components)."""


class Assembly(Protocol):
    """A matrix that is filled again and again."""

    watch: bool
    """Leave the matrix alone where the values have not changed, so that preconditioners stay."""

    @property
    def mat(self) -> PETSc.Mat:
        """The distributed matrix."""


class Bodies(Protocol):
    """Sets of unknowns that the matrix ties together."""

    @property
    def labels(self) -> np.ndarray:
        """Body of each own unknown, (n_owned, m); −1 for what is prescribed or has no equation."""

    @property
    def count(self) -> int:
        """Number of bodies on all ranks."""

    @property
    def empty(self) -> np.ndarray:
        """Own unknowns that are not prescribed and whose row has no entry, (n_owned, m)."""

    @property
    def blur(self) -> float:
        """Rounding of entries that comes from that of positions, relative to the entries."""

    def stops(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where prescribed values touch bodies: bodies (k,), positions (k, d), components (k,)."""

    def say(self, chosen: np.ndarray) -> str:
        """Return in words where the nodes ``chosen`` (n_owned,) are. Collective."""


class Equations(Protocol):
    """F(t, u, rate) = 0 for one unknown, the others given."""

    symmetric: bool
    """Whether the last tangent was symmetric on this rank."""

    @property
    def fixed(self) -> np.ndarray | None:
        """Prescribed unknowns, bool (n_local, m); None for none."""

    @property
    def space(self) -> Rows:
        """The rows of the unknown."""

    @property
    def matrix(self) -> Assembly:
        """What `jacobian` fills. Collective at the first access."""

    def near_nullspace(self) -> PETSc.NullSpace:
        """Return the modes that cost no energy, orthonormalised."""

    def bodies(self) -> Bodies:
        """Return the bodies of the matrix that is assembled now. Collective."""

    def parts(self) -> Mapping[str, PETSc.IS]:
        """Return name -> owned unknowns of each field of a block, with its near null space. Collective."""

    def residual(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        fields: Mapping[str, Any],
        since: Since = NOTHING,
    ) -> np.ndarray:
        """Return F, zero at prescribed unknowns, (n_owned, m); ``rate`` None means zero. Collective."""

    def unanswered(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        fields: Mapping[str, Any],
        since: Since,
    ) -> tuple[int, str] | None:
        """Return a cell here in which the material has no answer to u, name and words; None without one."""

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
        """Return what depends on the value of u itself, applied to modes v (k, n_local, m): (k, n_owned, m).

        These are the terms of the tangent that a motion without energy inside the body still meets.
        Collective.
        """

    def jacobian(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        shift: float,
        fields: Mapping[str, Any],
        since: Since = NOTHING,
    ) -> PETSc.Mat:
        """Assemble ∂F/∂u + shift ∂F/∂rate. Collective."""
