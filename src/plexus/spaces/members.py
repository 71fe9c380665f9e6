"""Members of an ensemble as rows of a run, and their values by index as the points that outputs show.

Rank r of R holds the members ⌊M r/R⌋ to ⌊M (r+1)/R⌋ - 1. A row of a checkpoint is one member with all its
values; a point of an output is one value of one member, at x = its index and, in an ensemble, y = the number
of the member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import InputError
from plexus.fields.arrays import like, namespace
from plexus.io.piece import Piece
from plexus.mesh.halo import Halo

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.protocols import Array

LINE = 3
"""VTK's number of a line."""


class Members:
    """The members of one rank with ``components`` values each. Construction is collective.

    Parameters
    ----------
    count, first
        Number of members, and the number of the first one; None without an ensemble, which is one member.
    length
        Values by index that outputs show of each.
    """

    degree, key = 1, "members"

    def __init__(
        self,
        comm: Comm,
        count: int | None,
        first: int,
        length: int,
        components: int = 1,
        halo: Halo | None = None,
    ):
        self.comm, self.count, self.first, self.length, self.components = (
            comm,
            count,
            first,
            length,
            components,
        )
        self.n_global = count or 1
        self.begin, self.end = (self.n_global * (comm.rank + k) // comm.size for k in (0, 1))
        self.n_owned = self.n_local = self.end - self.begin
        self.halo = halo or Halo.from_global(comm, self.n_owned, np.empty(0, dtype=np.int64))

    def with_components(self, components: int) -> Members:
        """Return a space of the same members with another number of values; needs no communication."""
        return Members(self.comm, self.count, self.first, self.length, components, self.halo)

    def names(self) -> np.ndarray:
        """Return the numbers of the members of this rank, (n_local,) int64."""
        return self.first + np.arange(self.begin, self.end, dtype=np.int64)

    @property
    def points(self) -> np.ndarray:
        """The numbers again, as coordinates (n_local, 1)."""
        return self.names()[:, None].astype(float)

    @property
    def indices(self) -> Indices:
        """The values of the members as points."""
        return Indices(self)

    def piece(self) -> Piece:
        """Return a line over the index for each member.

        Raises
        ------
        InputError
            If a member has a single value by index.
        """
        n, length = self.n_owned, self.length
        if length == 1:
            raise InputError(
                "one value has no profile to show; `quantities` and the output `probe` tell its history"
            )
        indices, points = self.indices, np.zeros((n * length, 3))
        points[:, : indices.dim] = indices.points
        starts = np.arange(n * length).reshape(n, length)
        links = np.stack([starts[:, :-1], starts[:, 1:]], -1).reshape(-1, 2).astype(np.int64)
        ids = self.begin * (length - 1) + np.arange(len(links), dtype=np.int64)
        return Piece(points, links, LINE, indices.names(), ids, np.arange(n * length))


class Indices:
    """The points (index, member) of one rank, member by member."""

    degree = 1

    def __init__(self, members: Members):
        self.members, self.comm, self.length = members, members.comm, members.length
        self.dim = 1 if members.count is None else 2
        self.n_owned = self.n_local = members.n_owned * members.length
        self.n_global = members.n_global * members.length

    def names(self) -> np.ndarray:
        """Return the global numbers of the points, (n_local,) int64."""
        return (self.members.names()[:, None] * self.length + np.arange(self.length)).reshape(-1)

    @property
    def points(self) -> np.ndarray:
        """Coordinates (n_local, dim): the index, in an ensemble also the number of the member."""
        member, index = np.divmod(self.names(), self.length)
        return np.stack([index, member][: self.dim], axis=1).astype(float)


class MemberPlaces:
    """Positions xs (k, dim) that are whole numbers: indices, in an ensemble with the number of a member.

    Raises
    ------
    InputError
        If a position is none of the points.
    """

    def __init__(self, indices: Indices, xs: np.ndarray):
        self.indices, xs = indices, np.atleast_2d(np.asarray(xs, dtype=float))
        if xs.shape[1] != indices.dim:
            wanted = ("the index", "the index and the number of the member")[indices.dim - 1]
            raise InputError(f"a position here has {indices.dim} coordinates, not {xs.shape[1]}: {wanted}")
        members = indices.members
        low = np.array([0, members.first][: indices.dim])
        high = low + np.array([indices.length, members.n_global][: indices.dim]) - 1
        for x in xs[((xs != np.rint(xs)) | (xs < low) | (xs > high)).any(axis=1)]:
            ranges = " and ".join(f"{a} to {b}" for a, b in zip(low, high, strict=True))
            raise InputError(f"({', '.join(f'{v:g}' for v in x)}) is no value: whole numbers {ranges} are")
        whole = xs.astype(np.int64)
        number = whole[:, 1] - members.first if indices.dim == 2 else np.zeros(len(xs), dtype=np.int64)
        row = (number - members.begin) * indices.length + whole[:, 0]
        self.here = (number >= members.begin) & (number < members.end)
        self._row = row

    def evaluate(self, space: Indices, array: np.ndarray) -> np.ndarray:
        """Return the values of rows (n_local, m) at the positions on all ranks, (k, m). Collective."""
        return np.asarray(self.indices.comm.allreduce(self.share(space, array[: space.n_owned])))

    def share(self, space: Indices, rows: Array) -> Array:
        """Return the values that this rank has, an array or a tensor, zero elsewhere, (k, m)."""
        # one row of zeros stands for all that others have
        zeros = like(np.zeros((1, rows.shape[1])), rows)
        whole = namespace(rows).concatenate([rows, zeros])
        return whole[np.where(self.here, self._row, len(rows))]
