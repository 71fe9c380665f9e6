"""Totals that a condition's places share: what a term needs of the mesh, and the loads on nodes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from plexus.errors import InputError, at_path
from plexus.formulation.conditions import Total
from plexus.formulation.entries import check_per_axis
from plexus.protocols import Equation
from plexus.spaces.evaluate import Evaluator
from plexus.spaces.lagrange import Space
from plexus.spaces.totals import NodalLoad, area, of_position, of_skeleton


def spread(
    space: Space, equation: Equation, totals: Sequence[Total], skeleton: Collection[str], degree: int
) -> list[NodalLoad]:
    """Tell terms on boundaries their area; return the loads on curves, points and positions. Collective.

    Raises
    ------
    InputError
        At the deck path of a total that has no place.
    """
    loads, columns = [], slice(0, equation.field.components(space.mesh.dim))
    evaluator = Evaluator(space.mesh)
    for total in totals:
        term: Any = total.term
        check_per_axis(total.path, len(term.params.value), space.mesh.dim)
        with at_path(total.path):
            if total.at is not None:
                loads.append(NodalLoad(of_position(space, total.at), columns, term.total, term.reads))
            elif any(name in skeleton for name in total.where):
                loads.append(
                    NodalLoad(of_skeleton(space, total.where.names), columns, term.total, term.reads)
                )
            else:
                term.spread = area(evaluator, total.where, degree, equation.measure)
                if not term.spread > 0:
                    raise InputError(f"{total.where} has no area to share it")
    return loads
