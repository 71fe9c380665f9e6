"""A weak form tested with a field, as a torch scalar: what gradients with respect to its data need.

    λᵀF = ∫ (f0·λ + f1:∇λ) w dx + Σ_Γ ∫_Γ f0·λ w ds - Σ λ_i P_i

f0 and f1 come from the same formulas as in assembly, here on tensors. One backward pass of this number gives
∂(λᵀF)/∂θ for everything that the formulas read; no matrix ∂F/∂θ is made. Every rank integrates over its own
cells, so that its number is its part of a sum, and λ is zero at prescribed unknowns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.devices.bridge import TorchBridge
from plexus.protocols import NOTHING, Flux, Point, Since
from plexus.spaces.facets import sets_of_term
from plexus.spaces.points import CellSet, PointBatch, Values, batches
from plexus.spaces.quadrature_space import QuadratureSpace

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form

Tensor = torch.Tensor
TEST = "λ"
"""Name of the testing field among the fields at a point; no deck can use it."""


class TestedForm:
    """λᵀF of a form on this rank. Construction needs no communication.

    Parameters
    ----------
    form : Form
        Equation, boundary terms, loads and spaces.
    """

    def __init__(self, form: Form):
        self.form, mesh = form, form.space.mesh
        self.bridge = TorchBridge()
        # a march tests the same cells at every step
        self.cells = CellSet(mesh, self.bridge, slice(mesh.n_owned_cells), keep=True)
        owned = np.arange(mesh.n_cells) < mesh.n_owned_cells
        self.facets = [
            (term, facets)
            for where, term in form.terms
            for facets in sets_of_term(mesh, where, term, form.degree, self.bridge, owned)
        ]

    def __call__(
        self,
        t: float,
        u: Tensor,
        rate: Tensor | None,
        fields: Mapping[str, Tensor],
        lam: Tensor,
        since: Since = NOTHING,
    ) -> Tensor:
        """Return λᵀF(t, u, rate), this rank's part, a scalar.

        ``u``, ``rate`` (None: zero) and ``lam`` are (n_local, m) with their ghosts filled; ``fields`` are
        other unknowns and controls by name, and ``since`` the step that leads to time ``t`` [s], as
        `plexus.spaces.assembly.Form.residual` takes them.
        """
        values = self._values(u, rate, {**fields, TEST: lam}, since)
        total = 0.0 * lam.sum()
        for p, f in self._integrands(t, values):
            total = total + _paired(f, p, self.form.equation.measure(p.x))
        for load in self.form.loads:
            total = total - load.work(self.form.read(load.reads, t, fields), lam)
        return total

    def remembered(
        self,
        t: float,
        u: Tensor,
        rate: Tensor | None,
        fields: Mapping[str, Tensor],
        weights: Mapping[str, Tensor],
        since: Since,
    ) -> Tensor:
        """Return Σ w·z, this rank's part, of the internal variables z at the end of the step, a scalar.

        ``weights`` (n_local points, m) by name; those of ghost cells count with the ranks that own them.
        """
        total = torch.stack([0.0 * w.sum() for w in weights.values()]).sum()
        for p in batches(self.cells, self.form.rule, self.form.size, t, self._values(u, rate, fields, since)):
            for name, z in self.form.equation.advance(p).items():
                space = self.form.spaces[name]
                assert isinstance(space, QuadratureSpace)
                w = space.by_cell(weights[name])[self.cells.local(p.part)]
                total = total + torch.dot(w.reshape(-1), z.expand(*p.shape, *z.shape[2:]).reshape(-1))
        return total

    def _values(self, u: Tensor, rate: Tensor | None, fields: Mapping[str, Tensor], since: Since) -> Values:
        form = self.form
        parts = {name: u[:, here] for name, here in form.columns.items()}
        arrays = {**fields, **parts, form.own: u}
        places = {**form.controls.members, **form.spaces, TEST: form.space}
        known = {name: (place, arrays[name]) for name, place in places.items() if name in arrays}
        return Values(known, form.own, rate, since)

    def _integrands(self, t: float, values: Values) -> Iterator[tuple[PointBatch, Flux]]:
        """Yield the points of cells and facets with what is integrated there."""
        for rule, integrand in self.form.integrands():
            for p in batches(self.cells, rule, self.form.size, t, values):
                yield p, integrand.flux(p)
        for term, facets in self.facets:
            p = PointBatch(facets.cells, slice(0, len(facets.cells)), facets.rule, t, values, facets.other)
            yield p, term.flux(p)


def _paired(f: Flux, p: Point, measure: Tensor | None) -> Tensor:
    """Return ∫ (f0·λ + f1:∇λ) w over the cells of a batch; both are shaped as the unknown."""
    test = p.fields[TEST]
    w = p.jxw if measure is None else p.jxw * measure
    total = w.new_zeros(())
    if f.f0 is not None:
        total = total + _inner(f.f0, test.value, w)
    if f.f1 is not None:
        total = total + _inner(f.f1, test.grad, w)
    return total


def _inner(a: Tensor, b: Tensor, w: Tensor) -> Tensor:
    """Return Σ w a·b, a and b (C|1, Q|1, ...) and (C, Q, ...); the field that tests comes without a graph."""
    weighted = b * w.reshape(*w.shape, *(1,) * (b.ndim - 2))
    return torch.dot(a.expand_as(weighted).reshape(-1), weighted.reshape(-1))
