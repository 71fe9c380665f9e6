"""What measurements at places read of a state: linear in the values, a share of each on every rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from plexus.errors import InputError
from plexus.spaces.locate import Located

if TYPE_CHECKING:
    from plexus.fields.state import State
    from plexus.protocols.evaluation import Shares
    from plexus.spaces.lagrange import Space

Tensor = torch.Tensor


class Reader(Protocol):
    """Readings of one number at places (k, d) on one rank.

    Attributes
    ----------
    which : places of which this rank has a share, (n,) increasing.
    """

    which: np.ndarray

    def look(self, system: Any, state: State, chosen: np.ndarray) -> Tensor:
        """Return this rank's share of the chosen ones of ``which``. Collective.

        ``system`` is the one on tensors to which the state belongs.
        """


class NodalReader:
    """An unknown on elements, interpolated in the cell that holds the place. Construction is collective."""

    def __init__(self, space: Space, name: str, column: int, x: np.ndarray):
        located = Located(space.mesh, _in_mesh(x, space.mesh.dim))
        phi, _ = space.element.tabulate(located.local)
        self.name, self.column, self.which = name, column, located.which
        self.phi = torch.from_numpy(phi)
        self.nodes = torch.from_numpy(space.cell_nodes[located.cells].astype(np.int64))

    def look(self, system: Any, state: State, chosen: np.ndarray) -> Tensor:
        """Return the values of the chosen readings."""
        u = state.values[self.name][:, self.column]
        return (self.phi[chosen] * u[self.nodes[chosen]]).sum(1)


class RowReader:
    """A field as rows of points, of which every rank adds its share.

    Parameters
    ----------
    space
        The points.
    places
        Makes what evaluates rows at positions that differ from each other.
    rows
        System on tensors and state -> the field (n, 1). Collective.
    x
        Places (k, d).
    """

    def __init__(
        self,
        space: Any,
        places: Callable[[np.ndarray], Shares],
        rows: Callable[[Any, State], Tensor],
        dim: int,
        x: np.ndarray,
    ):
        # a thermocouple is at one place, however often it is read
        apart, self._same = np.unique(_in_mesh(x, dim), axis=0, return_inverse=True)
        self.space, self.places, self.rows, self.which = space, places(apart), rows, np.arange(len(x))

    def look(self, system: Any, state: State, chosen: np.ndarray) -> Tensor:
        """Return the shares of the chosen readings."""
        found: Tensor = self.places.share(self.space, self.rows(system, state))[:, 0].cpu()
        return found[self._same.reshape(-1)[chosen]]


def unknown(of: str, known: Any) -> tuple[str, int]:
    """Return unknown and component that a name stands for."""
    if of in known:
        return of, 0
    base, _, letter = of.rpartition("_")
    return base, "xyz".index(letter)


def _in_mesh(x: np.ndarray, dim: int) -> np.ndarray:
    """Return places with the coordinates of the mesh; files may hold more of them, which are zero.

    Raises
    ------
    InputError
        If a place lies off the plane or the line of the mesh.
    """
    off = np.flatnonzero(x[:, dim:].any(axis=1))
    if len(off):
        first = ", ".join(f"{v:g}" for v in x[off[0]])
        raise InputError(f"{len(off)} of {len(x)} positions lie off a {dim}-D mesh, the first at ({first})")
    return x[:, :dim]
