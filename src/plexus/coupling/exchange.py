"""What a body exchanges through a boundary: flows of boundary terms, reactions of prescribed values.

With K ∇u·n + f0 = 0 on a boundary, q·n = f0 flows out of the body. The weak form with v = 1 says that these
flows, the sources and the storage balance, up to the accuracy of the solve. Where u is prescribed,

    R = Σ_i W_i F_i(u; φ_i)    over the nodes i of the boundary

of the weak form F without constraints takes their place; where supports meet, W_i is the boundary's part in
the node (`plexus.spaces.corners`). Source: T. J. R. Hughes et al., J. Comput. Phys. 163
(2000) 467-488, doi:10.1006/jcph.2000.6577.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.fields.stacks import stacked
from plexus.formulation.points import View
from plexus.protocols import Array, BoundaryTerm, Equation, Point, Since
from plexus.protocols.facets import Facets, across
from plexus.spaces.evaluate import Part

if TYPE_CHECKING:
    from plexus.coupling.nodal import NodalFields


def outflow(fields: NodalFields, flux: str, boundary: Facets) -> float:
    """Return what boundary terms let out of the body through a boundary. Collective.

    Parameters
    ----------
    fields : NodalFields
        The state and its equations.
    flux : str
        Derived field of an equation, e.g. ``heat_flux``.
    boundary : Facets
        Outer facets, or a side of facets at which values may jump; terms may stand on parts of them.

    Raises
    ------
    InputError
        If no equation has this flux, or if its unknown is prescribed on a part of the boundary.
    """
    name = _equation(fields, flux).field.name
    for other in fields.system.prescribed[name].held():
        seen = replace(other, side=other.side or boundary.side)
        if fields.integrate(lambda p: 1.0, Part(boundary=seen, within=boundary)) > 0:
            raise InputError(f"{name} is prescribed on {other}: take a reaction there, or by: gradients")
    terms = fields.system.forms[name].terms
    return sum(_through(fields, name, term, _common(term, Facets.of(on), boundary)) for on, term in terms)


def _common(term: BoundaryTerm, on: Facets, boundary: Facets) -> Part:
    """Return the facets of a term that are those of a boundary; a term across is seen from its side."""
    if not across(term):
        return Part(boundary=on, within=boundary)
    return Part(boundary=replace(on, side=boundary.side), within=boundary, across=True)


def _through(fields: NodalFields, name: str, term: BoundaryTerm, part: Part) -> float:
    """Return ∫ f0 ds of one term by the quadrature of the assembly."""

    def seen(p: Point) -> Any:
        own = p.fields[name]
        return View(p, u=own.value, grad=own.grad)

    def density(p: Point) -> Array:
        here = seen(p)
        return term.flux(View(here, other=seen(p.other)) if part.across else here).f0

    return fields.integrate(density, part, fields.system.forms[name].degree)


def _equation(fields: NodalFields, flux: str) -> Equation:
    """Return the equation whose balance a flux field belongs to."""
    for equation in fields.system.equations:
        if equation.flux_field is not None and equation.flux_field.name == flux:
            return equation
    raise InputError(f"{flux} is not the flux of a balance, whose boundary terms could be added up")


def reaction(fields: NodalFields, name: str, boundary: Facets, component: int) -> float:
    """Return what a boundary bears of the unconstrained residual of its nodes. Collective.

    Rates count as zero. Boundary terms belong to the balance: without them loads would count as support.

    Raises
    ------
    InputError
        If the name is no unknown, or if it has no such component.
    """
    if name not in fields.system.spaces:
        raise InputError(f"quantities: reaction needs an unknown, {name!r} is derived")
    state, values = fields.state, {**fields.state.values, **fields.state.internal}
    if component >= fields.system.spaces[name].components:
        raise InputError(f"quantities: {name} has no component {'xyz'[component]} on this mesh")
    form = next(f for f in fields.system.forms.values() if name in [s.name for s in f.equation.fields])
    nodes, part = fields.share(name, boundary)
    columns = form.columns[name] if form.columns else slice(None)
    u = stacked([spec.name for spec in form.equation.fields], values)
    residual = form.reactions(state.t, u, None, values, Since(0.0, state.internal))
    # each node counts on the rank that owns it; the rows of own nodes are complete there
    own = np.einsum("km,km->", part[:, component], residual[nodes][:, columns])
    return float(form.space.comm.allreduce(own))
