"""The values with which a run on elements begins: what is given, what is prescribed, and what follows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from plexus.deck.params import Expression
from plexus.errors import InputError
from plexus.spaces.limits import Limits

if TYPE_CHECKING:
    from plexus.coupling.system import System
    from plexus.coupling.traced import Traced
    from plexus.protocols import Values


class Opening(NamedTuple):
    """What a deck says of the beginning: initial values, the time [s], whether the run marches."""

    given: Mapping[str, Sequence[Expression | None]]
    t: float
    marches: bool


def start(
    system: System | Traced, given: Mapping[str, Sequence[Expression | None]], t: float, marches: bool
) -> Values:
    """Return the unknowns at time ``t`` [s], of the equations' fields where nothing is given. Collective.

    Where initial and prescribed values disagree, the prescribed ones hold.

    Raises
    ------
    InputError
        If an expression reads something that is not known at the start.
    """
    values = _given(system, given, t)
    for name, array in values.items():
        system.prescribe(name, t, array)
    if marches:
        _complete(system, values, given, t)
    return values


def _given(system: System | Traced, given: Mapping[str, Sequence[Expression | None]], t: float) -> Values:
    """Return what is given, arrays of the system's kind."""
    specs = [spec for equation in system.equations for spec in equation.fields]
    values = {spec.name: system.array(system.spaces[spec.name].zeros() + spec.start) for spec in specs}
    for name, components in given.items():
        space, array = system.spaces[name], values[name]
        nodes, limits = np.arange(space.n_local), Limits(space)
        for c, expression in enumerate(components[: space.components]):
            if expression is not None:
                known = {"t": t, **system.controls.at_nodes(expression.names, nodes, t, system.rows)}
                _require_known(expression, {*known, *"xyz"[: space.mesh.dim]}, name)
                array[:, c] = limits.value(expression, nodes, known, array)
    return values


def _complete(system: System | Traced, values: Values, given: Mapping[str, Any], t: float) -> None:
    """Let what has no time derivative follow from the rest of its block, unless it is given."""
    for name, parts in system.together.items():
        following = system.algebraic.intersection(parts)
        if following and not following.issubset(given):
            system.complete(name, values, t)


def evaluated(expression: Expression, at: Mapping[str, Any], name: str) -> Any:
    """Return the initial value of field ``name`` from coordinates, time and controls.

    Raises
    ------
    InputError
        If the expression reads something that is not known at the start.
    """
    _require_known(expression, at, name)
    return expression.sure(at)


def _require_known(expression: Expression, names: Collection[str], name: str) -> None:
    """Refuse an initial value of field ``name`` that reads something else."""
    unknown = sorted(set(expression.names) - set(names))
    if unknown:
        raise InputError(f"initial.{name}: {', '.join(unknown)} is not known at the start; use x, y, z, t")
