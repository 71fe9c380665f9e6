"""A model in Fourier space as the time loop, outputs and quantities see it (`plexus.protocols.Split`).

The state is one tensor of modes on the device, (m, *hat_shape), of an ensemble (N, m, *hat_shape).
Checkpoints hold fields in physical space, a row per grid point, so that any number of ranks can read them;
outputs and quantities ask the model for derived fields.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.coupling.base import BaseSystem, Packed
from plexus.coupling.gridfields import GridFields
from plexus.devices.tensors import from_rows, rows_of
from plexus.fields.keys import Key
from plexus.protocols import Trims
from plexus.spaces.controls import Controls
from plexus.spaces.grid import GridPlaces, GridSpace

if TYPE_CHECKING:
    from plexus.coupling.readers import RowReader
    from plexus.coupling.residuals import OnModes
    from plexus.coupling.tracedmodes import TracedModes
    from plexus.fields.state import State
    from plexus.mesh.grid import Grid
    from plexus.protocols import Closure, FieldSpec, SpectralModel

    Made = tuple[SpectralModel, Mapping[str, Closure]]
    """A model, and what stands for its parts by deck path."""


class SpectralSystem(BaseSystem):
    """One unknown of several fields on a periodic grid.

    Parameters
    ----------
    model
        The equations on their Fourier space.
    grid
        The whole grid.
    sizes
        Real numbers per grid point of the unknown.
    shown, derived
        Fields that outputs show by default, and all others that the model can compute.
    members
        Size of the ensemble; None without one.
    controls
        What expressions read by name.
    made
        Values of controls -> the model with these.
    opening
        Model -> values with which a run begins.
    autonomous
        Whether rates are known not to depend on time.
    """

    solvers: Mapping[str, Any] = {}
    pushes = False

    def __init__(
        self,
        model: SpectralModel,
        grid: Grid,
        sizes: Mapping[str, int],
        shown: Sequence[FieldSpec],
        derived: Sequence[FieldSpec],
        members: int | None = None,
        controls: Controls | None = None,
        made: Callable[[Mapping[str, torch.Tensor]], Made] | None = None,
        opening: Callable[[SpectralModel], dict[str, torch.Tensor]] | None = None,
        autonomous: bool = False,
    ):
        self.autonomous = autonomous
        self.controls, self.made, self.opening = controls or Controls(), made, opening
        self.model, self.unknown, self.members = model, model.unknown, members
        # a spectral model has a start of its own, e.g. random waves
        self.starting: list[FieldSpec] = []
        self.shown = {spec.name: spec for spec in shown}
        self.derived = {spec.name: spec for spec in derived if spec.name not in self.shown}
        self.points = GridSpace(grid, model.space.rows)
        self.device = model.space.device
        many = members or 1
        self.spaces = {name: self.points.with_components(many * n) for name, n in sizes.items()}

    def start(self) -> dict[str, torch.Tensor]:
        """Return the modes with which a run begins, for the present values of controls. Collective."""
        assert self.made is not None and self.opening is not None, "the system of a deck knows its beginning"
        if self.controls.members:
            # numbers of the model are those of controls
            self.model, closures = self.made(self.controls.values)
            self.include(closures, {})
        return self.opening(self.model)

    def traced(self, own: Mapping[str, torch.Tensor]) -> TracedModes:
        """Return the system on tensors, with own values of controls. Collective."""
        from plexus.coupling.tracedmodes import TracedModes

        assert self.made is not None, "the system of a deck knows its model"
        values = self.controls.values | self.controls.spread(own)
        return TracedModes(self, self.made(values)[0])

    def residuals(self) -> OnModes:
        """Return what states leave over in the equations, on tensors."""
        from plexus.coupling.residuals import OnModes

        return OnModes(self)

    def reader(self, of: str, x: np.ndarray) -> RowReader:
        """Return what reads a shown field or component at places (k, d). Collective."""
        from plexus.coupling.readers import RowReader, unknown

        name, column = unknown(of, self.shown)
        grid = self.points.mesh

        def rows(system: Any, state: State) -> torch.Tensor:
            field = system.model.derived(name, state.values[self.unknown], state.t)
            found: torch.Tensor = field[column].reshape(-1, 1)
            return found

        return RowReader(self.points, partial(GridPlaces, grid), rows, grid.dim, x)

    # what steppers ask

    @property
    def linear(self) -> torch.Tensor:
        """The diagonal part L."""
        return self.model.linear

    def explicit(self, hat: torch.Tensor, t: float) -> torch.Tensor:
        """Return the modes of the rest. Collective."""
        # a run never goes backwards: gradients would keep every step in memory
        with torch.no_grad():
            return self.model.explicit(hat, t)

    def rms(self, hat: torch.Tensor) -> float:
        """Return the root mean square over box, fields and members. Collective."""
        return math.sqrt(float(self.model.space.power(hat).mean()))

    # what the time loop asks

    def finite(self, values: Mapping[str, torch.Tensor]) -> bool:
        """Return whether all modes on this rank are finite; one that is not spoils the sum."""
        return all(bool(torch.isfinite(hat.sum().abs())) for hat in values.values())

    def blame(self, state: State) -> list[str | None]:
        """Return one sentence: in Fourier space a value that is lost is lost everywhere."""
        text = "a shorter time step may help, or a closure that keeps the moments admissible"
        return [f"{self.unknown} at t = {state.t:.6g} s: not finite (NaN or infinite); {text}"]

    def layout(self, state: State) -> dict[Key, Any]:
        """Return the grid points with the numbers per point of all fields, complex ones twice."""
        fields = math.prod(state.values[self.unknown].shape[: -self.points.mesh.dim])
        width = fields if self.model.real else 2 * fields
        return {Key("state", self.unknown): self.points.with_components(width)}

    def pack(self, arrays: Mapping[Key, torch.Tensor]) -> Packed:
        """Return fields of modes as rows of grid points. Collective."""
        n = self.points.n_owned
        found: Packed = {}
        for key, hat in arrays.items():
            rows = rows_of(self.model.space.inverse(hat), n)
            found[key] = self.points.with_components(rows.shape[1]), rows
        return found

    def unpack(self, rows: Mapping[Key, np.ndarray]) -> dict[Key, torch.Tensor]:
        """Return the modes of rows of grid points. Collective."""
        forward, complex_ = self.model.space.forward, not self.model.real
        return {key: forward(self._fields(array, complex_)) for key, array in rows.items()}

    def _fields(self, rows: np.ndarray, complex_: bool) -> torch.Tensor:
        """Return the fields (m, *shape) of rows, (N, m, *shape) of an ensemble."""
        shape = self.points.shape
        flat = from_rows(rows[: self.points.n_owned], shape, self.device, complex_)
        return flat if self.members is None else flat.reshape(self.members, -1, *shape)

    def memory(self) -> Packed:
        """Return what the model starts its iterations from."""
        found: Packed = {}
        for key, field in self.model.memory().items():
            rows = rows_of(field, self.points.n_owned)
            kind = "complex" if field.is_complex() else "real"
            found[Key("memory", key, kind)] = self.points.with_components(rows.shape[1]), rows
        return found

    def recall(self, rows: Mapping[Key, np.ndarray]) -> None:
        """Give it back to the model."""
        fields = {}
        for key, array in rows.items():
            fields[key.field] = self._fields(array, complex_=key.label == "complex")
        self.model.restore(fields)

    # what outputs and quantities ask

    def evaluation(self, constants: Mapping[str, float]) -> GridFields:
        """Return the fields at the grid points."""
        return GridFields(self, constants)

    def counts(self) -> dict[str, Any]:
        """Return the share of the start's energy that the model did not take, where it takes not all."""
        if not isinstance(self.model, Trims):
            return {}
        return {"start": {"lost": sum(self.model.lost.values()), **self.model.lost}}

    def histories(self, state: State) -> dict[str, dict[str, float]]:
        """Return what the model monitors, then what closures and learned parts tell. Collective."""
        found = {"monitor": dict(self.model.monitor(state.values[self.unknown], state.t))}
        return {table: row for table, row in found.items() if row} | super().histories(state)
