"""Controls on a mesh: where the values of each kind stand, and how expressions find them by name.

A form hands `Controls` to its points, where a control is a sample like a field; prescribed and initial values
ask for it at nodes. Whoever wants gradients gives tensors instead of the stored arrays.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plexus.errors import InputError
from plexus.fields.arrays import like, namespace
from plexus.mesh.halo import Halo
from plexus.mesh.mesh import Mesh
from plexus.protocols import FieldSpec
from plexus.protocols.controls import Control, Dependent, Ground
from plexus.spaces.lagrange import Space
from plexus.spaces.points import FieldSample

Array = Any


@dataclass(frozen=True)
class Level:
    """A value at the points of a batch that has no gradient, (C|1, Q|1)."""

    value: Array

    @property
    def grad(self) -> Array:
        """Refuse: it is constant, or jumps between cells."""
        raise AttributeError("this control has no gradient")


class Uniform:
    """One number everywhere, the same on all ranks; values (1,)."""

    replicated = True
    still = True
    reads: Collection[str] = ()

    def zeros(self) -> np.ndarray:
        """Return zero, (1,)."""
        return np.zeros(1)

    def spread(self, own: Array) -> Array:
        """Return the number."""
        return own

    def sample(self, batch: Any, values: Array) -> Level:
        """Return the number, (1, 1)."""
        return Level(values.reshape(1, 1))

    def at_nodes(self, nodes: np.ndarray, t: float, values: Array) -> Array:
        """Return the number."""
        return values[0]


class InTime:
    """A function of time: piecewise linear between increasing times [s], constant beyond; values (k,).

    The value at a time is w·θ with the hat functions w of the table.
    """

    replicated = True
    reads: Collection[str] = ()

    def __init__(self, times: Sequence[float]):
        self.times = np.asarray(times, dtype=float)

    def zeros(self) -> np.ndarray:
        """Return zero at all times, (k,)."""
        return np.zeros(len(self.times))

    def spread(self, own: Array) -> Array:
        """Return the values."""
        return own

    def sample(self, batch: Any, values: Array) -> Level:
        """Return the value at the batch's time, (1, 1)."""
        return Level(self.at_nodes(None, batch.t, values).reshape(1, 1))

    def at_nodes(self, nodes: np.ndarray | None, t: float, values: Array) -> Array:
        """Return the value at ``t``."""
        hats = [np.interp(t, self.times, row) for row in np.eye(len(self.times))]
        return (like(np.array(hats), values) * values).sum()


class Nodal:
    """A field on the nodes of the unknowns; own values (n_owned, 1), with ghosts (n_local, 1)."""

    replicated = False
    still = True
    reads: Collection[str] = ()

    def __init__(self, space: Space):
        self.space = space.with_components(1)

    def zeros(self) -> np.ndarray:
        """Return zeros at the own nodes."""
        return np.zeros((self.space.n_owned, 1))

    def spread(self, own: Array) -> Array:
        """Return the values with those of ghost nodes. Collective."""
        return spread(own, self.space.halo)

    def sample(self, batch: Any, values: Array) -> FieldSample:
        """Return value and gradient between the nodes."""
        return FieldSample(batch, self.space, values)

    def at_nodes(self, nodes: np.ndarray, t: float, values: Array) -> Array:
        """Return the values of the nodes, (k,)."""
        return values[nodes, 0]


class Cellwise:
    """One number per cell; own values (own cells, 1), with ghosts (local cells, 1). Made collectively."""

    replicated = False
    still = True
    reads: Collection[str] = ()

    def __init__(self, mesh: Mesh):
        n, ids = mesh.n_owned_cells, mesh.cell_ids
        self.mesh, self._halo = mesh, Halo.from_ids(mesh.comm, ids[:n], mesh.cell_owner[n:], ids[n:])

    def zeros(self) -> np.ndarray:
        """Return zeros in the own cells."""
        return np.zeros((self.mesh.n_owned_cells, 1))

    def spread(self, own: Array) -> Array:
        """Return the values with those of ghost cells. Collective."""
        return spread(own, self._halo)

    def sample(self, batch: Any, values: Array) -> Level:
        """Return the value of each cell, (C, 1)."""
        return Level(values[batch.cells.local(batch.part)])

    def at_nodes(self, nodes: np.ndarray, t: float, values: Array) -> Array:
        """Refuse: the cells around a node have several values."""
        raise InputError(
            "a control in cells has no value at nodes: prescribed and initial values need a nodal one"
        )


