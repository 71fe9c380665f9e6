"""Roll-outs of a part that gives the next state: its answers go in again, and are compared with the truth.

    u_0 = inputs,   u_(k+1) = answer(u_k),   L = 1/B Σ_b ⟨|u_n - truth_n|²⟩ / ⟨|truth_n|²⟩

With pushforward, gradients flow through the last step only: the part learns to answer states that it has
made itself, at the cost of one step; what the optimiser gets is then not the gradient of L. Without it they
flow through all n, and every state on the way counts. Source: J. Brandstetter, D. Worrall, M. Welling, ICLR
2022, doi:10.48550/arXiv.2202.03376.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field, Params
from plexus.learning.losses.base import LossBase
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.learning.batch import Batch
    from plexus.learning.samples import Named
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "rollout", "steps": 2, "feeds": {"trace": "c"}}


class RolloutParams(Params):
    """Parameters of `Rollout`."""

    steps: int = Field(
        2, ge=1, le=64, description="number n of steps, each from one time of the data to the next"
    )
    feeds: dict[str, str] = Field(min_length=1, description="output -> input that it is in the next step")
    pushforward: bool = Field(True, description="whether gradients flow through the last step only")


@register("loss", "rollout", RolloutParams)
class Rollout(LossBase):
    """L of the module's head."""

    needs = frozenset({"later"})
    fields = True

    def __init__(self, params: RolloutParams):
        super().__init__(params)
        self.exact = not params.pushforward

    @staticmethod
    def leads(params: RolloutParams) -> tuple[int, ...]:
        """Return at which steps the truth is looked at."""
        return (params.steps,) if params.pushforward else tuple(range(1, params.steps + 1))

    def start(self, session: Session, chosen: torch.Tensor) -> None:
        """Set the mean squares of the truth over the chosen samples. Collective.

        Raises
        ------
        InputError
            If an output or input that is fed is no port of the part.
        """
        from plexus.errors import InputError
        from plexus.learning.squares import by_row, squares

        for name, ports in zip(
            ("outputs", "inputs"), (session.part.outputs, session.part.inputs), strict=True
        ):
            known = [port.name for port in ports]
            used = self.params.feeds if name == "outputs" else self.params.feeds.values()
            for port in used:
                if port not in known:
                    raise InputError(f"loss.feeds: {port} is not among the {name} {', '.join(known)}")
        self.later, self.sizes = session.samples.later, {}
        place = session.samples.places(chosen)
        for lead in self.leads(self.params):
            truth = (
                {name: self.later[lead][name][place] for name in self.params.feeds.values()}
                if len(place)
                else {}
            )
            mine = by_row(squares(truth)).sum() if truth else place.double().sum()
            self.sizes[lead] = float(session.team.sum(mine)) / max(len(chosen), 1) or 1.0

    def rows(self, batch: Batch) -> torch.Tensor:
        """Return the errors at the steps that count, divided by the roots of size and number."""
        import torch

        from plexus.learning.squares import real

        leads, found, state = self.leads(self.params), [], batch.inputs
        for step in range(1, self.params.steps + 1):
            with torch.set_grad_enabled(not self.params.pushforward or step == self.params.steps):
                state = self._next(batch.part, state)
            for name in self.params.feeds.values() if step in leads else ():
                error = state[name] - self.later[step][name][batch.place]
                scale = (self.sizes[step] * batch.size * error[0].numel() * len(leads)) ** -0.5
                found.append((real(error) * scale).flatten())
        return torch.cat(found)

    def _next(self, part: Any, state: Named) -> Named:
        """Return the state after one step: inputs that are not fed stay as they are."""
        given = part.raw(state)
        return {**state, **{new: given[name] for name, new in self.params.feeds.items()}}
