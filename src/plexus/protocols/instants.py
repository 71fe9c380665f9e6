"""Where in time equations are solved."""

from __future__ import annotations

from dataclasses import dataclass

from plexus.protocols.fields import Array


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
    """

    t: float
    dt: float = 0.0
    shift: float = 0.0
    offset: Array | None = None

    def rate(self, u: Array) -> Array | None:
        """Return the rate of ``u`` (n_local, m), None where it is zero."""
        return None if self.offset is None else self.shift * u + self.offset