class Sampled:
    """Controls as the samples that points of a grid, or of no space, hold beside unknowns.

    Parameters
    ----------
    controls
        The members.
    values
        Their values by name; those of the controls themselves change with them.
    """

    def __init__(self, controls: Controls, values: Mapping[str, Array] | None = None):
        self.members, self.values = controls.members, controls.values if values is None else values

    def at(self, batch: Any) -> dict[str, Any]:
        """Return a sample by name; what is the same at all points has no axes."""
        found = {name: member.sample(batch, self.values[name]) for name, member in self.members.items()}
        return {name: s if _dependent(s) else Level(_bare(s.value)) for name, s in found.items()}


def _dependent(sample: Any) -> bool:
    """Return whether a sample follows from fields; the look at a protocol is slow."""
    return not isinstance(sample, Level) and isinstance(sample, Dependent)


def _bare(value: Array) -> Array:
    """Return a single number without axes."""
    return value.reshape(()) if math.prod(value.shape) == 1 else value


def middles(mesh: Mesh) -> np.ndarray:
    """Return the middle of the nodes of each local cell, (C, d) [m]."""
    return mesh.points[mesh.cells].mean(1)


def spread(own: Array, halo: Halo) -> Array:
    """Return own rows (n_owned, ...) with those of ghosts; differentiable on tensors. Collective."""
    if namespace(own) is not np:
        from plexus.spaces.shared import Spread

        return Spread.apply(own, halo)
    whole = np.empty((halo.n_local, *own.shape[1:]), own.dtype)
    whole[: halo.n_owned] = own
    halo.forward(whole)
    return whole


class Controls:
    """All controls of a run by name, and the values that forms and conditions read now.

    Attributes
    ----------
    members : name -> control.
    specs : name -> what it is, with its unit.
    ground : where fields stand; None where there are no controls.
    own : name -> own values, NumPy arrays.
    values : name -> array as `Control.spread` returns it.
    """

    def __init__(
        self,
        members: Mapping[str, Control] | None = None,
        specs: Mapping[str, FieldSpec] | None = None,
        ground: Ground | None = None,
    ):
        self.members, self.specs, self.ground = dict(members or {}), dict(specs or {}), ground
        self.own: dict[str, Array] = {}
        self.values: dict[str, Array] = {}
        self.put({name: c.zeros() for name, c in self.members.items()})

    def put(self, own: Mapping[str, Array]) -> None:
        """Take over own values by name, NumPy arrays. Collective."""
        self.own |= own
        self.values |= self.spread(own)

    def spread(self, own: Mapping[str, Array]) -> dict[str, Array]:
        """Return own values, arrays or tensors, with those of ghosts. Collective."""
        kind = self.ground.array if self.ground else lambda values: values
        return {name: self.members[name].spread(kind(values)) for name, values in own.items()}

    def at_nodes(
        self, names: Iterable[str], nodes: np.ndarray, t: float, values: Mapping[str, Array] | None = None
    ) -> dict[str, Array]:
        """Return those of the names that are controls with their values at local nodes and time ``t`` [s].

        ``values`` stand for the stored ones.
        """
        known = self.values if values is None else values
        return {n: self.members[n].at_nodes(nodes, t, known[n]) for n in names if n in self.members}

    def bend(self, unknowns: Collection[str]) -> bool:
        """Return whether a control depends on one of these fields, so that equations are not linear in it."""
        return any(name in unknowns for c in self.members.values() for name in c.reads)
