"""Elastic foundations on a basis: K_ij = ∫ f0(ψ_j)·ψ_i ds, with f0 linear in the displacement, once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import InputError
from plexus.reduction.loads import Given, Piece, kind_of, pulled
from plexus.reduction.terms import LINEAR

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form

Array = np.ndarray
SAME = 1e-9
"""Relative change of a stiffness in time that is rounding."""


class Springs:
    """Boundary terms that are linear in the unknown. Construction is collective.

    Parameters
    ----------
    form : Form
        The equation with its boundary terms.
    times : sequence of float
        Times of the run [s].

    Raises
    ------
    InputError
        On all ranks, if a stiffness changes in time.
    """

    def __init__(self, form: Form, times: Sequence[float]):
        self.form, self.start = form, times[0]
        if bedded(form):
            self._require_steady(times)

    def _require_steady(self, times: Sequence[float]) -> None:
        u, comm = self.form.space.zeros() + 1.0, self.form.space.comm
        first = bedding(self.form, u, times[0])
        change = max(float(np.abs(bedding(self.form, u, t) - first).max(initial=0.0)) for t in times)
        sizes = comm.allgather((change, float(np.abs(first).max(initial=0.0))))
        if max(a for a, _ in sizes) > SAME * max(b for _, b in sizes):
            raise InputError("rom: the stiffness of a spring changes in time, which no reduced model takes")

    def on(self, modes: Array) -> Array:
        """Return K (n, n) of modes (n_local, m, n). Collective."""
        n = modes.shape[2]
        if not bedded(self.form):
            return np.zeros((n, n))
        columns = [self.between(modes, np.ascontiguousarray(modes[:, :, j])) for j in range(n)]
        return np.stack(columns, axis=1) if columns else np.zeros((0, 0))

    def between(self, modes: Array, u: Array) -> Array:
        """Return ∫ f0(u)·ψ_i ds of modes (n_local, m, n) and some u (n_local, m), (n,). Collective."""
        if not bedded(self.form):
            return np.zeros(modes.shape[2])
        own = self.form.space.n_owned
        force = bedding(self.form, u, self.start)[:own]
        total: Array = self.form.space.comm.allreduce(np.einsum("im,imn->n", force, modes[:own]))
        return total


def bedded(form: Form) -> bool:
    """Return whether a form has boundary terms that are linear in the unknown."""
    return any(kind_of(term) in LINEAR for _, term in form.terms)


def bedding(form: Form, u: Array, t: float) -> Array:
    """Return ∫ f0(u)·φ_i of such terms, (n_local, m), complete for own nodes."""
    found, controls = form.space.zeros(), form.controls
    known = {n: (controls.members[n], a) for n, a in controls.values.items()}
    given: Given = {**known, form.own: (form.space, u)}
    for part in form.parts_on_boundaries:
        if kind_of(part.term) in LINEAR:
            piece = Piece(form, given, partial(pulled, part.term), part)
            found += piece.assembled(piece.sample(t))
    return found
