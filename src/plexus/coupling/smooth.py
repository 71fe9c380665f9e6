"""Fields of a state of tensors on grids and of points: their numbers as torch scalars, equal on all ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from plexus.coupling.devicefields import DeviceFields
from plexus.coupling.tracedfields import no_extremum
from plexus.deck.params import Expression
from plexus.deck.property import PointNames
from plexus.formulation.points import Values, View
from plexus.spaces.shared import Total

if TYPE_CHECKING:
    from plexus.protocols import Integrand
    from plexus.spaces.evaluate import Part

Tensor = torch.Tensor


class Smooth(DeviceFields):
    """`DeviceFields` whose numbers have gradients; it stands before the class whose fields they are."""

    def total(self, mine: Tensor) -> Tensor:  # type: ignore[override]
        """Return the sum over the ranks. Collective."""
        found: Tensor = Total.apply(mine, self.space.comm)
        return found

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Refuse: where the largest value is taken jumps.

        Raises
        ------
        InputError
            Always, with what is smooth instead.
        """
        raise no_extremum(largest)

    def value(self, expression: Expression, at: Sequence[float]) -> Tensor:  # type: ignore[override]
        """Return an expression at one place, from the values of its fields there. Collective."""
        x = torch.tensor([[at]], dtype=torch.float64, device=self.device)
        places: Any = self.locate(x[0].cpu().numpy())
        samples = {}
        for name, spec in self.specs.items():
            if any(n == name or n.rpartition("_")[0] == name for n in expression.names):
                u = self.tensor(name)
                found = Total.apply(places.share(self.space, u.flatten(1).T), self.space.comm)
                samples[name] = Values(found if spec.shape == "scalar" else found[:, None, :])
        view = View(None, fields=samples, x=x, t=self.state.t, dim=len(at))
        found = torch.as_tensor(expression(PointNames(view)), dtype=torch.float64)
        return found.reshape(())
