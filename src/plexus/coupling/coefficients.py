"""Equations of points whose coefficients are expressions: of the index, time, unknowns and controls.

    dX/dt = f(X, t; c),    c = c(i, t, X, θ)

The model is that of numbers; where a coefficient is an expression it is made for the values of an instant,
tensors that broadcast against members and indices.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

import torch

from plexus import registry
from plexus.coupling.constants import moved, with_constants
from plexus.deck.params import Property
from plexus.formulation.points import Values, View

if TYPE_CHECKING:
    from plexus.deck.params import Params
    from plexus.protocols import Rates
    from plexus.spaces.controls import Sampled
    from plexus.spaces.members import Indices

Tensor = torch.Tensor


class Coefficients:
    """`plexus.protocols.Rates` of a deck's block.

    Parameters
    ----------
    params
        The block.
    indices
        Points of the members of this rank.
    given
        Controls as samples.
    t
        Time of the start [s].
    device
        Where the tensors are.
    """

    def __init__(self, params: Params, indices: Indices, given: Sampled, t: float, device: str):
        self.params, self.indices, self.given, self.t, self.device = params, indices, given, t, device
        block = ((name, getattr(params, name)) for name in type(params).model_fields)
        self.open = {name: value for name, value in block if isinstance(value, Property)}
        x = torch.from_numpy(indices.points).to(device)
        self.x = x.reshape(-1, indices.length, indices.dim)
        names = {name for prop in self.open.values() for name in prop.names}
        self._fixed: Rates | None = None
        if not given.members and not names:
            numbers = {name: prop.constant for name, prop in self.open.items()}
            self._fixed = with_constants(params, **numbers).model()
        cls: Any = registry.component("physics", params.type).cls
        self.sizes: Mapping[str, int] = cls.unknowns(params)
        laws = {name for name in names & given.members.keys() if given.members[name].reads}
        self._local = not laws and not names & self.sizes.keys()
        self.scales: Mapping[str, float] = self._at(self._nothing, t).scales

    @property
    def _nothing(self) -> dict[str, Tensor]:
        """Unknowns that are zero, for what does not depend on them."""
        return {n: torch.zeros(k, dtype=torch.float64, device=self.device) for n, k in self.sizes.items()}

    def reading(self, given: Sampled) -> Coefficients:
        """Return the equations for other values of controls."""
        other = copy(self)
        other.given = given
        return other

    def _at(self, values: Mapping[str, Tensor], t: float) -> Rates:
        """Return the model with the coefficients of an instant."""
        if self._fixed is not None:
            return self._fixed
        scalars = {name: a.reshape(()) for name, a in self.given.values.items() if a.numel() == 1}
        place, unknowns = self.place(t), {name: Values(u) for name, u in values.items()}
        point = View(place, {**self.given.at(place), **unknowns})
        coefficients = {name: prop(point) for name, prop in self.open.items()}
        made: Rates = with_constants(moved(self.params, scalars), **coefficients).model()
        return made

    def place(self, t: float) -> View:
        """Return all indices and members at a time, without unknowns."""
        one = torch.ones((), dtype=torch.float64, device=self.device)
        members: Any = {"x": self.x, "t": t, "dim": self.indices.dim, "one": one, "window": self.window}
        return View(None, {}, **members)

    def window(self, values: Tensor) -> Tensor:
        """Return the values of a control by member and index, (M, length)."""
        return values.reshape(self.x.shape[:-1])

    def rates(self, values: Mapping[str, Tensor], t: float) -> dict[str, Tensor]:
        """Return dX/dt."""
        return dict(self._at(values, t).rates(values, t))

    def jacobian(self, values: Mapping[str, Tensor], t: float) -> Tensor | None:
        """Return ∂f/∂X, None where coefficients depend on X."""
        return self._at(values, t).jacobian(values, t) if self._local else None

    def start(self) -> dict[str, Tensor]:
        """Return the model's start; decks whose coefficients depend on unknowns give these."""
        return dict(self._at(self._nothing, self.t).start())

    def derived(self, name: str, values: Mapping[str, Tensor], t: float) -> Tensor:
        """Return a derived field."""
        found: Tensor = self._at(values, t).derived(name, values, t)
        return found
