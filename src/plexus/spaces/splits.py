"""The parts of a block of fields inside PETSc's PCFIELDSPLIT: unknowns by name, near null spaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from petsc4py import PETSc

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form


def parts(form: Form) -> Mapping[str, PETSc.IS]:
    """Return name -> owned unknowns of each field, with its near null space. Collective."""
    space, found = form.space, {}
    m, first = space.components, space.offset * space.components
    for name, here in form.columns.items():
        own = np.arange(space.n_owned)[:, None] * m + np.arange(here.start, here.stop)
        chosen = PETSc.IS().createGeneral((own + first).ravel().astype(PETSc.IntType), comm=space.comm)
        field = space.with_components(here.stop - here.start)
        # PETSc gives what it finds under this name to the matrix of the part
        chosen.compose("nearnullspace", field.near_nullspace(form.equation.near_nullspace))
        found[name] = chosen
    return found
