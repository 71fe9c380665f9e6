"""Autoregressive closure: the next moment that the given ones predict, with reflection coefficient zero.

    f_(K+1)/c = Σ_j a_j c_(K+1-j),    c_m = f_m/c,

a_j the predictor of the Levinson-Durbin recursion: the middle of the disk in which the next moment of a
non-negative distribution must lie, and the moment of the distribution that maximises
∫ log Ψ dθ. One moment gives the quadratic closure; two give

    f_3/c = a c_2 + k c_1,   k = (c_2 - c_1²)/(1 - |c_1|²),   a = c_1 - k c_1*.

Source: J. P. Burg, Geophysics 37 (1972) 375-376, doi:10.1190/1.1440265 (maximum entropy); recursion as in
`plexus.models.suspension.toeplitz`. |k_m| is capped for m >= 2: coarse grids leave a few cells beyond the
possible.

On a CPU, without derivatives, the recursion is compiled: one pass over the cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.closures.base import ClosureParams, Fields, MomentClosure, order, scaled
from plexus.deck.params import Field
from plexus.models.suspension import toeplitz
from plexus.registry import register

if TYPE_CHECKING:
    import torch

EXAMPLE: dict[str, Any] = {"type": "autoregressive"}


class AutoregressiveParams(ClosureParams):
    """Parameters of the autoregressive closure."""

    cap: float = Field(
        0.999,
        gt=0,
        le=1,
        description="largest |k_m|, m >= 2: keeps cells at the edge of the possible bounded",
    )


@register("closure", "autoregressive", AutoregressiveParams)
class Autoregressive(MomentClosure):
    """Zero reflection coefficient, for any number of given moments."""

    def __init__(self, params: AutoregressiveParams):
        super().__init__(params)
        self.compiles = True
        """Whether the recursion could be compiled so far."""

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return f_(K+1)."""
        highest = order(fields)
        given = [fields["c"], *(fields[f"f{m}"] for m in range(1, highest + 1))]
        found = self._compiled(given) if self.compiles and _plain(given) else None
        if found is None:
            predicted = toeplitz.disk(scaled(fields, highest), self.params.cap).center
            found = fields["c"] * predicted
        return {f"f{highest + 1}": found}

    def _compiled(self, given: list[torch.Tensor]) -> torch.Tensor | None:
        """Return the same by the compiled recursion; None where it cannot be had."""
        from plexus_kernels.native.levinson import levinson

        c, *moments = (v.resolve_conj().contiguous() for v in given)
        found = moments[0].new_empty(c.shape)
        try:
            places = [f.data_ptr() for f in moments]
            levinson(c.numel(), c.data_ptr(), places, self.params.cap, found.data_ptr())
        except RuntimeError:
            self.compiles = False
            return None
        return found


def _plain(given: list[torch.Tensor]) -> bool:
    """Return whether fields are of double precision and one shape, on the host, and want no derivatives."""
    import torch

    double, graph, shape = (torch.float64, torch.complex128), torch.is_grad_enabled(), given[0].shape
    return all(
        v.is_cpu and v.dtype in double and v.shape == shape and not (graph and v.requires_grad) for v in given
    )
