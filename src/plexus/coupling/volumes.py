"""Conservation laws on the cells of a grid as the time loop, outputs and quantities see them.

The state holds cell means, a tensor (N, m, *cells) per unknown: N members of an ensemble, one without it. Those of
a law that `plexus.protocols.Holds` are of amounts.
Systems offer `plexus.protocols.Explicit` and `plexus.protocols.Implicit`. Checkpoints hold a row per cell, so
that any number of ranks can read them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.coupling.base import BaseSystem, Packed
from plexus.devices.tensors import from_rows, rows_of
from plexus.fields.keys import Key
from plexus.fields.lost import first_lost, sentence
from plexus.spaces.cells import CellPlaces, CellSpace
from plexus.spaces.controls import Controls

if TYPE_CHECKING:
    from plexus.coupling.cellfields import CellFields
    from plexus.coupling.readers import RowReader
    from plexus.coupling.residuals import OnCells
    from plexus.coupling.tracedcells import TracedCells
    from plexus.fields.state import State
    from plexus.models.volumes.scheme import Scheme
    from plexus.protocols import Instant, Values
    from plexus.solvers.nonlinear import FieldSolver
    from plexus.stepping.passes import Passes


class VolumeSystem(BaseSystem):
    """All unknowns of a law on one grid.

    Parameters
    ----------
    scheme
        Rates of the cell means.
    solvers
        Unknown -> solver of implicit steps.
    passes
        How long implicit steps are repeated until the unknowns agree.
    members
        Size of the ensemble; None without one.
    controls
        What the scheme reads by name.
    opening
        Scheme -> values with which a run begins.
    autonomous
        Whether rates are known not to depend on time.
    """

    # rates keep the means only: directions that go forward would make every flux again for each of them
    pushes = False

    together: Mapping[str, Sequence[str]] = {}
    algebraic: frozenset[str] = frozenset()

    def __init__(
        self,
        scheme: Scheme,
        solvers: Mapping[str, FieldSolver],
        passes: Passes | None = None,
        members: int | None = None,
        controls: Controls | None = None,
        opening: Callable[[Scheme], dict[str, torch.Tensor]] | None = None,
        autonomous: bool = False,
    ):
        self.autonomous = autonomous
        self.scheme, self.solvers = scheme, solvers
        self.controls, self.opening = controls or Controls(), opening
        self.ensemble, self.members = members is not None, members or 1
        self.passes = passes
        slab = scheme.slab
        self.cells = CellSpace(slab.grid, slab.rows)
        self.device = slab.device
        sizes = zip(scheme.specs, scheme.sizes, strict=True)
        self.spaces = {spec.name: self.cells.with_components(self.members * m) for spec, m in sizes}
        self.evolving = list(self.spaces)
        self.instantaneous: list[str] = []
        self.starting = list(scheme.specs)
        self._limit: tuple[list[torch.Tensor], float, float] | None = None

    def start(self) -> dict[str, torch.Tensor]:
        """Return the means with which a run begins, for the present values of controls. Collective."""
        assert self.opening is not None, "the system of a deck knows its beginning"
        return self.opening(self.scheme)

    def traced(self, own: Mapping[str, torch.Tensor]) -> TracedCells:
        """Return the system on tensors, with own values of controls. Collective."""
        from plexus.coupling.tracedcells import TracedCells

        return TracedCells(self, own)

    def residuals(self) -> OnCells:
        """Return what states leave over in the equations, on tensors."""
        from plexus.coupling.residuals import OnCells

        return OnCells(self)

    def reader(self, of: str, x: np.ndarray) -> RowReader:
        """Return what reads an unknown or component at places (k, d). Collective."""
        from plexus.coupling.readers import RowReader, unknown

        name, column = unknown(of, self.spaces)
        grid = self.cells.mesh

        def rows(system: Any, state: State) -> torch.Tensor:
            return self.seen(state.values)[name][0, column].reshape(-1, 1)

        return RowReader(self.cells, partial(CellPlaces, grid), rows, grid.dim, x)

    # what explicit steppers ask

    def rates(self, values: Mapping[str, torch.Tensor], t: float) -> Values:
        """Return the rates of the cell means. Collective."""
        # a run never goes backwards: gradients would keep every step in memory
        with torch.no_grad():
            rates = self.scheme.rates(self.stack(values), t)
        return self.parted(rates)

    def longest(self, values: Mapping[str, torch.Tensor], t: float) -> float:
        """Return the longest step [s] at Courant number one. Collective."""
        tensors = [values[name] for name in self.evolving]
        # controller and stepper ask for the same state
        known, at, limit = self._limit or ((), t, 0.0)
        if known and at == t and all(a is b for a, b in zip(known, tensors, strict=True)):
            return limit
        with torch.no_grad():
            found = self.scheme.longest(self.stack(values), t)
        self._limit = tensors, t, found
        return found

    def stack(self, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return all unknowns as one tensor (N, M, *cells)."""
        parts = [values[name] for name in self.evolving]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def parted(self, stack: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the unknowns (N, m, *cells) of a stack (N, M, *cells)."""
        return dict(zip(self.evolving, stack.split(self.scheme.sizes, dim=1), strict=True))

    def seen(self, values: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the unknowns (N, m, *cells) of a state."""
        return self.parted(self.scheme.released(self.stack(values)))

    # what implicit steppers ask

    def solve(self, name: str, values: Mapping[str, torch.Tensor], at: Instant, held: bool = False) -> int:
        """Solve u_t = R(u, t) for one unknown in place, the others given. Collective.

        What the sides prescribe is part of the rates at the instant, whether ``held`` or not. Returns Krylov
        iterations.
        """
        from dataclasses import replace

        rows = rows_of(values[name], self.cells.n_owned)
        # own memory: the rows of one component are a view of the tensor
        rows = rows.copy()
        offset = None if at.offset is None else rows_of(at.offset, self.cells.n_owned)
        info = self.solvers[name].solve(rows, replace(at, offset=offset), values)
        values[name].copy_(self.tensor(rows))
        return info.iterations

    def complete(self, name: str, values: Mapping[str, torch.Tensor], t: float) -> None:
        """Leave the values: no unknown lacks a time derivative."""

    def advance(self, name: str, values: Mapping[str, torch.Tensor], at: Instant) -> Values:
        """Return nothing: laws have no internal variables."""
        return {}

    def prescribe(self, name: str, t: float, array: torch.Tensor) -> None:
        """Leave the means as they are: values are prescribed on faces."""

    def rms(self, name: str, array: torch.Tensor) -> float:
        """Return the root mean square over cells, components and members. Collective."""
        total = self.cells.comm.allreduce(float(array.square().sum()))
        return float((total / (self.cells.n_global * self.spaces[name].components)) ** 0.5)

    def largest(self, name: str, array: torch.Tensor) -> float:
        """Return the largest magnitude. Collective."""
        from mpi4py import MPI

        return float(self.cells.comm.allreduce(float(array.abs().max()), MPI.MAX))

    # what the time loop asks

    def evaluation(self, constants: Mapping[str, float]) -> CellFields:
        """Return the fields of the cells by name."""
        from plexus.coupling.cellfields import CellFields

        return CellFields(self, constants)

    def finite(self, values: Mapping[str, torch.Tensor]) -> bool:
        """Return whether all means on this rank are finite; one that is not spoils the sum."""
        return all(bool(torch.isfinite(u.sum())) for u in values.values())

    def blame(self, state: State) -> list[str | None]:
        """Return where each unknown is lost. Collective."""
        found = []
        for name, u in state.values.items():
            place = first_lost(self.cells.points, rows_of(u, self.cells.n_owned))
            found.append(sentence(self.cells.comm, name, state.t, place))
        return found

    def layout(self, state: State) -> dict[Key, Any]:
        """Return the cells with the numbers of each unknown."""
        return {Key("state", name): space for name, space in self.spaces.items()}

    def pack(self, arrays: Mapping[Key, torch.Tensor]) -> Packed:
        """Return means as rows of cells, member after member. Collective."""
        n = self.cells.n_owned
        return {key: (self.spaces[key.field], rows_of(u, n)) for key, u in arrays.items()}

    def unpack(self, rows: Mapping[Key, np.ndarray]) -> dict[Key, torch.Tensor]:
        """Return the means of rows of cells. Collective."""
        return {key: self.tensor(array) for key, array in rows.items()}

    def tensor(self, rows: np.ndarray) -> torch.Tensor:
        """Return the means (N, m, *cells) of rows."""
        shape = self.scheme.slab.shape
        flat = from_rows(rows[: self.cells.n_owned], shape, self.device, complex_=False)
        return flat.reshape(self.members, -1, *shape)
