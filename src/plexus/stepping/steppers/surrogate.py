"""An operator takes the step: fields at t to fields at t + dt in one evaluation, watched on the whole domain.

`operator` is a trained map of one step of the length of `time.step`. Before and after each step its guard
looks at the whole domain (`plexus.learned.steps`): range of the training, finite values, and where the deck
asks for it balance and residual. `polish: balance` then puts back what the means have lost. A step that fails
is taken by `fallback`, an explicit method in as many small steps as its Courant number allows, and is
counted; a run with too many of them ends as degraded. Members of an ensemble fail one by one.

The error of a step is what the training left, not an order in dt: a shorter step has another operator. Where
a classical step costs no more than the network, take that one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import field_validator

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.deck.values import refuse
from plexus.fields.state import State
from plexus.protocols import Explicit, Leaps, StepResult, Values
from plexus.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLE: dict[str, Any] = {"type": "surrogate", "operator": {"type": "fno", "modes": [4], "width": 8}}


class SurrogateParams(Params):
    """Parameters of `Surrogate`."""

    operator: Annotated[Params, Component("operator")] = Field(description="what takes the step")
    polish: Literal["none", "balance"] = Field(
        "none",
        description="done to each step: balance puts means back where nothing enters or leaves",
    )
    fallback: Annotated[Params, Component("stepper")] = Field(
        "ssp_rk", description="explicit method of steps that the operator must not take"
    )
    courant: float = Field(
        0.8, gt=0, le=1, description="length of the fallback's steps, as a share of the longest stable one"
    )

    @field_validator("fallback")
    @classmethod
    def _classical(cls, value: Params) -> Params:
        method: Any = registry.component("stepper", value.type).cls
        if method.needs is not Explicit:
            raise refuse(f"{value.type} is no explicit method: take ssp_rk or runge_kutta")
        return value


@register("stepper", "surrogate", SurrogateParams)
class Surrogate:
    """Steps by an operator."""

    needs = Leaps
    marches = True
    order = 1

    def __init__(self, params: SurrogateParams, tolerance: float | None = None):
        self.fallback: Any = registry.build("stepper", params.fallback, None)
        self.courant = params.courant

    def step(self, system: Leaps, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt``. Collective.

        Raises
        ------
        SolveError
            If the fallback finds no step.
        """
        found, refused = system.leap(state.values, t, dt)
        if not bool(refused.any()):
            return StepResult(found)
        classical = self._classical(system, state.values, t, dt)
        if bool(refused.all()):
            return StepResult(classical)
        return StepResult({name: _where(refused, classical[name], value) for name, value in found.items()})

    def _classical(self, system: Leaps, values: Values, t: float, dt: float) -> Values:
        """Return the values to which the fallback leads in steps that are stable. Collective."""
        end = t + dt
        while end - t > 1e-9 * dt:
            count = math.ceil((end - t) / (self.courant * system.longest(values, t)) - 1e-9)
            h = (end - t) / max(count, 1)
            values = self.fallback.step(system, State(values, t), t, h).values
            t += h
        return values

    def history(self) -> tuple[dict[str, Any], Values]:
        """Return nothing: a step needs no earlier state."""
        return {}, {}

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        """Accept the empty memory."""


def _where(refused: Any, classical: Any, value: Any) -> Any:
    """Return the classical values of members (N, ...) that are refused."""
    return classical.where(refused.view(-1, *[1] * (value.dim() - 1)), value)
