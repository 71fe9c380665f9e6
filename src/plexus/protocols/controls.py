"""What expressions may read beside coordinates, time and fields: numbers θ that gradients are taken with.

A control stands in a deck under a name, and every coefficient, source, boundary and initial value may read
that name as if it were a parameter. Its values are one array per rank:

========= =============================== ======================== =====================
control   own values of a rank            same on all ranks        can be read
========= =============================== ======================== =====================
scalar    (1,)                            yes                      everywhere
table     (k,) at k times                 yes                      everywhere
network   (parameters,)                   yes                      where its ports are
nodal     (own nodes, 1)                  no, of the own nodes     everywhere
cell      (own cells, 1)                  no, of the own cells     inside the body, on its facets
run       (0,)                            yes                      everywhere
========= =============================== ======================== =====================

On the cells of a grid nodes are the middles of cells, in Fourier space the grid points, of points in no space
the indices of all members. Values are NumPy arrays in a run on elements, tensors elsewhere and where
gradients are wanted: the same formulas run on both.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol, runtime_checkable

from plexus.protocols.fields import Array
from plexus.protocols.weak import Point, Sample


class Control(Protocol):
    """One control on one rank: where its values stand; `plexus.spaces.controls.Controls` has them.

    With ``still = True`` it says that no time and no field changes its samples, so that they are kept.
    """

    replicated: bool
    """Whether all ranks have the same values, so that their gradients are parts of a sum."""
    reads: Collection[str]
    """Fields that its value depends on; empty for all but networks."""

    def zeros(self) -> Array:
        """Return own values that are zero."""

    def spread(self, own: Array) -> Array:
        """Return the values as `sample` and `at_nodes` take them, those of ghosts filled. Collective."""

    def sample(self, batch: Any, values: Array) -> Sample:
        """Return the values at the points of a batch (`plexus.spaces.points.PointBatch`), (C|1, Q|1)."""

    def at_nodes(self, nodes: Any, t: float, values: Array) -> Array:
        """Return the values at local nodes (k,) and at time ``t`` [s]: (k,) or a number.

        Raises
        ------
        plexus.errors.InputError
            If it has no value at nodes.
        """


class Ground(Protocol):
    """Where fields that are controls stand on one rank; `plexus.spaces.grounds` has them."""

    comm: Any

    def array(self, values: Array) -> Array:
        """Return values as an array of the kind that the system reads."""

    def control(self, location: str) -> Control:
        """Return a field on ``node`` or ``cell``. Collective.

        Raises
        ------
        plexus.errors.InputError
            If no field stands there.
        """

    def points(self, location: str) -> Array:
        """Return the places of the own values, (n, d)."""

    def names(self, location: str) -> Array:
        """Return numbers of the own values that no partition changes, (n,)."""

    def products(self, location: str, length: float) -> tuple[Array, Array, Array]:
        """Return this rank's entries of ∫ m m + ℓ² ∫ ∇m·∇m: names of rows and columns, values."""


@runtime_checkable
class Dependent(Protocol):
    """A `Sample` that follows from fields at the same point, as the output of a network does.

    It is asked with the point that the expression sees, where the unknown may be a dual number.
    """

    reads: Collection[str]
    """Names of the fields that it reads."""

    def at(self, p: Point) -> Array:
        """Return the value, (C|1, Q|1)."""

    def slope(self, p: Point, wrt: str) -> Array:
        """Return its derivative in one of `reads`, (C, Q)."""
