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
        found = super().rivals()
        for name in () if self.closes == 3 else ("bingham", "quadratic"):
            if name not in found:
                found[name] = self.rival(name, self.setting)
        return found

    def compared(self, inputs: Fields, given: Fields, targets: Fields) -> dict[str, list[tuple[Any, Any]]]:
        """Return metric -> pairs (found, true): the moment itself, and S:T by its components 11, 12, 22.

        The authors' metric of S:T is the mean over components.
        """
        if self.closes == 3:
            return {"f3 relative MSE": [(given["f3"], targets["f3"])]}
        from plexus.models.suspension.stress import closed_stress, components

        found: dict[str, list[tuple[Any, Any]]] = {}
        if self.closes == 2:
            found["f2 relative MSE"] = [(given["f2"], targets["f2"])]
            zeta = inputs["zeta"] if "zeta" in inputs else self.setting.constants["zeta"]
            pairs = [closed_stress(inputs, f["f2"], zeta) for f in (given, targets)]
        else:
            pairs = [(f["st"], f["trace"]) for f in (given, targets)]
        one, other = (components(*pair) for pair in pairs)
        return found | {"S:T relative MSE": list(zip(one, other, strict=True))}

    def admitted(self, fields: Fields, out: dict[str, Any]) -> dict[str, Any]:
        """Return the closure fields of a non-negative distribution."""
        return out if self.admissible else self.project(fields, out)[0]
