"""The inflow of a scheme of one field that is affine in the means, R(u) = L u + b, with L of all times and states.

A few products with a sparse matrix take the place of fluxes through faces: same numbers, to rounding, for a small
part of the time. It serves laws whose cells hold amounts a(u), of which the equations a(u)_t = L u + b stay nonlinear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from plexus.devices.tensors import from_rows, rows_of

if TYPE_CHECKING:
    from petsc4py import PETSc

    from plexus.models.volumes.form import CellForm


class Affine:
    """L and b of a form, made when they are first needed.

    Parameters
    ----------
    form
        The equations.
    steady
        Whether b is that of all times, too.
    """

    def __init__(self, form: CellForm, steady: bool):
        self.form, self.steady = form, steady
        self._minus: PETSc.Mat | None = None
        self._constant: tuple[float, torch.Tensor] | None = None

    def derivative(self, means: torch.Tensor, t: float) -> PETSc.Mat:
        """Return the form's matrix with -L in it. Collective."""
        minus, mat = self._matrix(means, t), self.form.matrix.mat
        minus.copy(mat, structure=minus.Structure.SAME)
        return mat

    def inflow(self, means: torch.Tensor, t: float) -> torch.Tensor:
        """Return R (N, m, *cells) of means. Collective."""
        minus, n = self._matrix(means, t), self.form.space.n_owned
        x, y = minus.createVecs()
        x.setArray(rows_of(means, n).ravel())
        minus.mult(x, y)
        flat = from_rows(y.getArray().reshape(n, -1), means.shape[2:], str(means.device), complex_=False)
        x.destroy(), y.destroy()
        return self._rest(means, t) - flat.reshape(means.shape)

    def _matrix(self, means: torch.Tensor, t: float) -> PETSc.Mat:
        """Return -L. Collective at the first call."""
        if self._minus is None:
            self._minus = self.form.derivative(means, t, 0.0).copy()
        return self._minus

    def _rest(self, means: torch.Tensor, t: float) -> torch.Tensor:
        """Return b (N, m, *cells) at a time. Collective where it is not known."""
        if self._constant is None or not (self.steady or self._constant[0] == t):
            self._constant = t, self.form.scheme.inflow(torch.zeros_like(means), t)
        return self._constant[1]
