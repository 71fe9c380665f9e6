"""Active learning: regression on samples that are added round by round, those that need it most.

The first round starts from a few samples drawn at random. After each round every sample is judged by the
part's relative error, and the worst unused ones are added; drawing them at random instead is the control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field
from plexus.learning.stages.fit import Fit, FitParams
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "active", "rounds": 2, "acquire": 2, "steps": 100}
ROUNDS = 1000
"""More rounds than any stage has: the batches of a stage's rounds are drawn apart from those of others."""


class ActiveParams(FitParams):
    """Parameters of `Active`; `steps` are those of each round."""

    rounds: int = Field(4, ge=1, lt=ROUNDS, description="rounds of acquisition")
    acquire: int = Field(
        10, ge=1, description="samples that a round adds, and that the first one starts with"
    )
    choose: Literal["worst", "random"] = Field("worst", description="which unused samples are added")


@register("stage", "active", ActiveParams)
class Active(Fit):
    """Regression on a growing set of samples."""

    def work(self, session: Session) -> float:
        """Go through the rounds. Collective."""
        from plexus.learning.stages._regression import Regression

        p, loss = session.position, float("nan")
        if p.chosen is None:
            p.chosen = self._drawn(session, list(range(session.samples.total)), 0)
        while p.round < self.params.rounds:
            session.ctx.log.info(f"  round {p.round + 1}: {len(p.chosen)} samples")
            objective = Regression(session, self.params, session.chosen(), ROUNDS * (p.stage + 1) + p.round)
            loss = session.loop(self.params, session.weights(), objective)
            self._judge(session)
            p.round += 1
        p.round = 0
        return loss

    def _judge(self, session: Session) -> None:
        """Judge every sample, note the worst, and choose those that are added. Collective."""
        import torch

        from plexus.learning.judging import by_sample

        p, stage, total = session.position, self.params, session.samples.total
        assert p.chosen is not None
        errors = by_sample(session, session.trained(), torch.arange(total))
        p.worst.append(float(errors.max()))
        session.numbers({"worst sample": p.worst[-1], "mean": float(errors.mean())})
        if p.round == stage.rounds - 1:
            return
        unused = sorted(set(range(total)) - set(p.chosen))
        if stage.choose == "random":
            p.chosen += self._drawn(session, unused, p.round + 1)
        else:
            p.chosen += sorted(unused, key=lambda n: -float(errors[n]))[: stage.acquire]

    def _drawn(self, session: Session, among: list[int], key: int) -> list[int]:
        """Return samples drawn at random."""
        import torch

        from plexus.learning.draws import draw

        order = torch.randperm(len(among), generator=draw((session.plan.seed, 77, key)))
        return [among[int(n)] for n in order[: self.params.acquire]]
