"""Galerkin projection on a basis, with the law at the points of an empirical cubature (hyper-reduction).

    u(x, t) = Σ_j γ_j(t) ψ_j(x),    ∫ σ(u):ε(ψ_j) ≈ Σ_k w_k σ(x_k):ε(ψ_j)(x_k)

`plexus reduce` makes basis and cubature from a run of the full model. Source: F. Casenave, N. Akkari, F.
Bordeu, C. Rey, D. Ryckelynck, Int. J. Numer. Methods Eng. 121 (2020) 32, doi:10.1002/nme.6187; J. A.
Hernández, M. A. Caicedo, A. Ferrer, Comput. Methods Appl. Mech. Eng. 313 (2017) 687,
doi:10.1016/j.cma.2016.10.022. Valid for loads whose responses lie near to the basis; prescribed values must
be zero, and loads tractions, pressures and forces per volume.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from plexus.deck.params import Field, InputFile, Params
from plexus.errors import InputError
from plexus.protocols import Reducible
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.coupling.system import System
    from plexus.deck.schema import Deck
    from plexus.protocols import Values


class GalerkinParams(Params):
    """Parameters of `Galerkin`."""

    file: InputFile = Field(description="rom.h5 that `plexus reduce` has made on the same mesh")
    duals: Literal["replay"] = Field(
        "replay", description="replay: the law is marched at all points when outputs ask for memory"
    )
    tolerance: float = Field(1e-8, gt=0, lt=1, description="relative residual at which Newton's method ends")
    imbalance: float = Field(
        0.05,
        gt=0,
        description="largest share of the forces that may be out of balance where fields are made, or code 5",
    )


@register("rom", "galerkin", GalerkinParams)
class Galerkin:
    """A reduced model on few points."""

    def __init__(self, params: GalerkinParams):
        self.params = params

    def reduce(self, full: System, values: Values, deck: Deck) -> tuple[ReducedSystem, Values]:
        """Return the system that marches in the place of ``full``, and its values at the start. Collective.

        Raises
        ------
        InputError
            If the file does not belong to the mesh, or the deck has what a reduced model does not take.
        """
        from plexus.coupling.reduced import ReducedSystem
        from plexus.reduction.loads import require_separable
        from plexus.reduction.model import load
        from plexus.reduction.times import sampled

        equation = full.equations[0]
        name = equation.field.name
        if len(full.equations) > 1 or not isinstance(equation, Reducible):
            raise InputError("rom: galerkin reduces the physics elastoviscoplastic")
        form, times = full.forms[name], sampled(deck)
        require_separable(form)
        _require_zero(full, name, values[name], times)
        space = next(iter(full.points.values()))
        model = load(Path(self.params.file), form, space)
        system = ReducedSystem(full, model, times, self.params.tolerance, self.params.imbalance)
        return system, {name: np.zeros((model.basis.shape[2], 1))}


def _require_zero(full: System, name: str, start: np.ndarray, times: list[float]) -> None:
    """Refuse prescribed and initial values other than zero. Collective."""
    largest = float(np.abs(start).max(initial=0.0))
    for t in times:
        u = np.zeros_like(start)
        full.prescribe(name, t, u)
        largest = max(largest, float(np.abs(u).max(initial=0.0)))
    if max(full.spaces[name].comm.allgather(largest)) > 0:
        raise InputError(
            f"rom: {name} is prescribed or begins with values other than zero, which no basis has yet"
        )


EXAMPLE: dict[str, Any] = {"type": "galerkin", "file": "rom.h5"}
