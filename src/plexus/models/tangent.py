"""A model with one tangent of its flow: a direction v of unit length and the logarithm of its growth s.

A small disturbance w of a solution of dX/dt = f(X) follows dw/dt = J w, J = ∂f/∂X. With w = e^s v,

    dv/dt = J v - r v,   ds/dt = r = (v·J v)/(v·v),

keeps the length of v, so that nothing has to be renormalised between steps, and s/t tends to the largest
Lyapunov exponent. v and s are unknowns like any other: steps, rejected steps, checkpoints and restarts hold
for them. G. Benettin et al., Meccanica 15 (1980) 9-20, doi:10.1007/BF02128236; in this continuous form
I. Goldhirsch, P.-L. Sulem, S. Orszag, Physica D 27 (1987) 311-337, doi:10.1016/0167-2789(87)90034-0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.spaces.blocks import Blocks

if TYPE_CHECKING:
    from plexus.protocols import Rates

DIRECTION, GROWTH = "tangent", "growth"


class WithTangent:
    """`plexus.protocols.Rates` of a model and a tangent.

    Parameters
    ----------
    model
        The model.
    after
        Times [s] from which growth is counted; ``growth`` has one value per time.
    """

    def __init__(self, model: Rates, after: Sequence[float]):
        self.model, self.after = model, tuple(after)
        self.own = Blocks(model.sizes)
        self.sizes: Mapping[str, int] = {**model.sizes, DIRECTION: self.own.total, GROWTH: len(self.after)}
        # the tangent shall not choose the steps: runs with and without it are the same
        self.scales: Mapping[str, float] = {**model.scales, DIRECTION: math.inf, GROWTH: math.inf}

    def rates(self, values: Mapping[str, torch.Tensor], t: float) -> dict[str, torch.Tensor]:
        """Return the rates of the model, of the direction and of the logarithms."""
        v = values[DIRECTION]

        def f(x: torch.Tensor) -> torch.Tensor:
            return self.own.join(self.model.rates(self.own.split(x), t))

        pair: tuple[torch.Tensor, ...] = torch.func.jvp(f, (self.own.join(values),), (v,))
        rates, pushed = pair
        r = (v * pushed).sum(-1, keepdim=True) / (v * v).sum(-1, keepdim=True)
        counted = r.new_tensor([_share(t, start) for start in self.after])
        return {**self.own.split(rates), DIRECTION: pushed - r * v, GROWTH: r * counted}

    def jacobian(self, values: Mapping[str, torch.Tensor], t: float) -> None:
        """Return None: second derivatives of the model are left to differentiation."""
        return

    def start(self) -> dict[str, torch.Tensor]:
        """Return the start of the model, a direction without symmetry, and no growth."""
        # golden ratio: regular numbers that no index shift maps onto each other
        v = np.modf(np.arange(1, self.own.total + 1) * (math.sqrt(5) - 1) / 2)[0] - 0.5
        direction = torch.from_numpy(v / np.linalg.norm(v))
        return {**self.model.start(), DIRECTION: direction, GROWTH: torch.zeros(len(self.after)).double()}

    def derived(self, name: str, values: Mapping[str, torch.Tensor], t: float) -> torch.Tensor:
        """Return a derived field of the model."""
        return self.model.derived(name, values, t)


def _share(t: float, start: float) -> float:
    """Return the share of the growth that counts: half at the start, where one step ends and one begins."""
    if math.isclose(t, start, rel_tol=1e-9, abs_tol=1e-12):
        return 0.5
    return float(t > start)
