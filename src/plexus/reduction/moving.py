"""A conservation law of one unknown along its characteristics: nodes move, and carry the unknown with them.

    w_t + f(w)_x = (D w_x)_x + s    →    dx/dt = f'(w),    dw/dt = (D w_x)_x + s

Second differences stand on the moved nodes, with no flux at the two ends; the line goes on beyond the sides
of the grid. Where characteristics cross, the nodes fold, and the form has no meaning any more. Sources: R.
Mojgani, M. Balajewicz, arXiv:1701.04343 (2017); for the differences W. Hundsdorfer, J. G. Verwer, Numerical
Solution of Time-Dependent Advection-Diffusion-Reaction Equations (2003), doi:10.1007/978-3-662-09017-6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.errors import GuardError, InputError
from plexus.reduction.monotone import interpolated

if TYPE_CHECKING:
    from plexus.protocols import Conservation, Sample

Array = np.ndarray
GAUSS = ((-(0.15**0.5), 5 / 18), (0.0, 4 / 9), (0.15**0.5, 5 / 18))
"""Points in a cell in units of its length, and weights, of a mean."""
ROUNDING = 1e-9


@dataclass
class Nodes:
    """A `plexus.protocols.GridPoint`: the nodes of the line at a time."""

    t: float
    x: torch.Tensor
    dim: int = 1
    one: torch.Tensor = field(default_factory=lambda: torch.ones((), dtype=torch.float64))
    fields: Mapping[str, Sample] = field(default_factory=dict)
    regions: Mapping[str, Any] = field(default_factory=dict)


class MovingLine:
    """The rows (x_1 … x_n, w_1 … w_n) and their rates; the same on all ranks.

    Parameters
    ----------
    law : Conservation
        Flux, diffusivity and source; its flux may depend on the unknown and on time only.
    name : str
        The unknown.
    start : array (n, 2)
        Positions [m], rising, and values at the start.
    beyond : pair of float
        Values before the first and behind the last node.
    spacing : float
        Least distance of neighbours, relative to that at the start, which the line may have.

    Raises
    ------
    InputError
        If the flux depends on place.
    """

    def __init__(
        self, law: Conservation, name: str, start: Array, beyond: tuple[float, float], spacing: float
    ):
        self.law, self.name, self.beyond, self.spacing = law, name, beyond, spacing
        self.n = len(start)
        self.origin = np.concatenate([start[:, 0], start[:, 1]])
        self.gaps = np.diff(start[:, 0])
        self.least = 1.0
        ends = np.concatenate([[0.0], self.gaps, [0.0]])
        length, size = float(self.gaps.sum()), float(np.ptp(start[:, 1])) or 1.0
        share = (ends[1:] + ends[:-1]) / 2 / length
        self.weights = np.concatenate([share / length**2, share / size**2])
        self._require_alone()

    def _require_alone(self) -> None:
        """Refuse fluxes that depend on place: along their characteristics the unknown changes by them."""
        x, w = self.origin[: self.n], self.origin[self.n :]
        for value in np.linspace(w.min(), w.max() + ROUNDING, 5):
            u = torch.full((1, self.n), value, dtype=torch.float64)
            p = Nodes(0.0, torch.from_numpy(x)[:, None])
            f, c = (self._row(found) for found in (self.law.flux({self.name: u}, p, 0)[self.name],
                                                   self.law.speed({self.name: u}, p, 0)))  # fmt: skip
            if any(float(a.max() - a.min()) > ROUNDING * float(1e-300 + a.abs().max()) for a in (f, c)):
                raise InputError(
                    "rom: characteristics carry values where the flux depends on the unknown alone"
                )

    def speed(self, value: float, x: float, t: float) -> float:
        """Return the speed of a value at a place [m/s]."""
        p = Nodes(t, torch.tensor([[x]], dtype=torch.float64))
        u = torch.tensor([[value]], dtype=torch.float64)
        return float(torch.as_tensor(self.law.speed({self.name: u}, p, 0)).reshape(-1)[0])

    def _row(self, value: Any) -> torch.Tensor:
        return torch.as_tensor(value, dtype=torch.float64).broadcast_to((1, self.n))[0]

    def _field(self, z: torch.Tensor, t: float) -> torch.Tensor:
        """Return the rates of the rows (2n,)."""
        x, w = z[: self.n], z[self.n :]
        p, u = Nodes(t, x[:, None]), {self.name: w[None]}
        gap = x.diff()
        d = self.law.diffusivity(u, p).get(self.name)
        rate = torch.zeros_like(w)
        if d is not None:
            d = self._row(d)
            zero = torch.zeros_like(w[:1])
            flux = torch.cat([zero, (d[1:] + d[:-1]) / 2 * w.diff() / gap, zero])
            ends = torch.cat([zero, gap, zero])
            rate = flux.diff() / ((ends[1:] + ends[:-1]) / 2)
        s = self.law.source(u, p).get(self.name)
        rate = rate if s is None else rate + self._row(s)
        return torch.cat([self._row(self.law.speed(u, p, 0)), rate])

    def rates(self, z: Array, t: float) -> Array:
        """Return the rates of the rows (2n,).

        Raises
        ------
        GuardError
            If neighbours have come too close: characteristics cross.
        """
        self.require_unfolded(z, t)
        with torch.no_grad():
            return self._field(torch.from_numpy(z), t).numpy()

    def slopes(self, z: Array, t: float, directions: Array) -> Array:
        """Return the derivatives of the rates along directions (2n, k), (2n, k)."""
        at, found = torch.from_numpy(z), []
        for d in np.ascontiguousarray(directions.T):
            found.append(torch.func.jvp(lambda y: self._field(y, t), (at,), (torch.from_numpy(d),))[1])
        return torch.stack(found, dim=1).numpy()

    def require_unfolded(self, z: Array, t: float) -> None:
        """Refuse a line that has folded, or is about to.

        Raises
        ------
        GuardError
            With the place.
        """
        ratio = np.diff(z[: self.n]) / self.gaps
        worst = int(np.argmin(ratio))
        if not ratio[worst] >= self.spacing:
            raise GuardError(
                f"{self.name}: characteristics cross at x = {z[worst]:.4g} m, t = {t:.4g} s: the distance of "
                f"neighbouring nodes fell to {ratio[worst]:.2g} of that at the start, below spacing "
                f"{self.spacing:g}; a Lagrangian model ends here: take registration, or the full model"
            )
        self.least = min(self.least, float(ratio[worst]))

    def longest(self, z: Array, t: float) -> float:
        """Return the longest stable Euler step of all nodes [s]."""
        x, w = torch.from_numpy(z[: self.n]), torch.from_numpy(z[self.n :])
        p, u = Nodes(t, x[:, None]), {self.name: w[None]}
        gap = x.diff()
        d = self.law.diffusivity(u, p).get(self.name)
        stiff = 0.0 if d is None else float(4 * self._row(d).max() / gap.min() ** 2)
        # neighbours approach each other by half their distance at most
        closing = float((-self._row(self.law.speed(u, p, 0)).diff() / gap).max())
        rate = max(stiff / 2, 2 * closing)
        return 1 / rate if rate > 0 else float("inf")

    def means(self, z: Array, centres: Array, size: float) -> Array:
        """Return the means over cells of a fixed grid, from cubic pieces between the nodes.

        Parameters
        ----------
        z : array (2n,)
            The rows.
        centres : array (k,)
            Middles of the cells [m].
        size : float
            Their length [m].
        """
        x, w = z[: self.n], z[self.n :]
        found = np.zeros(len(centres))
        for shift, weight in GAUSS:
            found += weight * interpolated(x, w, centres + shift * size, *self.beyond)
        return found
