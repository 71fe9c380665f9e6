"""Where in time equations are solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plexus.protocols.fields import Array


@dataclass(frozen=True, eq=False)
class Since:
    """The step so far: its length [s], and internal variables at its start, name -> rows (n_local, m)."""

    dt: float = 0.0
    before: Mapping[str, Array] = field(default_factory=dict)


NOTHING = Since()
"""No step and no memory: a steady solve."""


@dataclass(frozen=True, eq=False)
class Instant:
    """Time, step, and the rate of the unknown as u_t = shift·u + offset.

    Attributes
    ----------
    t : float
        Time at which F(t, u, u_t) = 0 holds [s].
    dt : float
        Length of the step that leads there [s]; 0 where nothing evolves.
    shift : float
        Factor of u in the rate [1/s].
    offset : array (n_local, m), optional
        Rest of the rate; the rate is zero without it.
    before : mapping
        Internal variables at the start of the step, by name; rows at quadrature points (n_local, m).
    """

    t: float
    dt: float = 0.0
    shift: float = 0.0
    offset: Array | None = None
    before: Mapping[str, Array] = field(default_factory=dict)

    @property
    def since(self) -> Since:
        """Step and memory, as an integrand sees them."""
        return Since(self.dt, self.before)

    def rate(self, u: Array) -> Array | None:
        """Return the rate of ``u`` (n_local, m), None where it is zero."""
        return None if self.offset is None else self.shift * u + self.offset
