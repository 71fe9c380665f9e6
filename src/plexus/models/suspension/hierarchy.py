"""The spin hierarchy of an active suspension: moments f_0..f_K of orientation, K = 1, 2, ... up to resolved.

    ∂f_m/∂t + ∇·(u f_m) = d_T ∇²f_m - 4m² d_R f_m - 2imW f_m + m (g f_(m-1) - conj(g) f_(m+1)).

f_(K+1) comes from a closure, or is zero, which is the truth for K large enough: with dt K max|g| <= 0.4 for
stability, 16 to 24 moments for ζ <= 1, about 40 at ζ = 5. An evaluation has four phases, each one batch of
transforms: moments to the grid, stress to modes, flow to the grid, fluxes to modes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch

from plexus.models.suspension.base import Suspension
from plexus.models.suspension.pointwise import Second, fluxes
from plexus.models.suspension.snapshot import Snapshot

Tensor = torch.Tensor


class SpinModel(Suspension):
    """K moments and a closure; the unknown is (..., K+1, *hat_shape) complex."""

    @cached_property
    def rates_of_decay(self) -> Tensor:
        """4 m², (K+1, 1, 1)."""
        m = torch.arange(self.order + 1, dtype=self.space.dtype, device=self.space.device)
        return (4 * m * m).reshape(-1, 1, 1)

    @cached_property
    def turning_factors(self) -> Tensor:
        """1..K, (K, 1, 1)."""
        m = torch.arange(1, self.order + 1, device=self.space.device)
        return m.to(self.space.complex_dtype).reshape(-1, 1, 1)

    def modes(self, f: Tensor) -> Tensor:
        """Return the modes of the moments. Collective."""
        return self.space.forward(f)

    def on_grid(self, hat: Tensor) -> tuple[Tensor, Tensor]:
        """Return the moments on the grid, twice. Collective."""
        f = self.space.inverse(hat)
        return f, f

    def advance(self, s: Snapshot) -> Tensor:
        """Return advection and rotation of the moments. Collective."""
        return self.divergence(*fluxes(s.f, *s.flow, self.next(s), self.medium.zeta))

    def next(self, s: Snapshot) -> Second:
        """Return f_(K+1)."""
        if self.order == 1:
            return s.second
        if self.closure is None:
            return Second(None)
        return Second(self.closure.evaluate(self.fields(s.f, s.flow.e, s.flow.w))[f"f{self.order + 1}"])

    def second(self, f: Tensor, w: Tensor | None) -> Callable[[Tensor], Second]:
        """Return strain rate -> f_2, carried or from the closure."""
        if self.order > 1:
            return super().second(f, w)
        if self.closure is None:
            return lambda _: Second(None)
        half_vorticity = torch.zeros_like(f[..., 0, :, :].real) if w is None else w
        return lambda e: self._closed(f, e, half_vorticity)

    def _closed(self, f: Tensor, e: Tensor, w: Tensor) -> Second:
        """Return f_2, or conj(g) f_2 from the spin of S:T, ζ c f_1 + (g c + conj(g) f_2)/2."""
        assert self.closure is not None
        given = self.closure.evaluate(self.fields(f, e, w))
        if "f2" in given:
            return Second(given["f2"])
        c, guide = f[..., 0, :, :].real, self.medium.zeta * f[..., 1, :, :]
        return Second(None, 2 * (given["st"] - c * guide) - (e + guide) * c)

    def fields(self, f: Tensor, e: Tensor, w: Tensor) -> dict[str, Tensor]:
        """Return what closures see, by name; constants of the medium where they are tensors."""
        named = {f"f{m}": f[..., m, :, :] for m in range(1, self.order + 1)}
        return {"c": f[..., 0, :, :].real, **named, "e": e, "W": w, **self.medium.tensors}
