"""What an equation is given at one instant beside its unknown, as the tail of a solve's θ.

====== =====================================================================================
offset the rest of the rate, where there is one: what a step takes from earlier states
others other unknowns, controls
before internal variables at the start of the step
====== =====================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from plexus.protocols import Instant

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from plexus.protocols import Array


class Given:
    """Which tensor of that tail is what.

    Parameters
    ----------
    at : Instant
        With tensors, of which only the names are kept.
    others : mapping
        Other unknowns and controls, (n_local, m) by name.
    """

    def __init__(self, at: Instant, others: Mapping[str, Tensor]):
        self.at = replace(at, offset=None, before={})
        self.evolves, self.others, self.before = at.offset is not None, list(others), list(at.before)

    @staticmethod
    def flat(at: Instant, others: Mapping[str, Tensor]) -> list[Tensor]:
        """Return the tail."""
        return [*(() if at.offset is None else (at.offset,)), *others.values(), *at.before.values()]

    def read(self, tail: Sequence[Array]) -> tuple[Instant, dict[str, Array]]:
        """Return the instant and the others by name."""
        rest = iter(tail)
        offset = next(rest) if self.evolves else None
        others = {name: next(rest) for name in self.others}
        return replace(self.at, offset=offset, before={name: next(rest) for name in self.before}), others

    def arrays(self, tail: Sequence[Tensor]) -> tuple[Instant, dict[str, np.ndarray]]:
        """Return the same on arrays; columns of what an earlier step left become arrays of their own."""
        return self.read([tensor.detach().contiguous().numpy() for tensor in tail])
