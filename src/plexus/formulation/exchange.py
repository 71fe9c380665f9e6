"""What the boundary terms exchange with the surroundings: the consistent flow through a boundary.

With K ∇u·n + f0 = 0 on a boundary, q·n = f0 flows out of the body. The weak form with v = 1 says that these
flows, the sources and the storage balance, up to the accuracy of the solve.
"""

from __future__ import annotations

from typing import Any

from plexus.errors import InputError
from plexus.formulation.conditions import sort_conditions
from plexus.formulation.points import View
from plexus.formulation.sampler import Sampler, sampler
from plexus.protocols import Array, Equation, Point
from plexus.spaces.evaluate import Part


def outflow(run: Any, flux: str, boundary: str) -> float:
    """Return what boundary terms let out of the body through a boundary. Collective.

    Parameters
    ----------
    run : Run
        Its deck, equations and state are read.
    flux : str
        Derived field of an equation, e.g. ``heat_flux``.
    boundary : str
        Name of the boundary; terms may stand on parts of it.

    Raises
    ------
    InputError
        If no equation has this flux, or if its unknown is prescribed on a part of the boundary.
    """
    equation = _equation(run, flux)
    name, s = equation.field.name, sampler(run)
    here = sort_conditions(run.deck.boundary, run.system.equations, run.mesh.dim)[name]
    for condition in here.prescribed:
        for other in condition.boundaries:
            if s.integrate(run, lambda p: 1.0, Part(boundary=other, within=boundary)) > 0:
                raise InputError(f"{name} is prescribed on {other}: take a reaction there, or by: gradients")
    return float(
        sum(_through(run, s, name, term, Part(boundary=on, within=boundary)) for on, term in here.terms)
    )


def _through(run: Any, s: Sampler, name: str, term: Any, part: Part) -> float:
    """Return ∫ f0 ds of one term by the quadrature of the assembly."""

    def density(p: Point) -> Array:
        own = p.fields[name]
        return term.flux(View(p, u=own.value, grad=own.grad)).f0

    return float(s.integrate(run, density, part, run.system.forms[name].degree))


def _equation(run: Any, flux: str) -> Equation:
    """Return the equation whose balance a flux field belongs to."""
    for equation in run.system.equations:
        if getattr(equation, "flux_field", None) is not None and equation.flux_field.name == flux:
            return equation
    raise InputError(f"{flux} is not the flux of a balance, whose boundary terms could be added up")
