"""Finite volumes: rates of cell means from the fluxes through the faces of a uniform grid.

    dū/dt = -Σ_a (F_(a,+) - F_(a,-))/h_a + s̄,   F = F̂(u⁻, u⁺) - D u_n

The reconstruction gives u⁻ and u⁺, the Riemann solver F̂. Cells of a law that `plexus.protocols.Holds` have
amounts a(u) instead, and ū is what they release, of second order. A face has one flux, so that what leaves a cell
enters its neighbour: sums over cells change by the fluxes through the sides alone, to rounding. With a
reconstruction of order above 2 the diffusive flux is of order 6, and on two or three axes fluxes and sources
are evaluated in middles and turned into means (`plexus.spaces.stencils.averages`). R. J. LeVeque, Finite
Volume Methods for Hyperbolic Problems (2002), doi:10.1017/CBO9780511791253.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import partial
from typing import Any

import torch

from plexus.models.volumes.compiled import formulas, rates
from plexus.models.volumes.places import Place, Places, Where
from plexus.models.volumes.sides import Given, Outflow, Side
from plexus.protocols import Conservation, FieldSpec, Holds, Reconstruction, Riemann, Values
from plexus.spaces.controls import Sampled
from plexus.spaces.stencils import averages

WIDE = 2 * averages.LAYERS
"""Layers of a reconstruction of order above 2: two to reach middles and two to come back to means."""
SPECTRAL_RADIUS = 1.51
"""Largest eigenvalue of the second derivative of order 6 over that of order 2."""


def reach(reconstruction: Reconstruction) -> int:
    """Return the layers of cells that rates read beyond the own ones."""
    return WIDE if reconstruction.order > 2 else reconstruction.width


class Scheme:
    """The cells of one slab.

    Fields are stacked: tensors (N, M, *cells), M components of all fields one after the other. What steppers see
    are amounts, which are the unknowns where the law does not say otherwise.

    Parameters
    ----------
    law
        What flows.
    specs
        The fields in the order of the stack.
    places
        Own cells of the grid and what lies around, with layers for the `reach` of the reconstruction.
    reconstruction, riemann
        How values and fluxes on faces come about.
    sides
        (axis, end) -> rules, for each side of a bounded axis.
    """

    def __init__(
        self,
        law: Conservation,
        specs: Sequence[FieldSpec],
        places: Places,
        reconstruction: Reconstruction,
        riemann: Riemann,
        sides: Mapping[tuple[int, int], Side],
    ):
        self.law, self.specs, self.sides = law, list(specs), sides
        self.holds = law if isinstance(law, Holds) else None
        self.places, self.slab = places, places.slab
        self.reconstruction, self.riemann = reconstruction, riemann
        self.dim = self.slab.dim
        self.high = reconstruction.order > 2
        self.reach = reach(reconstruction)
        # layers beside a row of faces, from which middles and means are computed
        self.beside = WIDE if self.high and self.dim > 1 else 0
        self.sizes = [spec.components(self.dim) for spec in specs]
        one = torch.ones((1, sum(self.sizes), *(1,) * self.dim), dtype=torch.float64, device=self.slab.device)
        sample = self.split(one), self.places.at(Where((0,) * self.dim), 0.0)
        self.diffuses, self.has_source = bool(law.diffusivity(*sample)), bool(law.source(*sample))
        with torch.enable_grad():
            unknown = self.split(one.clone().requires_grad_())
            bent = law.diffusivity(unknown, sample[1]).values()
        self.bends = any(getattr(d, "requires_grad", False) for d in bent)
        # cells away that the rate of a mean reads
        self.compiled = formulas(self)
        self.couples = WIDE if self.beside or (self.high and self.has_source) else reconstruction.width

    def reading(self, given: Sampled) -> Scheme:
        """Return the scheme with other values of its controls."""
        other = copy(self)
        other.places = self.places.reading(given)
        return other

    def in_torch(self) -> Scheme:
        """Return the scheme by its formulas alone, which have derivatives of all kinds and orders."""
        other = copy(self)
        other.compiled = None
        return other

    # fields and stacks

    def split(self, u: torch.Tensor) -> Values:
        """Return the fields of a stack (N, M, *places): scalars (N, *places), others (N, m, *places)."""
        found, first = {}, 0
        for spec, m in zip(self.specs, self.sizes, strict=True):
            part = u.narrow(1, first, m)
            found[spec.name] = part.squeeze(1) if spec.shape == "scalar" else part
            first += m
        return found

    def join(self, fields: Values, like: torch.Tensor) -> torch.Tensor:
        """Return the stack of fields, shaped as ``like``; what is missing is zero."""
        parts = []
        for spec, m in zip(self.specs, self.sizes, strict=True):
            shape = (like.shape[0], m, *like.shape[2:])
            value = fields.get(spec.name)
            if value is None:
                parts.append(like.new_zeros(shape))
            else:
                value = torch.as_tensor(value, dtype=like.dtype, device=like.device)
                flat = (like.shape[0], *like.shape[2:]) if spec.shape == "scalar" else shape
                parts.append(value.expand(flat).reshape(shape))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    # amounts

    def stored(self, u: torch.Tensor) -> torch.Tensor:
        """Return the amounts of means (N, M, *places)."""
        law = self.holds
        return u if law is None else self.join(law.stored(self.split(u)), u)

    def released(self, amounts: torch.Tensor) -> torch.Tensor:
        """Return the means of amounts (N, M, *places)."""
        law = self.holds
        return amounts if law is None else self.join(law.released(self.split(amounts)), amounts)

    def capacity(self, u: torch.Tensor) -> torch.Tensor | None:
        """Return the amounts' derivatives by the means (N, M, *places); None where amounts are means."""
        law = self.holds
        return None if law is None else self.join(law.capacity(self.split(u)), u)

    # rates

    def rates(self, u: torch.Tensor, t: float) -> torch.Tensor:
        """Return the rates of the amounts (N, M, *cells). Collective, differentiable, in compiled code once."""
        return self.inflow(self.released(u), t)

    def inflow(self, u: torch.Tensor, t: float) -> torch.Tensor:
        """Return what fluxes and sources give to cells with means (N, M, *cells). Collective."""
        if self.compiled is None:
            return self.around(self.slab.extended(u, self.reach), t)
        total = rates(self, self.compiled, u, t)
        return total + self._sources(self.slab.extended(u, self.reach), t) if self.has_source else total

    def local(self, extended: torch.Tensor, t: float) -> torch.Tensor:
        """Return the rates from the amounts with the neighbours' layers; needs no communication."""
        return self.around(self.released(extended), t)

    def around(self, extended: torch.Tensor, t: float) -> torch.Tensor:
        """Return the rates from the means with the neighbours' layers."""
        total: Any = 0.0
        for a in range(self.dim):
            flux = self.fluxes(extended, a, t)
            total = total - flux.diff(dim=a - self.dim) / self.slab.grid.spacing[a]
        return total + self._sources(extended, t) if self.has_source else total

    def fluxes(self, extended: torch.Tensor, a: int, t: float) -> torch.Tensor:
        """Return the mean fluxes along axis ``a`` through its faces, (N, M, *faces)."""
        axis = a - self.dim
        w = self.window(extended, a, t)
        lower, upper = self.reconstruction.faces(self.trim(w, axis, self.reconstruction.width), axis)
        stack = [lower, upper]
        if self.diffuses:
            order, width = (6, 3) if self.high else (2, 1)
            near, h = self.trim(w, axis, width), self.slab.grid.spacing[a]
            stack += [averages.slopes(near, axis, order) / h, averages.between(near, axis, order)]
        for end in self.ends(a):
            stack = self._at_side(stack, w, a, end, t)
        across = [b - self.dim for b in range(self.dim) if b != a]
        if self.beside:
            stack = [averages.middles(u, across) for u in stack]
        flux = self._pointwise(stack, a, t)
        flux = averages.means(flux, across) if self.beside else flux
        for end in self.ends(a):
            flux = self._given(flux, a, end, t)
        return flux

    def _pointwise(self, stack: list[torch.Tensor], a: int, t: float) -> torch.Tensor:
        """Return the flux in the middles of faces from both sides' values, derivative and value there."""
        layers = [self.beside // 2] * self.dim
        layers[a] = 0
        p = self.places.at(Where(tuple(layers), a), t)
        lower, upper = self.split(stack[0]), self.split(stack[1])
        flux = self.join(self.riemann.flux(self.law, lower, upper, p, a), stack[0])
        if self.diffuses:
            d = self.join(self.law.diffusivity(self.split(stack[3]), p), stack[3])
            flux = flux - d * stack[2]
        return flux

    def _sources(self, extended: torch.Tensor, t: float) -> torch.Tensor:
        """Return the mean sources of the own cells."""
        own = self.trim(extended, -self.dim, 0)
        if not self.high:
            p = self.places.at(Where((0,) * self.dim), t)
            return self.join(self.law.source(self.split(own), p), own)
        axes = [a - self.dim for a in range(self.dim)]
        u = averages.middles(self._filled(extended, t), axes)
        p = self.places.at(Where((WIDE // 2,) * self.dim), t)
        return averages.means(self.join(self.law.source(self.split(u), p), u), axes)

    # layers around the slab

    def trim(self, u: torch.Tensor, axis: int, layers: int) -> torch.Tensor:
        """Return the own cells along an axis with so many layers at each end."""
        n = self.slab.shape[axis]
        before, kept = self._before(u, axis), n + 2 * layers
        # a part that is all of it would still be a copy in a gradient
        return u if u.shape[axis] == kept else u.narrow(axis, before - layers, kept)

    def _before(self, u: torch.Tensor, axis: int) -> int:
        """Return how many layers there are before the own cells."""
        more = u.shape[axis] - self.slab.shape[axis]
        if axis == -self.dim and more == self.reach:
            # a slab at a side whose ghosts are not filled yet has layers at one end
            return 0 if self.slab.lowest else self.reach
        return more // 2

    def window(self, extended: torch.Tensor, a: int, t: float) -> torch.Tensor:
        """Return the own cells with all layers along axis ``a``, and along the others where needed."""
        if self.beside:
            return self._filled(extended, t)
        own = extended if a == 0 else self.trim(extended, -self.dim, 0)
        return self._fill(own, a, t)

    def _filled(self, extended: torch.Tensor, t: float) -> torch.Tensor:
        """Return the slab with layers along all axes."""
        for a in range(self.dim):
            extended = self._fill(extended, a, t)
        return extended

    def _fill(self, u: torch.Tensor, a: int, t: float) -> torch.Tensor:
        """Return ``u`` with the layers along axis ``a`` that no neighbour has given."""
        axis, w, ends = a - self.dim, self.reach, self.ends(a)
        if a > 0 and not ends:
            n = u.shape[axis]
            return torch.cat([u.narrow(axis, n - w, w), u, u.narrow(axis, 0, w)], dim=axis)
        parts = [u]
        for end in ends:
            ghosts = self.beyond(u, a, end, t, w)[0]
            parts = [*ghosts[::-1], *parts] if end == 0 else [*parts, *ghosts]
        return torch.cat(parts, dim=axis) if ends else u

    def ends(self, a: int) -> list[int]:
        """Return the ends of an axis at which this slab touches a side."""
        if not self.slab.grid.ends(a):
            return []
        touches = (self.slab.lowest, self.slab.highest) if a == 0 else (True, True)
        return [end for end in (0, 1) if touches[end]]

    # sides

    def beyond(
        self, u: torch.Tensor, a: int, end: int, t: float, ghosts: int
    ) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
        """Return ghosts nearest first, value and outward derivative on a side, each (N, M, ..., 1, ...)."""
        side, axis = self.sides[a, end], a - self.dim
        skip = self._before(u, axis) if end == 0 else u.shape[axis] - self.slab.shape[axis]
        if end == 1:
            skip -= self._before(u, axis)
        index = [skip + j if end == 0 else u.shape[axis] - 1 - skip - j for j in range(side.reads)]
        where = self._on_side(u, a, end)
        axes = [b for b in range(self.dim) if b != a] if self.high else []
        found = []
        for c in range(u.shape[1]):
            cells = [u[:, c].narrow(axis, i, 1) for i in index]
            mean = partial(self.places.mean, where=where, axes=axes, t=t)
            d = partial(self._diffusivity, u=u.narrow(axis, index[0], 1), c=c, place=self.places.at(where, t))
            found.append(side.beyond(cells, c, ghosts, mean, d))
        layers = [torch.stack([b.ghosts[j] for b in found], dim=1) for j in range(ghosts)]
        value, slope = (torch.stack([getattr(b, k) for b in found], dim=1) for k in ("value", "slope"))
        return layers, value, slope

    def _on_side(self, u: torch.Tensor, a: int, end: int) -> Where:
        """Return the faces of a side that a tensor with these layers reaches."""
        layers = [0 if b == a else self._before(u, b - self.dim) for b in range(self.dim)]
        return Where(tuple(layers), a, end)

    def _diffusivity(self, value: torch.Tensor, u: torch.Tensor, c: int, place: Place) -> torch.Tensor:
        """Return D of one component on a side, the others as in the nearest cells."""
        parts = [value if k == c else u[:, k] for k in range(u.shape[1])]
        stack = torch.stack(parts, dim=1)
        return self.join(self.law.diffusivity(self.split(stack), place), stack)[:, c]

    def _at_side(
        self, stack: list[torch.Tensor], w: torch.Tensor, a: int, end: int, t: float
    ) -> list[torch.Tensor]:
        """Return values and derivatives on faces with those of a side put in."""
        axis, side = a - self.dim, self.sides[a, end]
        _, value, slope = self.beyond(w, a, end, t, 1)
        inside, outside = (1, 0) if end == 0 else (0, 1)
        at = 0 if end == 0 else stack[0].shape[axis] - 1
        own = stack[inside].narrow(axis, at, 1)
        open_ = [isinstance(rule, Outflow) for rule in side.rules]
        keep = torch.tensor(open_, device=w.device).reshape(1, -1, *(1,) * self.dim)
        stack = list(stack)
        stack[outside] = _put(stack[outside], axis, end, own.where(keep, value))
        if self.diffuses:
            # the outward derivative at the lower end is the one against the axis
            along = slope * (1 if end else -1)
            stack[2] = _put(stack[2], axis, end, (0 * along).where(keep, along))
            stack[3] = _put(stack[3], axis, end, own.where(keep, value))
        return stack

    def _given(self, flux: torch.Tensor, a: int, end: int, t: float) -> torch.Tensor:
        """Return fluxes with those put in that a side prescribes."""
        axis, side = a - self.dim, self.sides[a, end]
        if not any(isinstance(rule, Given) for rule in side.rules):
            return flux
        at = 0 if end == 0 else flux.shape[axis] - 1
        last = flux.narrow(axis, at, 1)
        parts = [
            self.entering(rule, last[:, c], a, end, t) if isinstance(rule, Given) else last[:, c]
            for c, rule in enumerate(side.rules)
        ]
        return _put(flux, axis, end, torch.stack(parts, dim=1))

    def entering(self, rule: Given, like: torch.Tensor, a: int, end: int, t: float) -> torch.Tensor:
        """Return the flux along the axis that a side prescribes, shaped as ``like`` (N, *faces)."""
        where = Where((0,) * self.dim, a, end)
        axes = [b for b in range(self.dim) if b != a] if self.high else []
        return self.places.mean(rule.value, where, axes, t).expand_as(like) * (-1 if end else 1)

    # what the sides let out, and how fast anything may go

    def outflow(self, u: torch.Tensor, t: float, a: int, end: int) -> torch.Tensor:
        """Return what leaves through a side for amounts u, (N, M), the sum over ranks. Collective."""
        flux = self.fluxes(self.slab.extended(self.released(u), self.reach), a, t)
        area = self.slab.grid.volume / self.slab.grid.n_global_cells / self.slab.grid.spacing[a]
        at = 0 if end == 0 else flux.shape[a - self.dim] - 1
        through = flux.narrow(a - self.dim, at, 1).flatten(2).sum(-1) * (area if end else -area)
        mine = through if end in self.ends(a) else 0 * through
        return torch.as_tensor(self.slab.comm.allreduce(mine.detach().cpu().numpy()))

    def longest(self, u: torch.Tensor, t: float) -> float:
        """Return the longest step [s] at Courant number one: Σ_a (|f'|/h + 2D/h²) dt = 1. Collective."""
        from mpi4py import MPI

        fields, p = self.split(self.released(u)), self.places.at(Where((0,) * self.dim), t)
        spacing, total = self.slab.grid.spacing, torch.zeros((), dtype=u.dtype, device=u.device)
        for a, h in enumerate(spacing):
            total = total + self.law.speed(fields, p, a).abs() / h
        for d in self.law.diffusivity(fields, p).values():
            stiff = 2 * sum(h**-2 for h in spacing) * (SPECTRAL_RADIUS if self.high else 1)
            total = total + d * stiff
        rate = self.slab.comm.allreduce(float(torch.as_tensor(total).max()), MPI.MAX)
        return 1 / rate if rate > 0 else float("inf")


def _put(u: torch.Tensor, axis: int, end: int, part: torch.Tensor) -> torch.Tensor:
    """Return ``u`` with its first or last layer along an axis replaced."""
    n = u.shape[axis] - 1
    rest = u.narrow(axis, 1 - end, n)
    part = part.expand_as(u.narrow(axis, 0, 1))
    return torch.cat([part, rest] if end == 0 else [rest, part], dim=axis)
