"""What learned closures of moments share: their classical rivals, and the moments that are possible.

The network, its bundle, range and guard are those of every learned part (`plexus.learned.part`).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from plexus.closures.base import ClosureParams, Fields, MomentClosure
from plexus.deck.params import Component, Field, Params
from plexus.learned import guard, part

UNITS = "lengths and times of the model (Maddu, Weady, Shelley 2024); mean concentration 1"


class GuardParams(guard.GuardParams):
    """What happens to cells outside the range that a learned closure was trained for."""

    fallback: Annotated[Params | None, Component("closure")] = Field(
        None, description="classical closure; none: bingham for f2 and st, autoregressive for f3"
    )


class LearnedParams(part.LearnedParams, ClosureParams):
    """Parameters of learned closures."""

    guard: GuardParams = Field(GuardParams(), description="what happens outside the training range")


class Learned(part.Part, MomentClosure):  # type: ignore[misc]  # always guarded, where classical ones are not
    """Base of learned closures."""

    kind = "closure"
    training_units = UNITS
    admissible: ClassVar[bool] = False
    """Whether the network's result needs no projection."""
    misfit = MomentClosure.misfit

    def default_fallback(self) -> str:
        """Return the name of the classical closure that stands in."""
        return "autoregressive" if self.closes == 3 else "bingham"

    def rivals(self) -> dict[str, Any]:
        """Return the classical closures by which a trained one is judged, its fallback first."""
        chosen = self.params.guard.fallback
        found = {chosen.type if chosen is not None else self.default_fallback(): self.guard.fallback}
        for name in () if self.closes == 3 else ("bingham", "quadratic"):
            if name not in found:
                found[name] = self.rival(name, self.setting)
        return found

    def admitted(self, fields: Fields, out: dict[str, Any]) -> dict[str, Any]:
        """Return the closure fields of a non-negative distribution."""
        return out if self.admissible else self.project(fields, out)[0]
